#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::{io::Read, os::unix::fs::symlink};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

/// `root` and `other` hold files; `home` has two inboxes and lies inside `root`.
struct Place {
    dir: TempDir,
    rule: Outgoing,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let at = |path: &str| dir.path().join(path);
        for path in
            ["root/sub/deep", "root/home/inbox/mine", "root/home/inbox/other", "root/home/secrets", "outside/dir"]
        {
            fs::create_dir_all(at(path)).unwrap();
        }
        for path in ["root/a.txt", "root/sub/b.txt", "root/sub/deep/c.txt", "root/home/inbox/mine/d.txt"] {
            fs::write(at(path), "may leave").unwrap();
        }
        for path in [
            "outside/a.txt",
            "outside/dir/b.txt",
            "root/home/x.txt",
            "root/home/inbox/other/e.txt",
            "root/home/inbox/mine/.n.json",
        ] {
            fs::write(at(path), "stays").unwrap();
        }
        for path in ["root/.env", "root/server.pem"] {
            fs::write(at(path), "stays").unwrap();
        }
        symlink("../outside", at("root/out")).unwrap();
        symlink("../../outside/a.txt", at("root/sub/link.txt")).unwrap();
        symlink("../root", at("outside/in")).unwrap();
        symlink("../.env", at("root/sub/plain.txt")).unwrap();
        symlink("sub/b.txt", at("root/server.key")).unwrap();
        let rule = Outgoing::new(vec![at("root"), at("missing")], at("root/home"), at("root/home/inbox/mine"), 100);
        Self { dir, rule }
    }

    fn check(&self, path: &str) -> Result<String, Refused> {
        let mut checked = self.rule.check(&self.dir.path().join(path))?;
        let mut text = String::new();
        checked.file.read_to_string(&mut text).unwrap();
        Ok(text)
    }
}

#[test]
fn files_under_a_root_and_in_the_inbox_leave_also_through_links() {
    let place = Place::new();
    for path in
        ["root/a.txt", "root/sub/../a.txt", "root/sub/deep/c.txt", "outside/in/sub/b.txt", "root/home/inbox/mine/d.txt"]
    {
        assert_eq!(place.check(path), Ok("may leave".into()), "{path}");
    }
}

#[test]
fn everything_else_is_refused_with_its_reason() {
    let place = Place::new();
    let outside = Refused::Outside { roots: place.rule.roots.clone() };
    let credentials = |telltale: &str| Refused::Credentials { telltale: telltale.into() };
    for (path, refused) in [
        ("outside/a.txt", outside.clone()),
        ("root/../outside/a.txt", outside.clone()),
        ("root/out/a.txt", outside.clone()),
        ("root/out/dir/b.txt", outside.clone()),
        ("root/sub/link.txt", outside),
        ("root/home/x.txt", Refused::Own),
        ("outside/in/home/x.txt", Refused::Own),
        ("root/home/inbox/other/e.txt", Refused::Own),
        ("root/home/inbox/mine/../other/e.txt", Refused::Own),
        ("root/home/inbox/mine/.n.json", Refused::Own),
        ("root/.env", credentials(".env")),
        ("root/server.pem", credentials("server.pem")),
        ("root/sub/plain.txt", credentials(".env")),
        ("root/server.key", credentials("server.key")),
        ("root/none.txt", Refused::NotFound),
        ("root/a.txt/x", Refused::NotFound),
        ("root/sub", Refused::NotAFile),
        ("/", Refused::NotAFile),
        ("/proc/self/status", Refused::NotAFile),
        ("/dev/null", Refused::NotAFile),
    ] {
        assert_eq!(place.check(path), Err(refused), "{path}");
    }
    assert_eq!(place.rule.check(Path::new("root/a.txt")).map(|_| ()), Err(Refused::NotAbsolute));
}

