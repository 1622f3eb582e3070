//! Which files are taken, and who may read them.

use super::*;

fn open(path: &Path) -> Result<Journal, JournalError> {
    Journal::open(path, Options::default())
}

#[test]
fn a_newer_schema_is_refused_and_left_as_it_is() {
    let Bench { dir, journal } = Bench::new();
    journal.shutdown();
    let path = dir.path().join("journal.db");
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = open(&path).unwrap_err();
    assert!(matches!(error, JournalError::Newer { found: 99, .. }), "{error:?}");
    assert!(error.to_string().contains("newer Sluicegate"), "{error}");
    assert!(matches!(Reader::open(&path), Err(JournalError::Newer { .. })));
}

#[test]
fn the_database_of_another_program_is_refused_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE mine (a)").unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(open(&path), Err(JournalError::Foreign { .. })));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_damaged_file_is_named_with_the_mend() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.db");
    let Bench { dir: good, journal } = Bench::new();
    journal.shutdown();
    let mut torn = std::fs::read(good.path().join("journal.db")).unwrap();
    // The header is whole; the table of tables is not.
    torn[100..4096].fill(0xff);
    for damaged in [vec![b'x'; 5000], torn] {
        std::fs::write(&path, damaged).unwrap();
        let error = open(&path).unwrap_err();
        assert!(matches!(error, JournalError::Damaged { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains(path.to_str().unwrap()) && text.contains("move"), "{text}");
    }
}

#[test]
fn an_empty_file_becomes_a_journal_and_a_missing_one_is_said_to_be_missing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal.db");
    assert!(matches!(Reader::open(&path), Err(JournalError::Missing { .. })));
    assert!(!path.exists(), "reading makes no file");
    std::fs::write(&path, b"").unwrap();
    assert!(matches!(Reader::open(&path), Err(JournalError::Missing { .. })));
    open(&path).unwrap().shutdown();
    assert!(Reader::open(&path).is_ok(), "readable without the process that writes it");
}

#[test]
fn a_path_that_cannot_be_used_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(open(dir.path()), Err(JournalError::File { .. })));
    assert!(matches!(open(&dir.path().join("no/journal.db")), Err(JournalError::File { .. })));
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_any_of_its_files() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    bench.journal.submit(says("chat", 1, 1)).wait().unwrap();
    let modes = || {
        ["", "-wal", "-shm"].map(|suffix| {
            let file = format!("{}{suffix}", bench.path().display());
            std::fs::metadata(&file).unwrap_or_else(|_| panic!("{file} is missing")).permissions().mode() & 0o777
        })
    };
    assert_eq!(modes(), [0o600; 3]);
    for suffix in ["", "-wal", "-shm"] {
        let file = format!("{}{suffix}", bench.path().display());
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o644)).unwrap();
    }
    let second = open(&bench.path()).unwrap();
    assert_eq!(modes(), [0o600; 3], "tightened when it is opened");
    drop(second);
}

#[test]
fn power_durability_flushes_and_process_durability_does_not() {
    let dir = tempfile::tempdir().unwrap();
    for (durability, expected) in [(Durability::Process, 1), (Durability::Power, 2)] {
        let connection = file::open_writer(&dir.path().join("journal.db"), durability).unwrap();
        let level: i64 = connection.query_row("PRAGMA synchronous", (), |row| row.get(0)).unwrap();
        assert_eq!(level, expected);
    }
}
