//! The access file on disk: read with a stamp, written whole or not at all, changed under a lock.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use super::{Access, GateError, visible};

/// A larger file is no access file.
const MAX_BYTES: u64 = 4 * 1024 * 1024;
/// How long a file must have been left alone before its stamp tells every later change: more than a tick of any
/// file system's clock.
const SETTLED: Duration = Duration::from_millis(100);
/// How often a lock that somebody else holds is tried.
const RETRY: Duration = Duration::from_millis(2);

/// Where an adapter's access is kept.
pub(super) struct AccessFile {
    path: PathBuf,
    lock: PathBuf,
}

/// What changes whenever the file does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// What a reading found.
pub(super) struct Found {
    /// `None` if there is no file.
    pub(super) stamp: Option<Stamp>,
    /// Whether a later change surely has another stamp.
    pub(super) settled: bool,
    /// The access, or what is wrong with the file.
    pub(super) access: Result<Access, String>,
}

/// The right to change the file, until dropped.
pub(super) struct Lock {
    _file: File,
}

impl AccessFile {
    pub(super) fn new(path: PathBuf) -> Self {
        let lock = suffixed(&path, ".lock");
        Self { path, lock }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file's stamp now; `None` if there is no file.
    pub(super) fn stamp(&self) -> io::Result<Option<Stamp>> {
        match fs::metadata(&self.path) {
            Ok(metadata) => Ok(Some(Stamp::of(&metadata))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads the file. No file is the default; a file that says something else than access is no error here.
    pub(super) fn read(&self) -> io::Result<Found> {
        match fs::metadata(&self.path) {
            Ok(metadata) if !metadata.is_file() => return Err(io::Error::other("it is not a regular file")),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::missing()),
            Err(error) => return Err(error),
        }
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::missing()),
            Err(error) => return Err(error),
        };
        let before = Stamp::of(&file.metadata()?);
        let mut bytes = Vec::new();
        (&mut file).take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
        let after = Stamp::of(&file.metadata()?);
        let access = if bytes.len() as u64 > MAX_BYTES {
            Err("it is larger than 4 MiB".into())
        } else {
            serde_json::from_slice(&bytes).map_err(|error| visible(&error.to_string(), 200))
        };
        Ok(Found { stamp: Some(after), settled: before == after && after.is_old(SystemTime::now()), access })
    }

    /// Waits for the right to change the file, at most as long as said. Makes the directory if there is none.
    pub(super) fn lock(&self, patience: Duration) -> Result<Lock, GateError> {
        self.private_directory()?;
        let open = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&self.lock);
        let file = open.map_err(|source| self.failed("open the lock of", source))?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Lock { _file: file }),
                Err(TryLockError::Error(source)) => return Err(self.failed("lock", source)),
                Err(TryLockError::WouldBlock) if begun.elapsed() >= patience => {
                    return Err(GateError::Busy { path: self.lock.clone() });
                }
                Err(TryLockError::WouldBlock) => thread::sleep(RETRY),
            }
        }
    }

    /// Replaces the file by a new one, which only the user can read. After an error the old one is still there.
    pub(super) fn write(&self, _: &Lock, access: &Access) -> Result<(), GateError> {
        let write = || -> io::Result<()> {
            let directory = self.directory();
            let mut bytes = serde_json::to_vec_pretty(access)?;
            bytes.push(b'\n');
            let mut file = tempfile::Builder::new()
                .prefix(".access-")
                .permissions(Permissions::from_mode(0o600))
                .tempfile_in(directory)?;
            file.write_all(&bytes)?;
            file.as_file().sync_all()?;
            file.persist(&self.path)?;
            File::open(directory)?.sync_all()
        };
        write().map_err(|source| self.failed("write", source))
    }

    /// Moves the file out of the way; gives its new path.
    pub(super) fn move_aside(&self, _: &Lock) -> io::Result<PathBuf> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let aside = (now..)
            .map(|ms| suffixed(&self.path, &format!(".corrupt-{ms}")))
            .find(|aside| fs::symlink_metadata(aside).is_err())
            .unwrap_or_else(|| suffixed(&self.path, ".corrupt"));
        fs::rename(&self.path, &aside)?;
        fs::set_permissions(&aside, Permissions::from_mode(0o600))?;
        Ok(aside)
    }

    fn directory(&self) -> &Path {
        self.path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    /// The directory exists and is the user's alone: who can write there can let anybody in.
    fn private_directory(&self) -> Result<(), GateError> {
        let ensure = || -> io::Result<()> {
            let directory = self.directory();
            DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
            // A bare file name means the working directory, which is not ours to close.
            if directory != Path::new(".") && fs::metadata(directory)?.mode() & 0o077 != 0 {
                fs::set_permissions(directory, Permissions::from_mode(0o700))?;
            }
            Ok(())
        };
        ensure().map_err(|source| GateError::Io {
            doing: "make a private directory of",
            path: self.directory().to_owned(),
            source,
        })
    }

    pub(super) fn failed(&self, doing: &'static str, source: io::Error) -> GateError {
        GateError::Io { doing, path: self.path.clone(), source }
    }
}

impl Stamp {
    fn of(metadata: &fs::Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Two changes within one tick of the clock may leave the same stamp; after a tick they cannot.
    fn is_old(&self, now: SystemTime) -> bool {
        let (seconds, nanoseconds) = self.changed;
        let changed = Duration::new(u64::try_from(seconds).unwrap_or(0), u32::try_from(nanoseconds).unwrap_or(0));
        now.duration_since(UNIX_EPOCH + changed).is_ok_and(|age| age >= SETTLED)
    }
}

impl Found {
    fn missing() -> Self {
        Self { stamp: None, settled: true, access: Ok(Access::default()) }
    }
}

fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_trusted_only_when_the_clock_has_moved_on() {
        let stamp = Stamp { device: 1, inode: 2, size: 3, modified: (0, 0), changed: (1000, 500_000_000) };
        let at = |ms| UNIX_EPOCH + Duration::from_millis(ms);
        for (now, old) in [(1_000_000, false), (1_000_500, false), (1_000_599, false), (1_000_600, true)] {
            assert_eq!(stamp.is_old(at(now)), old, "{now}");
        }
    }
}
