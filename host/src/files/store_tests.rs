#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::os::unix::fs::{MetadataExt, symlink};

use super::*;

fn store(dir: &Path, quota: u64, max: u64) -> FileStore {
    FileStore::open(dir, quota, max).unwrap()
}

async fn keep(store: &FileStore, name: &str, bytes: &[u8]) -> KeptFile {
    let mut writer = store.create(name, None).unwrap();
    writer.write(bytes).await.unwrap();
    writer.finish(None).await.unwrap()
}

fn listed(dir: &Path) -> usize {
    fs::read_dir(dir).unwrap().count()
}

#[tokio::test]
async fn a_kept_file_has_its_bytes_its_safe_name_and_nobody_elses_eyes() {
    let dir = tempfile::tempdir().unwrap();
    let inbox = dir.path().join("inbox/fakechat");
    let store = store(&inbox, 1000, 100);
    let mut writer = store.create("../../cat\n.PNG", Some("Image/PNG; x=y")).unwrap();
    writer.write(b"one").await.unwrap();
    writer.write(b"two").await.unwrap();
    let file = writer.finish(Some("room")).await.unwrap();
    assert_eq!((file.name.as_str(), file.media_type.as_str(), file.size), ("cat.PNG", "image/png", 6));
    assert!(is_id(&file.id));
    assert_eq!(fs::read(&file.path).unwrap(), b"onetwo");
    assert_eq!(fs::metadata(&file.path).unwrap().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(&inbox).unwrap().mode() & 0o777, 0o700);
    assert_eq!(store.get(&file.id), Some(file));
}

#[tokio::test]
async fn the_index_comes_back_from_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    let first = store(dir.path(), 1 << 20, 100);
    let a = keep(&first, "a.txt", b"a").await;
    let mut writer = first.create("b", Some("audio/ogg")).unwrap();
    writer.write(b"b").await.unwrap();
    let b = writer.finish(None).await.unwrap();
    first.belongs_to(&b.id, "room").unwrap();
    first.belongs_to(&b.id, "another room").unwrap();
    fs::write(dir.path().join(".part-left"), b"half").unwrap();
    fs::write(dir.path().join(format!(".{}.json", "0".repeat(32))), b"{}").unwrap();
    fs::write(dir.path().join("the users own.txt"), b"x").unwrap();
    symlink("/etc/passwd", dir.path().join(format!("{}-link", "1".repeat(32)))).unwrap();
    drop(first);

    let again = store(dir.path(), 1 << 20, 100);
    assert_eq!(again.get(&a.id), Some(a));
    assert_eq!(again.get(&b.id), Some(KeptFile { conversation: Some("room".into()), ..b }));
    assert_eq!(again.get(&"1".repeat(32)), None);
    // Two files with their notes, the user's own file and the link.
    assert_eq!(listed(dir.path()), 6);
}

#[tokio::test]
async fn the_oldest_files_make_room() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path(), 25_000, 10_000);
    let mut files = Vec::new();
    for name in ["a", "b", "c", "d"] {
        files.push(keep(&store, name, &[b'x'; 10_000]).await);
    }
    assert_eq!(files.iter().map(|f| store.get(&f.id).is_some()).collect::<Vec<_>>(), [false, false, true, true]);
    assert!(!files[0].path.exists());
    drop(store);
    let smaller = FileStore::open(dir.path(), 12_000, 10_000).unwrap();
    assert!(smaller.get(&files[3].id).is_some() && smaller.get(&files[2].id).is_none());
    assert_eq!(listed(dir.path()), 2);
}

#[tokio::test]
async fn empty_files_are_not_free() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path(), 3 * LEAST, 100);
    let mut files = Vec::new();
    for number in 0..5 {
        files.push(keep(&store, &number.to_string(), b"").await);
    }
    let there = |store: &FileStore| files.iter().map(|file| store.get(&file.id).is_some()).collect::<Vec<_>>();
    assert_eq!(there(&store), [false, false, true, true, true]);
    assert_eq!(listed(dir.path()), 6, "three with their notes");
    store.remove(&files[4].id);
    store.remove(&files[3].id);
    assert_eq!(store.0.index().total, LEAST);
    drop(store);
    let smaller = FileStore::open(dir.path(), 100, 100).unwrap();
    assert_eq!(there(&smaller), [false, false, true, false, false], "one that is small always fits");
    assert_eq!(keep(&smaller, "next", b"x").await.size, 1);
    assert_eq!((there(&smaller).contains(&true), listed(dir.path())), (false, 2));
}

#[tokio::test]
async fn what_is_too_large_or_not_finished_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path(), 15, 10);
    let mut first = store.create("a", None).unwrap();
    first.write(&[0; 10]).await.unwrap();
    assert!(matches!(first.write(&[0]).await, Err(FileError::TooLarge { max: 10 })));
    let mut second = store.create("b", None).unwrap();
    assert!(matches!(second.write(&[0; 6]).await, Err(FileError::Full { quota: 15 })));
    drop((first, second));
    assert_eq!(listed(dir.path()), 0);
    keep(&store, "c", &[0; 10]).await;
}

#[tokio::test]
async fn a_removed_file_is_gone_with_its_note() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path(), 100, 100);
    let file = keep(&store, "a", b"a").await;
    store.remove(&file.id);
    store.remove(&file.id);
    assert_eq!((store.get(&file.id), listed(dir.path())), (None, 0));
    assert!(matches!(store.belongs_to(&file.id, "room"), Err(FileError::Unknown)));
}

#[tokio::test]
async fn what_is_imported_is_what_was_checked() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("report.pdf"), b"checked").unwrap();
    let inbox = dir.path().join("home/inbox");
    let store = store(&inbox, 100, 100);
    let rule = super::super::Outgoing::new(vec![root.clone()], dir.path().join("home"), inbox, 100);
    let checked = rule.check(&root.join("report.pdf")).unwrap();
    fs::remove_file(root.join("report.pdf")).unwrap();
    fs::write(root.join("report.pdf"), b"changed").unwrap();
    let file = store.import(checked, Some("room")).await.unwrap();
    assert_eq!(fs::read(&file.path).unwrap(), b"checked");
    assert_eq!((file.name.as_str(), file.media_type.as_str()), ("report.pdf", "application/pdf"));
    let again = rule.check(&file.path).unwrap();
    assert_eq!((again.name.as_str(), again.media_type.as_str()), ("report.pdf", "application/pdf"));
}

#[test]
fn an_inbox_that_is_a_link_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    symlink("/tmp", dir.path().join("inbox")).unwrap();
    assert!(matches!(FileStore::open(&dir.path().join("inbox"), 1, 1), Err(FileError::Io(_))));
}

#[test]
fn media_types_are_plain_or_nothing() {
    for (text, plain) in [
        ("image/png", Some("image/png")),
        ("Text/HTML; charset=utf-8", Some("text/html")),
        ("application/vnd.api+json", Some("application/vnd.api+json")),
        ("image", None),
        ("image/", None),
        ("a/b/c", None),
        ("a/b\r\nX: y", None),
        ("", None),
    ] {
        assert_eq!(plain_media_type(text).as_deref(), plain, "{text:?}");
    }
}
