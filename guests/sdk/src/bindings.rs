//! What `wit-bindgen` makes of `wit/0.1/channel.wit`.
#![allow(unsafe_code, missing_docs, clippy::all)]

wit_bindgen::generate!({
    path: "../../wit/0.1",
    world: "channel",
    pub_export_macro: true,
    export_macro_name: "export_component",
    default_bindings_module: "sluicegate_sdk::bindings",
    additional_derives: [PartialEq],
    generate_all,
});
