//! Addressing a socket whose path is longer than an address may be.

use std::{
    io,
    path::{Path, PathBuf},
};

/// The most bytes of a path in `sockaddr_un`, without the closing zero, on the strictest platform.
const MOST: usize = 103;

/// A path that addresses the same socket and is short enough; good while this lives.
pub(super) struct Address {
    path: PathBuf,
    #[cfg(target_os = "linux")]
    _directory: Option<std::fs::File>,
}

impl Address {
    /// # Errors
    /// If the directory cannot be opened, or the path is too long and the platform offers no way around.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        if path.as_os_str().len() <= MOST {
            return Ok(Self {
                path: path.to_owned(),
                #[cfg(target_os = "linux")]
                _directory: None,
            });
        }
        Self::around(path)
    }

    #[cfg(target_os = "linux")]
    fn around(path: &Path) -> io::Result<Self> {
        use std::os::fd::AsRawFd as _;
        let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        };
        let directory = std::fs::File::open(directory)?;
        let path = Path::new("/proc/self/fd").join(directory.as_raw_fd().to_string()).join(name);
        Ok(Self { path, _directory: Some(directory) })
    }

    #[cfg(not(target_os = "linux"))]
    fn around(path: &Path) -> io::Result<Self> {
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{} is longer than a socket's address may be: choose a shorter home", path.display()),
        ))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}
