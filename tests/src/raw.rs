//! Adapters made by hand: a core module in the text format, wrapped into a component of the real interface.
//!
//! This is what no compiler of a well-meaning language makes: modules that grow tables, have a hundred memories, give
//! the host pointers into nowhere, or never get out of their start function.

use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::Guest;

/// What the core module of [`component`] is made of, each in the text format; the defaults do nothing.
#[derive(Debug, Default)]
pub struct Parts<'a> {
    /// Fields of the module, before the functions.
    pub fields: &'a str,
    /// The body of `handle`; leaves an address of its result, for which `(global.get $done)` is good.
    pub handle: Option<&'a str>,
    /// The body of `manifest`; leaves the address of pointer and length, for which `(global.get $manifest)` is good.
    pub manifest: Option<&'a str>,
    /// The body of `cabi_realloc`, with `$old $was $align $new`.
    pub realloc: Option<&'a str>,
}

/// The manifest of handmade adapters: a JSON route for any credential and one rule.
pub fn manifest(name: &str) -> String {
    format!(
        r#"
name = "{name}"
version = "0.1.0"
summary = "Made by hand"
actions = []
meta = []
composes = false

[[route]]
name = "message"
path = "/{{credential}}"
methods = ["POST"]
auth = "credential"
body = "json"

[[identity]]
name = "message"
source = "message"
kind = "message"
event = "/id"
message = "/id"
sender = "/sender"
conversation = "/conversation"
direct = {{ const = true }}
text = ["/text"]
"#
    )
}

/// A component with that name and those parts.
///
/// # Panics
/// If the parts are no valid module.
pub fn component(name: &str, parts: &Parts<'_>) -> Guest {
    let text = manifest(name);
    let (fields, length) = (parts.fields, text.len());
    let handle = parts.handle.unwrap_or("(global.get $done)");
    let said = parts.manifest.unwrap_or("(global.get $manifest)");
    // A bump allocator that begins anew when it is full; nothing here keeps what it gets.
    let realloc = parts.realloc.unwrap_or(
        "(local $at i32)
         (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
         (if (i32.gt_u (i32.add (local.get $at) (local.get $new)) (i32.const 2000000))
           (then (local.set $at (i32.const 65536))))
         (global.set $heap (i32.add (local.get $at) (local.get $new)))
         (local.get $at)",
    );
    let data: String = text.bytes().map(|byte| format!("\\{byte:02x}")).collect();
    // 1024: the manifest. 16: its address and length. 64: `ok(none)`, as long as the largest result, all zero.
    let module = format!(
        r#"(module
  (memory (export "memory") 32)
  (global $heap (mut i32) (i32.const 65536))
  (global $done i32 (i32.const 64))
  (global $manifest i32 (i32.const 16))
  (data (i32.const 1024) "{data}")
  (data (i32.const 16) "\00\04\00\00\{:02x}\{:02x}\00\00")
  {fields}
  (func (export "cabi_realloc") (param $old i32) (param $was i32) (param $align i32) (param $new i32) (result i32)
    {realloc})
  (func (export "sluicegate:channel/adapter@0.1.0#manifest") (result i32) {said})
  (func (export "sluicegate:channel/adapter@0.1.0#handle") (param i32) (result i32) {handle})
  (func (export "sluicegate:channel/adapter@0.1.0#perform")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) unreachable))"#,
        length & 0xff,
        length >> 8,
    );
    Guest { name: name.to_owned(), component: encode(&module) }
}

/// Wraps a core module, in the text format, into a component of the world `channel`.
fn encode(module: &str) -> Vec<u8> {
    let mut module = wat::parse_str(module).unwrap_or_else(|error| panic!("{error}\n{module}"));
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit/0.1");
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(&wit).expect("the interface can be read");
    let world = resolve.select_world(&[package], Some("channel")).expect("the interface has the world");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("a module takes a section");
    let mut encoder = ComponentEncoder::default();
    encoder.validate(true).module(&module).expect("the module fits the interface");
    encoder.encode().expect("a component")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_is_made_of_any_parts() {
        let parts = Parts { fields: "(table $t 1 funcref)", handle: Some("(unreachable)"), ..Parts::default() };
        for parts in [Parts::default(), parts] {
            let guest = component("handmade", &parts);
            assert!(guest.component.starts_with(b"\0asm\x0d"), "a component, not a module");
        }
    }
}
