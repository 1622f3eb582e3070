//! Builds the bundled adapters for `wasm32-wasip2` and writes down where they are.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a build script reports by ending")]

use std::{env, fs, path::PathBuf, process::Command};

/// The bundled adapters; each is a package of that name in `guests/`.
const BUNDLED: [&str; 3] = ["fakechat", "telegram", "webhook"];

fn main() {
    let host = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let root = host.parent().expect("the host stands in the workspace").to_owned();
    let guests = root.join("guests");
    for path in BUNDLED.iter().chain(&["sdk", "Cargo.toml", "Cargo.lock"]) {
        println!("cargo:rerun-if-changed={}", guests.join(path).display());
    }
    println!("cargo:rerun-if-changed={}", root.join("wit").display());

    // A target directory of its own: the outer build holds the lock of the usual one.
    let target = out.join("guests");
    let mut build = Command::new(env::var_os("CARGO").expect("cargo sets it"));
    build.args(["build", "--release", "--locked", "--target", "wasm32-wasip2", "--manifest-path"]);
    build.arg(guests.join("Cargo.toml")).arg("--target-dir").arg(&target);
    for name in BUNDLED {
        build.args(["--package", name]);
    }
    // What the outer build sets would break the guests or change their bytes.
    for (key, _) in env::vars_os() {
        let key = key.to_string_lossy().into_owned();
        let cargos = key.strip_prefix("CARGO_").is_some_and(|rest| {
            rest != "HOME" && !["NET", "HTTP", "REGISTRIES"].iter().any(|kept| rest.starts_with(kept))
        });
        let outer = ["RUSTC", "MAKEFLAGS", "RUSTFLAGS"].iter().any(|prefix| key.starts_with(prefix))
            || ["TARGET", "HOST", "PROFILE", "OPT_LEVEL", "DEBUG"].contains(&key.as_str());
        if cargos || outer {
            build.env_remove(&key);
        }
    }
    // The same bytes on every machine: no paths of this one.
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")));
    let mut flags = format!("--remap-path-prefix={}=/sluicegate", root.display());
    if let Some(home) = home {
        flags.push_str(&format!(" --remap-path-prefix={}=/cargo", home.display()));
    }
    build.env("RUSTFLAGS", flags);
    let status = build.status().expect("cargo can be run");
    if !status.success() {
        panic!("the bundled adapters could not be built; if the target is missing: rustup target add wasm32-wasip2");
    }

    let mut list = String::from(
        "/// Name and component of each bundled adapter.\npub(super) const BUNDLED: &[(&str, &[u8])] = &[\n",
    );
    for name in BUNDLED {
        let component = target.join("wasm32-wasip2/release").join(format!("{name}.wasm"));
        assert!(component.is_file(), "{} was not built", component.display());
        list.push_str(&format!("    ({name:?}, include_bytes!({component:?})),\n"));
    }
    list.push_str("];\n");
    fs::write(out.join("bundled.rs"), list).expect("OUT_DIR can be written");
}
