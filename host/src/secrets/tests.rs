#![allow(clippy::unwrap_used, reason = "tests")]

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use super::*;

fn bench() -> (tempfile::TempDir, Home, AdapterName) {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::at(dir.path()).unwrap();
    (dir, home, AdapterName::new("webhook").unwrap())
}

#[test]
fn secrets_are_kept_for_the_user_alone_and_replaced() {
    let (_dir, home, name) = bench();
    let stored = |variable: &str| kept(&home, &name, variable).unwrap().map(|(value, _)| value.to_vec());
    set(&home, &name, "A_KEY", Some("one = 1 # no comment")).unwrap();
    set(&home, &name, "B_KEY", Some("\"two\"")).unwrap();
    assert_eq!(stored("A_KEY").unwrap(), b"one = 1 # no comment");
    assert_eq!(stored("B_KEY").unwrap(), b"\"two\"");
    set(&home, &name, "A_KEY", Some("three")).unwrap();
    assert_eq!(stored("A_KEY").unwrap(), b"three");
    assert_eq!(names(&home, &name).unwrap(), [("A_KEY".into(), Where::File), ("B_KEY".into(), Where::File)]);
    assert_eq!(fs::metadata(home.secrets(&name)).unwrap().mode() & 0o777, 0o600);
    set(&home, &name, "A_KEY", None).unwrap();
    assert_eq!(stored("A_KEY"), None);
    for bad in ["a", "A B", "", "A=B"] {
        assert!(set(&home, &name, bad, Some("x")).is_err(), "{bad}");
    }
    for bad in ["x\ny", "", "x\0"] {
        assert!(set(&home, &name, "A", Some(bad)).is_err(), "{bad:?}");
    }
    forget_all(&home, &name).unwrap();
    forget_all(&home, &name).unwrap();
    assert!(!home.secrets(&name).exists());
}

#[test]
fn a_file_that_others_can_read_is_narrowed_when_it_is_read() {
    let (_dir, home, name) = bench();
    fs::write(home.secrets(&name), "A_KEY=x\n").unwrap();
    for mode in [0o644, 0o660, 0o604, 0o700 | 0o010] {
        fs::set_permissions(home.secrets(&name), fs::Permissions::from_mode(mode)).unwrap();
        assert!(kept(&home, &name, "A_KEY").unwrap().is_some());
        assert_eq!(fs::metadata(home.secrets(&name)).unwrap().mode() & 0o777, 0o600, "{mode:o}");
    }
}

#[test]
fn a_credential_is_read_from_the_file_of_its_adapter() {
    let (_dir, home, name) = bench();
    let config = |text: &str| toml::from_str::<CredentialConfig>(text).unwrap();
    let from_env = config("scheme = \"bearer\"\nsecret = { env = \"SG_TEST_NOT_SET\" }");
    let error = credential(&home, &name, &from_env).unwrap_err().to_string();
    assert!(error.contains("sluicegate secret webhook set SG_TEST_NOT_SET"), "{error}");
    set(&home, &name, "SG_TEST_NOT_SET", Some("mF_9.B5f-4.1JqM")).unwrap();
    let (_, first) = credential(&home, &name, &from_env).unwrap();
    fs::write(home.root().join("token"), "mF_9.B5f-4.1JqM\n").unwrap();
    let (_, second) = credential(&home, &name, &config("scheme = \"bearer\"\nsecret = { file = \"token\" }")).unwrap();
    assert_eq!(first, second);
}

#[test]
fn what_a_mapped_file_cannot_be_is_said() {
    let (_dir, home, _) = bench();
    fs::write(home.root().join("large"), vec![b'x'; 70_000]).unwrap();
    for (file, words) in [("nowhere", "No such file"), ("access", "regular file"), ("large", "too large")] {
        let error = mapped_file(&home.root().join(file)).unwrap_err().to_string();
        assert!(error.contains(words), "{file}: {error}");
    }
}