#[test]
fn size_is_bounded_and_pipes_are_no_files() {
    let place = Place::new();
    fs::write(place.dir.path().join("root/large"), [0; 101]).unwrap();
    assert_eq!(place.check("root/large"), Err(Refused::TooLarge { size: 101, max: 100 }));
    let pipe = place.dir.path().join("root/pipe");
    rustix::fs::mknodat(CWD, &pipe, rustix::fs::FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    assert_eq!(place.check("root/pipe"), Err(Refused::NotAFile));
}

#[test]
fn a_link_put_in_after_resolving_is_not_followed() {
    let place = Place::new();
    let resolved = place.dir.path().canonicalize().unwrap().join("root/sub/b.txt");
    fs::rename(place.dir.path().join("root/sub"), place.dir.path().join("root/was")).unwrap();
    symlink("../outside/dir", place.dir.path().join("root/sub")).unwrap();
    assert_eq!(place.rule.open(&resolved).map(|_| ()), Err(Refused::Changed));
    let resolved = place.dir.path().canonicalize().unwrap().join("root/a.txt");
    fs::remove_file(&resolved).unwrap();
    symlink("../outside/a.txt", &resolved).unwrap();
    assert_eq!(place.rule.open(&resolved).map(|_| ()), Err(Refused::Changed));
}

#[test]
fn a_root_that_is_a_link_counts_as_what_it_names() {
    let place = Place::new();
    let at = |path: &str| place.dir.path().join(path);
    let rule = Outgoing::new(vec![at("root/out")], at("root/home"), at("root/home/inbox/mine"), 100);
    assert!(rule.check(&at("outside/dir/b.txt")).is_ok());
    assert!(matches!(rule.check(&at("root/a.txt")), Err(Refused::Outside { .. })));
}

#[test]
fn a_file_of_the_inbox_goes_by_its_name_without_its_id() {
    let place = Place::new();
    let (id, mine) = ("0123456789abcdef".repeat(2), place.dir.path().join("root/home/inbox/mine"));
    let name = |path: PathBuf| {
        fs::write(&path, "may leave").unwrap();
        place.rule.check(&path).map(|checked| (checked.name, checked.media_type))
    };
    assert_eq!(name(mine.join(format!("{id}-a-b.png"))), Ok(("a-b.png".into(), "image/png".into())));
    assert_eq!(name(mine.join("left.png")), Ok(("left.png".into(), "image/png".into())));
    let elsewhere = format!("{id}-a.png");
    assert_eq!(name(place.dir.path().join("root").join(&elsewhere)), Ok((elsewhere, "image/png".into())));
    for hidden in ["id_rsa", "credentials.json"] {
        let refused = Refused::Credentials { telltale: hidden.into() };
        assert_eq!(name(mine.join(format!("{id}-{hidden}"))), Err(refused));
    }
}

#[test]
fn a_key_by_another_name_stays_and_what_may_leave_is_open_at_its_beginning() {
    let place = Place::new();
    // A minimal PKCS #8 structure.
    fs::write(place.dir.path().join("root/notes.txt"), b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70rest")
        .unwrap();
    let refused = place.check("root/notes.txt").unwrap_err();
    assert_eq!(refused, Refused::Secret { what: "a private key" });
    assert!(refused.to_string().contains("a private key") && refused.to_string().contains("take it out"));
    assert_eq!(place.check("root/a.txt"), Ok("may leave".into()));
}

proptest! {
    #[test]
    fn no_path_opens_a_file_that_stays(
        steps in prop::collection::vec(
            prop::sample::select(vec![
                "root", "outside", "home", "inbox", "mine", "other", "sub", "deep", "dir", "out", "in", "..", ".", "",
                "ROOT", "Home", "INBOX",
            ]),
            0..9,
        ),
        last in prop::sample::select(vec!["a.txt", "b.txt", "c.txt", "d.txt", "e.txt", "x.txt", "link.txt", "plain.txt", ".env", "server.pem", ".n.json", "A.TXT"]),
    ) {
        static PLACE: std::sync::LazyLock<Place> = std::sync::LazyLock::new(Place::new);
        let path = format!("{}/{last}", steps.join("/"));
        if let Ok(text) = PLACE.check(path.trim_start_matches('/')) {
            prop_assert_eq!(text, "may leave", "{}", path);
        }
    }
}
