//! Files in `adapters/` that are no adapters, or want to be more than one: row 14 of the threat model.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use serde_json::Value;
use sluicegate_tests::{Guest, Home, Server, raw, says};

/// A component that says it imports that interface.
fn importing(interface: &str) -> Vec<u8> {
    wat::parse_str(format!(r#"(component (import "{interface}" (instance (export "run" (func)))))"#)).unwrap()
}

/// What `list` says of a file.
fn reason(home: &Home, file: &str) -> String {
    let listed = home.run(&["list", "--json"]).success().json();
    let found = find(&listed, file).unwrap_or_else(|| panic!("{file} is not in {listed}"));
    found.to_string()
}

/// The innermost object that names the file.
fn find<'a>(value: &'a Value, file: &str) -> Option<&'a Value> {
    match value {
        Value::Array(items) => items.iter().find_map(|item| find(item, file)),
        Value::Object(members) => members.values().find_map(|member| find(member, file)).or_else(|| {
            let names = |member: &Value| member.as_str().is_some_and(|text| text.contains(file));
            members.values().any(names).then_some(value)
        }),
        _ => None,
    }
}

/// The file is refused with these words, and `chat` beside it runs.
fn is_refused(file: &str, bytes: &[u8], words: &[&str]) {
    let home = Home::with(&Guest::new("chat"));
    home.drop_file(file, bytes);
    let reason = reason(&home, file);
    assert!(words.iter().any(|words| reason.contains(words)), "{file}: {reason}");
    assert!(reason.len() < 4000, "{file}: a reason of {} bytes", reason.len());
    let name = file.trim_end_matches(".wasm");
    drop(home.run(&["allow", name, "--yes"]).failure());
    let server = Server::start(&home);
    server.wait_until_running(&home, "chat");
    assert_eq!(home.post("chat", &says("1", "hello")).status, 200);
    server.event_of("1");
}

#[test]
fn what_is_no_component_is_refused_and_the_others_load() {
    is_refused("junk.wasm", b"this is no WebAssembly", &["not a WebAssembly component"]);
    is_refused("empty.wasm", b"", &["not a WebAssembly component"]);
    let cut = &Guest::new("chat").component[..1000];
    is_refused("cut.wasm", cut, &["not a WebAssembly component"]);
    let module = wat::parse_str("(module (func (export \"handle\")))").unwrap();
    is_refused("module.wasm", &module, &["not a WebAssembly component"]);
    let nothing = wat::parse_str("(component)").unwrap();
    is_refused("nothing.wasm", &nothing, &["export"]);
}

#[test]
fn flipped_bytes_never_stop_the_host() {
    let home = Home::with(&Guest::new("chat"));
    let chat = Guest::new("replayer").component;
    // A fixed walk over the file: a failure can be repeated.
    let mut at = 97;
    for number in 0..8 {
        let mut flipped = chat.clone();
        for _ in 0..3 {
            at = (at * 7919 + 104_729) % flipped.len();
            flipped[at] ^= 0x5a;
        }
        home.drop_file(&format!("flipped{number}.wasm"), &flipped);
    }
    let server = Server::start(&home);
    server.wait_until_running(&home, "chat");
    assert_eq!(home.post("chat", &says("1", "hello")).status, 200);
    server.event_of("1");
}

#[test]
fn an_enormous_file_is_refused_unread() {
    let home = Home::with(&Guest::new("chat"));
    let path = home.path().join("adapters/enormous.wasm");
    let file = std::fs::File::create(path).unwrap();
    // Sparse: it has the size and needs no disk.
    file.set_len(8 << 30).unwrap();
    assert!(reason(&home, "enormous.wasm").contains("at most"));
    let server = Server::start(&home);
    server.wait_until_running(&home, "chat");
    assert!(server.peak_memory_mib() < 150, "{} MiB", server.peak_memory_mib());
}

#[test]
fn unknown_imports_are_refused_by_name() {
    for interface in
        ["evil:host/run@1.0.0", "wasi:nn/inference@0.2.0", "wasi:http/proxy@0.3.0", "sluicegate:channel/approve@0.1.0"]
    {
        let file = "importer.wasm";
        is_refused(file, &importing(interface), &[interface]);
    }
}

