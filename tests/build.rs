//! Builds the test guests for `wasm32-wasip2` and writes down where they are.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a build script reports by ending")]

use std::{env, fs, path::PathBuf, process::Command};

fn main() {
    let tests = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let root = tests.parent().expect("the tests stand in the workspace").to_owned();
    let guests = tests.join("guests");
    for path in ["examples", "Cargo.toml", "Cargo.lock"] {
        println!("cargo:rerun-if-changed={}", guests.join(path).display());
    }
    println!("cargo:rerun-if-changed={}", root.join("guests/sdk").display());
    println!("cargo:rerun-if-changed={}", root.join("wit").display());

    // A target directory of its own: the outer build holds the lock of the usual one.
    let target = out.join("guests");
    let mut build = Command::new(env::var_os("CARGO").expect("cargo sets it"));
    build
        .args(["build", "--release", "--locked", "--examples"])
        .args(["--target", "wasm32-wasip2", "--manifest-path"])
        .arg(guests.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target);
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
    let mut flags = format!("--remap-path-prefix={}=/sluicegate", root.display());
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")));
    if let Some(home) = home {
        flags.push_str(&format!(" --remap-path-prefix={}=/cargo", home.display()));
    }
    build.env("RUSTFLAGS", flags);
    let status = build.status().expect("cargo can be run");
    assert!(
        status.success(),
        "the test guests could not be built; if the target is missing: rustup target add wasm32-wasip2"
    );

    let mut names: Vec<String> = fs::read_dir(guests.join("examples"))
        .expect("the guests are there")
        .filter_map(|entry| {
            let path = entry.expect("the directory can be read").path();
            (path.extension()? == "rs").then(|| path.file_stem()?.to_str().map(str::to_owned))?
        })
        .collect();
    names.sort();
    let mut list = String::from("const BUILT: &[(&str, &[u8])] = &[\n");
    for name in names {
        let component = target.join("wasm32-wasip2/release/examples").join(format!("{name}.wasm"));
        assert!(component.is_file(), "{} was not built: is it listed in tests/guests/Cargo.toml?", component.display());
        list.push_str(&format!("    ({name:?}, include_bytes!({component:?})),\n"));
    }
    list.push_str("];\n");
    fs::write(out.join("guests.rs"), list).expect("OUT_DIR can be written");
}
