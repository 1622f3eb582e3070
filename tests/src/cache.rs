//! Compiled guests that homes share, because compiling them in a debug build is slow.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::Duration,
};

use sha2::{Digest as _, Sha256};

use crate::{Guest, binary::binary};

/// No test run takes longer.
const OLD: Duration = Duration::from_secs(3 * 3600);

/// Puts the compiled form of every guest into the `cache/` of a home.
///
/// # Panics
/// If the binary cannot compile them.
pub(crate) fn share_with(home: &Path) {
    static WARM: OnceLock<PathBuf> = OnceLock::new();
    let warm = WARM.get_or_init(warm);
    let cache = home.join("cache");
    fs::DirBuilder::new().mode(0o700).create(&cache).expect("the home can be written");
    for entry in fs::read_dir(warm.join("cache")).expect("the warm home has a cache") {
        let from = entry.expect("the warm cache can be read").path();
        let to = cache.join(from.file_name().expect("an entry has a name"));
        fs::hard_link(&from, &to).or_else(|_| fs::copy(&from, &to).map(drop)).expect("the home can be written");
    }
}

/// A home in which the binary under test has seen every guest once; kept between runs.
fn warm() -> PathBuf {
    let binary = binary();
    let meta = fs::metadata(binary).expect("the binary is there");
    let guests = Guest::all().fold(Sha256::new(), |guests, guest| guests.chain_update(guest.component)).finalize();
    let stamp = format!("{}-{}-{}-{}", meta.len(), meta.mtime(), meta.mtime_nsec(), hex::encode(&guests[..8]));
    let root = Path::new(env!("OUT_DIR")).join("warm");
    fs::create_dir_all(&root).expect("the target directory can be written");
    let lock = File::create(root.join("lock")).expect("the target directory can be written");
    lock.lock().expect("the lock can be taken");
    let home = root.join(&stamp);
    let done = home.join("done");
    if done.exists() {
        return home;
    }
    for old in fs::read_dir(&root).expect("the directory can be read").flatten() {
        // A younger one may be in use by another run.
        let age =
            old.metadata().and_then(|meta| meta.modified()).map(|modified| modified.elapsed().unwrap_or_default());
        if old.path().is_dir() && age.is_ok_and(|age| age > OLD) {
            fs::remove_dir_all(old.path()).expect("an old cache can be removed");
        }
    }
    if home.exists() {
        // It was never finished, and we have the lock.
        fs::remove_dir_all(&home).expect("an unfinished cache can be removed");
    }
    let adapters = home.join("adapters");
    let mut dirs = fs::DirBuilder::new();
    dirs.recursive(true).mode(0o700).create(&adapters).expect("the target directory can be written");
    for guest in Guest::all() {
        fs::write(adapters.join(format!("{}.wasm", guest.name)), guest.component).expect("a guest can be written");
    }
    let listed = Command::new(binary).arg("list").env("SLUICEGATE_HOME", &home).output();
    let listed = listed.expect("the binary can be run");
    let shown = String::from_utf8_lossy(&listed.stderr);
    assert!(listed.status.success(), "`sluicegate list` failed: {shown}");
    assert!(compiled(&home).is_ok_and(|count| count > 0), "nothing was compiled: {shown}");
    File::create(done).expect("the target directory can be written");
    home
}

fn compiled(home: &Path) -> io::Result<usize> {
    Ok(fs::read_dir(home.join("cache"))?.count())
}
