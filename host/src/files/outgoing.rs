//! Which of the user's files may leave.
//!
//! The path is resolved with symbolic links followed, and then opened directory by directory without
//! following any. Whether the file lies under an allowed root, and not in Sluicegate's own directory, is
//! decided by the identity (device and inode) of the directories passed on the way. So neither `..`, nor upper
//! and lower case, nor a link that is put in between check and use changes the answer: the file that was
//! checked is the file that is open.
//!
//! Files that hold credentials stay, by their names and by their contents as far as those are looked into: archives
//! are not.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Component, Path, PathBuf},
};

use rustix::{
    fs::{CWD, Mode, OFlags, openat},
    io::Errno,
};

use super::{contents::secret_in, credentials::telltale, name::safe_name, store::split_id};

/// How a directory is opened only to pass through it.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
const PASS: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
const PASS: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// How the file itself is opened: never through a link, and without waiting for the other end of a pipe.
const READ: OFlags =
    OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// The rule for one adapter's outgoing files.
#[derive(Debug, Clone)]
pub struct Outgoing {
    roots: Vec<PathBuf>,
    home: PathBuf,
    inbox: PathBuf,
    max_bytes: u64,
}

/// A file that may leave, open at what was checked.
#[derive(Debug)]
pub struct Checked {
    /// Open for reading, at the beginning.
    pub file: File,
    /// Where it stood, with all links resolved.
    pub path: PathBuf,
    /// A safe form of its name.
    pub name: String,
    /// By its name; `application/octet-stream` if that tells nothing.
    pub media_type: String,
    /// Bytes.
    pub size: u64,
}

/// Why a file does not leave. The text is for Claude and the user and says how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The path is relative.
    #[error("the path must be absolute: give the file's whole path")]
    NotAbsolute,
    /// Nothing is there.
    #[error("there is no such file: check the path")]
    NotFound,
    /// The file system does not give it.
    #[error("the file cannot be read ({0}): check its permissions")]
    Unreadable(io::ErrorKind),
    /// A directory, a device, a pipe or a socket.
    #[error("this is not a regular file: send a file, or pack a directory into an archive first")]
    NotAFile,
    /// It is not under any root.
    #[error(
        "the file is outside the directories that files may leave from: copy it into one of them, or ask the user \
         to extend `file-roots` in config.toml ({})", shown(.roots)
    )]
    Outside {
        /// The directories that files may leave from.
        roots: Vec<PathBuf>,
    },
    /// It is in Sluicegate's own directory and not in this adapter's inbox.
    #[error("files of Sluicegate's own directory never leave, except those in this channel's inbox")]
    Own,
    /// Its name says that it holds credentials.
    #[error("{telltale:?} is a name of files that hold credentials, and such files never leave through a channel")]
    Credentials {
        /// The part of the path that says so.
        telltale: String,
    },
    /// It holds a key or a token, whatever its name says.
    #[error("the file holds {what}, and secrets never leave through a channel: take it out, and send the rest")]
    Secret {
        /// What looks like one; never the thing itself.
        what: &'static str,
    },
    /// It is too large.
    #[error(
        "the file has {size} bytes and at most {max} may leave: send a smaller one, or raise `file-mib` in config.toml"
    )]
    TooLarge {
        /// Its bytes.
        size: u64,
        /// Most bytes.
        max: u64,
    },
    /// A link was put in the way while the file was checked.
    #[error("the file was moved while it was checked: try again")]
    Changed,
}

impl Outgoing {
    /// `roots`: the directories that files may leave from. `home`: Sluicegate's own directory. `inbox`: this
    /// adapter's part of it, from which files may leave too. `max_bytes`: most bytes of one file.
    ///
    /// Links in these paths are followed at each check, and what is not there allows nothing.
    #[must_use]
    pub fn new(roots: Vec<PathBuf>, home: PathBuf, inbox: PathBuf, max_bytes: u64) -> Self {
        Self { roots, home, inbox, max_bytes }
    }

