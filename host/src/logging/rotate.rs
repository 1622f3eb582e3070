//! A log file that never grows without bound: `sluicegate.log`, then `.1` to `.3`, the newest first.
//!
//! Several processes of one home write to the same file. Every line goes out in one appending write, and before
//! it a look at the path tells whether another process has begun a new file.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// From this size on a new file is begun.
const MAX_BYTES: u64 = 10 * 1024 * 1024;
/// Older files that are kept.
pub(super) const KEPT: u32 = 3;

/// The log file.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    max_bytes: u64,
    file: Mutex<File>,
}

/// Writes into the log file, a line at a time.
pub(super) struct Handle(pub(super) Arc<LogFile>);

/// The path of an older file.
pub(super) fn older(path: &Path, number: u32) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(format!(".{number}"));
    path.into()
}

impl LogFile {
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        Self::with_size(path, MAX_BYTES)
    }

    fn with_size(path: PathBuf, max_bytes: u64) -> io::Result<Self> {
        let file = Mutex::new(append(&path)?);
        Ok(Self { path, max_bytes, file })
    }

    fn write(&self, line: &[u8]) -> io::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        match fs::metadata(&self.path) {
            Ok(at_path) if at_path.ino() != file.metadata()?.ino() => *file = append(&self.path)?,
            Ok(at_path) if at_path.len().saturating_add(line.len() as u64) > self.max_bytes && at_path.len() > 0 => {
                *file = self.rotate(&file)?;
            }
            Ok(_) => {}
            // Somebody removed it.
            Err(_) => *file = append(&self.path)?,
        }
        file.write_all(line)
    }

    /// Moves the files along, once: the lock is on the full file, and who gets it late finds another at the path.
    fn rotate(&self, full: &File) -> io::Result<File> {
        full.lock()?;
        let still_there =
            fs::metadata(&self.path).is_ok_and(|meta| full.metadata().is_ok_and(|own| own.ino() == meta.ino()));
        if still_there {
            for number in (1..KEPT).rev() {
                // An older file that is not there yet.
                drop(fs::rename(older(&self.path, number), older(&self.path, number + 1)));
            }
            fs::rename(&self.path, older(&self.path, 1))?;
        }
        let next = append(&self.path);
        full.unlock()?;
        next
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

impl Write for Handle {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write(line).map(|()| line.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn read(path: &Path) -> String {
        fs::read_to_string(path).unwrap_or_default()
    }

    #[test]
    fn full_files_move_along_and_the_oldest_goes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.log");
        let log = LogFile::with_size(path.clone(), 10).unwrap();
        for n in 0..12 {
            log.write(format!("{n:03}\n").as_bytes()).unwrap();
        }
        assert_eq!(read(&path), "010\n011\n");
        assert_eq!(read(&older(&path, 1)), "008\n009\n");
        assert_eq!(read(&older(&path, 3)), "004\n005\n");
        assert!(!older(&path, 4).exists());
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_line_longer_than_a_file_is_written_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.log");
        let log = LogFile::with_size(path.clone(), 4).unwrap();
        log.write(b"a long line\n").unwrap();
        log.write(b"another\n").unwrap();
        assert_eq!((read(&path), read(&older(&path, 1))), ("another\n".into(), "a long line\n".into()));
    }

    #[test]
    fn two_processes_lose_no_line_and_rotate_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.log");
        let (one, two) =
            (LogFile::with_size(path.clone(), 100).unwrap(), LogFile::with_size(path.clone(), 100).unwrap());
        std::thread::scope(|scope| {
            for log in [&one, &two] {
                scope.spawn(move || (0..16).for_each(|_| log.write(b"123456789\n").unwrap()));
            }
        });
        // 320 bytes are at most four files, so none is lost yet.
        let all: usize = (1..=3).map(|n| read(&older(&path, n)).len()).sum::<usize>() + read(&path).len();
        assert_eq!(all, 320);
    }

    #[test]
    fn a_removed_file_is_begun_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.log");
        let log = LogFile::with_size(path.clone(), 100).unwrap();
        log.write(b"a\n").unwrap();
        fs::remove_file(&path).unwrap();
        log.write(b"b\n").unwrap();
        assert_eq!(read(&path), "b\n");
    }
}