#[test]
fn a_module_that_never_gets_out_of_its_start_is_refused() {
    let home = Home::with(&Guest::new("chat"));
    let fields = "(func $spin (loop $again (br $again))) (start $spin)";
    let guest = raw::component("spinner", &raw::Parts { fields, ..Default::default() });
    home.drop_file("spinner.wasm", &guest.component);
    let reason = reason(&home, "spinner.wasm");
    assert!(reason.contains("cpu-ms") || reason.contains("longer"), "{reason}");
    let server = Server::start(&home);
    server.wait_until_running(&home, "chat");
}

#[test]
fn a_component_that_is_slow_to_compile_is_stopped_or_compiled_and_stops_nobody() {
    // Deeply nested blocks with a value through each: quadratic for many compilers.
    let depth = 2000;
    let open = "(block (result i32) ".repeat(depth);
    let close = "(br_if 0 (i32.const 1) (i32.const 0)) drop)".repeat(depth);
    let body = format!("{open} (i32.const 1) {close} drop");
    let functions: String = (0..20).map(|number| format!("(func $f{number} {body})")).collect();
    let guest = raw::component("slow", &raw::Parts { fields: &functions, ..Default::default() });
    let home = Home::with(&Guest::new("chat"));
    home.drop_file("slow.wasm", &guest.component);
    let server = Server::start(&home);
    server.wait_until_running(&home, "chat");
    assert_eq!(home.post("chat", &says("1", "hello")).status, 200);
    server.event_of("1");
}

#[test]
fn a_manifest_of_endless_length_is_refused() {
    let home = Home::with(&Guest::new("chat"));
    // Two mebibytes of memory, all of it the manifest.
    let manifest =
        "(i32.store (i32.const 16) (i32.const 0)) (i32.store (i32.const 20) (i32.const 2097152)) (i32.const 16)";
    let guest = raw::component("endless", &raw::Parts { manifest: Some(manifest), ..Default::default() });
    home.drop_file("endless.wasm", &guest.component);
    let reason = reason(&home, "endless.wasm");
    assert!(reason.contains("manifest"), "{reason}");
    assert!(reason.len() < 4000, "{} bytes", reason.len());
}

#[test]
fn what_is_no_file_is_passed_over() {
    let home = Home::with(&Guest::new("chat"));
    let adapters = home.path().join("adapters");
    std::fs::create_dir(adapters.join("directory.wasm")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", adapters.join("device.wasm")).unwrap();
    std::os::unix::fs::symlink("nowhere", adapters.join("dangling.wasm")).unwrap();
    // Reading a pipe would wait for ever.
    let pipe = std::process::Command::new("mkfifo").arg(adapters.join("pipe.wasm")).status();
    assert!(pipe.is_ok_and(|status| status.success()));
    let server = Server::start(&home);
    server.wait_until_running(&home, "chat");
    assert_eq!(home.post("chat", &says("1", "hello")).status, 200);
    server.event_of("1");
    let listed = home.run(&["list", "--json"]).success();
    assert!(listed.stdout.contains("chat"), "{}", listed.stdout);
}

#[test]
fn a_handmade_component_can_be_a_good_one() {
    // Or the hostile ones would prove nothing.
    let guest = raw::component("handmade", &raw::Parts::default());
    let home = Home::with(&guest);
    let server = Server::start(&home);
    server.wait_until_running(&home, "handmade");
    assert_eq!(home.post("handmade", &says("1", "hello")).status, 200);
}

#[test]
fn manifests_that_ask_for_what_nobody_may_have_are_refused_by_key_and_line() {
    let chat = Guest::new("chat");
    for (from, to, words) in [
        ("meta = [\"mood\"]", "meta = [\"user\"]", "host's own"),
        ("[[timer]]\nname = \"tick\"", "[secrets]\nkey = \"E\"    ", "secrets"),
        ("composes = false\n\n[[route]]", "composer = true\n\n[[route]] ", "composer"),
        ("name = \"chat\"\nversion", "name = \"../t\"\nversion", "name"),
    ] {
        let guest = chat.clone().patched(from, to);
        let home = Home::with(&Guest::new("replayer"));
        home.drop_file("asker.wasm", &guest.component);
        let reason = reason(&home, "asker.wasm");
        assert!(reason.contains(words) && reason.contains("line "), "{to}: {reason}");
        let server = Server::start(&home);
        server.wait_until_running(&home, "replayer");
    }
}