    /// Checks and opens a file that Claude named.
    ///
    /// This touches the disk; call it where blocking is allowed.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn check(&self, path: &Path) -> Result<Checked, Refused> {
        if !path.is_absolute() {
            return Err(Refused::NotAbsolute);
        }
        no_credentials(path)?;
        let resolved = path.canonicalize().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Refused::NotFound,
            kind => Refused::Unreadable(kind),
        })?;
        no_credentials(&resolved)?;
        let (file, in_inbox) = self.open(&resolved)?;
        let file_name = resolved.file_name().unwrap_or_default().to_string_lossy();
        // In the inbox, the id of a kept file stands before its name.
        let file_name = match split_id(&file_name).filter(|_| in_inbox) {
            Some((_, name)) => name,
            None => &file_name,
        };
        no_credentials(Path::new(file_name))?;
        let found = file.metadata().map_err(unreadable)?;
        if !found.is_file() {
            return Err(Refused::NotAFile);
        }
        let size = found.len();
        if size > self.max_bytes {
            return Err(Refused::TooLarge { size, max: self.max_bytes });
        }
        if let Some(what) = secret_in(&file, size).map_err(unreadable)? {
            return Err(Refused::Secret { what });
        }
        let name = safe_name(file_name);
        let media_type = mime_guess::from_path(&name).first_raw().unwrap_or("application/octet-stream").to_owned();
        Ok(Checked { file, path: resolved, name, media_type, size })
    }

    /// Opens a resolved path, if the directories passed on the way allow it, and says whether it is in the inbox.
    fn open(&self, resolved: &Path) -> Result<(File, bool), Refused> {
        let names: Vec<_> = resolved
            .components()
            .filter_map(|part| match part {
                Component::Normal(name) => Some(name),
                _ => None,
            })
            .collect();
        let (file, directories) = names.split_last().ok_or(Refused::NotAFile)?;
        // The kernel's own files are regular ones by their looks.
        if matches!(names[0].as_bytes(), b"proc" | b"sys" | b"dev") {
            return Err(Refused::NotAFile);
        }
        let (roots, home, inbox) = (identities(&self.roots), identities([&self.home]), identities([&self.inbox]));
        let (mut in_root, mut in_home, mut in_inbox) = (false, false, false);
        let mut pass = |directory: &File| {
            let here = directory.metadata().map(|found| identity(&found)).map_err(unreadable)?;
            in_root |= roots.contains(&here);
            in_home |= home.contains(&here);
            in_inbox |= inbox.contains(&here);
            Ok(())
        };
        let mut here = step(None, OsStr::new("/"), PASS)?;
        pass(&here)?;
        for name in directories {
            here = step(Some(&here), name, PASS)?;
            pass(&here)?;
        }
        if in_inbox {
            // Notes and unfinished files are the host's own.
            if file.as_bytes().starts_with(b".") {
                return Err(Refused::Own);
            }
        } else if in_home {
            return Err(Refused::Own);
        } else if !in_root {
            return Err(Refused::Outside { roots: self.roots.clone() });
        }
        Ok((step(Some(&here), file, READ)?, in_inbox))
    }
}

fn no_credentials(path: &Path) -> Result<(), Refused> {
    telltale(path).map_or(Ok(()), |telltale| Err(Refused::Credentials { telltale }))
}

/// Device and inode of the directories that are there.
fn identities<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Vec<(u64, u64)> {
    paths.into_iter().filter_map(|path| fs::metadata(path).ok()).map(|found| identity(&found)).collect()
}

fn identity(found: &fs::Metadata) -> (u64, u64) {
    (found.dev(), found.ino())
}

fn step(directory: Option<&File>, name: &OsStr, flags: OFlags) -> Result<File, Refused> {
    let opened = match directory {
        Some(directory) => openat(directory, name, flags, Mode::empty()),
        None => openat(CWD, name, flags, Mode::empty()),
    };
    opened.map(File::from).map_err(changed)
}

fn unreadable(error: impl Into<io::Error>) -> Refused {
    Refused::Unreadable(error.into().kind())
}

/// A resolved path has no links, so one that is there now was put there meanwhile.
fn changed(error: Errno) -> Refused {
    match error {
        Errno::LOOP | Errno::NOTDIR | Errno::NOENT => Refused::Changed,
        // Of sockets, and of devices without a driver.
        Errno::NXIO | Errno::NODEV => Refused::NotAFile,
        error => unreadable(error),
    }
}

fn shown(roots: &[PathBuf]) -> String {
    roots.iter().map(|root| root.display().to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
#[path = "outgoing_tests.rs"]
mod tests;
