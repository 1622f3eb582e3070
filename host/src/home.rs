//! The user's directory: where everything of Sluicegate's stands, for the user's eyes alone.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use etcetera::BaseStrategy;

use crate::name::AdapterName;

/// The variable that names the home.
pub const HOME_VARIABLE: &str = "SLUICEGATE_HOME";

/// The home: a directory with mode 0700 and what stands in it.
#[derive(Debug, Clone)]
pub struct Home {
    root: PathBuf,
}

/// Why the home cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// Neither the variable nor the platform says where it is.
    #[error("no home directory is known: set {HOME_VARIABLE} to a directory")]
    Nowhere,
    /// Somebody else owns it.
    #[error("{} belongs to another user: set {HOME_VARIABLE} to a directory of your own", .0.display())]
    Foreign(PathBuf),
    /// It cannot be made or read.
    #[error("{}: {error}", path.display())]
    Io {
        /// What was touched.
        path: PathBuf,
        /// What happened.
        error: io::Error,
    },
}

impl Home {
    /// Finds the home by `SLUICEGATE_HOME`, else in the platform's configuration directory, and makes it if it
    /// is missing.
    ///
    /// # Errors
    /// [`HomeError`].
    pub fn open() -> Result<Self, HomeError> {
        let root = match std::env::var_os(HOME_VARIABLE) {
            Some(root) if !root.is_empty() => PathBuf::from(root),
            _ => etcetera::choose_base_strategy().map_err(|_| HomeError::Nowhere)?.config_dir().join("sluicegate"),
        };
        Self::at(&root)
    }

    /// The home at that path, made if it is missing.
    ///
    /// # Errors
    /// [`HomeError`].
    pub fn at(root: &Path) -> Result<Self, HomeError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |error| HomeError::Io { path, error }
        };
        private_dir(root).map_err(failed(root))?;
        let root = root.canonicalize().map_err(failed(root))?;
        if fs::metadata(&root).map_err(failed(&root))?.uid() != rustix::process::geteuid().as_raw() {
            return Err(HomeError::Foreign(root));
        }
        let home = Self { root };
        for dir in [home.adapters(), home.access_dir(), home.secrets_dir(), home.inbox(), home.log_dir()] {
            private_dir(&dir).map_err(failed(&dir))?;
        }
        Ok(home)
    }

    /// The directory itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }
    /// `config.toml`.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.root.join("config.toml")
    }
    /// `adapters/`, where components are dropped.
    #[must_use]
    pub fn adapters(&self) -> PathBuf {
        self.root.join("adapters")
    }
    /// `grants.toml`.
    #[must_use]
    pub fn grants(&self) -> PathBuf {
        self.root.join("grants.toml")
    }
    fn access_dir(&self) -> PathBuf {
        self.root.join("access")
    }
    /// `access/<name>.json`.
    #[must_use]
    pub fn access(&self, name: &AdapterName) -> PathBuf {
        self.access_dir().join(format!("{name}.json"))
    }
    fn secrets_dir(&self) -> PathBuf {
        self.root.join("secrets")
    }
    /// `secrets/<name>.env`.
    #[must_use]
    pub fn secrets(&self, name: &AdapterName) -> PathBuf {
        self.secrets_dir().join(format!("{name}.env"))
    }
    /// `inbox/`, with a directory for each adapter.
    #[must_use]
    pub fn inbox(&self) -> PathBuf {
        self.root.join("inbox")
    }
    /// `journal.db`.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.root.join("journal.db")
    }
    /// `log/`.
    #[must_use]
    pub fn log_dir(&self) -> PathBuf {
        self.root.join("log")
    }
    /// `cache/`, compiled components.
    #[must_use]
    pub fn cache(&self) -> PathBuf {
        self.root.join("cache")
    }
    /// The socket on which the leading process answers the command line.
    #[must_use]
    pub fn control(&self) -> PathBuf {
        self.root.join("control.sock")
    }
    /// The token that opens the pages of this home; made at the first call.
    ///
    /// # Errors
    /// If it cannot be read or written.
    pub fn page_token(&self) -> io::Result<String> {
        let path = self.secrets_dir().join("page.token");
        match fs::read_to_string(&path) {
            Ok(token) if token.len() >= 32 => return Ok(token),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let token = random_hex::<24>()?;
        write_private(&path, token.as_bytes())?;
        Ok(token)
    }

    /// Takes the lead of this home, for as long as the result lives.
    ///
    /// # Errors
    /// [`LeadError::Led`] with who leads, if another process does.
    pub fn lead(&self) -> Result<Lead, LeadError> {
        let path = self.root.join("lead.lock");
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        match file.try_lock() {
            Ok(()) => {
                file.set_len(0)?;
                file.rewind()?;
                write!(file, "{}", std::process::id())?;
                file.flush()?;
                Ok(Lead { _file: file })
            }
            Err(fs::TryLockError::WouldBlock) => {
                let mut pid = String::new();
                file.take(20).read_to_string(&mut pid)?;
                Err(LeadError::Led { pid: pid.trim().parse().ok() })
            }
            Err(fs::TryLockError::Error(error)) => Err(LeadError::Io(error)),
        }
    }
}

/// The lead of a home; ends with the process at the latest.
#[derive(Debug)]
pub struct Lead {
    _file: File,
}

/// Why the lead could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum LeadError {
    /// Another process has it.
    #[error("another sluicegate {} leads this home", .pid.map_or_else(String::new, |pid| format!("(process {pid})")))]
    Led {
        /// Its process id, as far as it is known.
        pid: Option<u32>,
    },
    /// The lock could not be taken or read.
    #[error("lead.lock: {0}")]
    Io(#[from] io::Error),
}

/// Makes a directory that only the user can enter, or narrows one that is there.
///
/// # Errors
/// What the file system says.
pub fn private_dir(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        let mode = fs::metadata(path)?.mode();
        if mode & 0o077 != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
        }
        return Ok(());
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes a file that only the user can read: whole or not at all.
///
/// # Errors
/// What the file system says.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let dir = path.parent().ok_or_else(|| io::Error::other("a file needs a directory"))?;
    // Temporary files are made with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(dir)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// `BYTES` random bytes, as hexadecimal digits.
///
/// # Errors
/// If the system has no randomness.
pub fn random_hex<const BYTES: usize>() -> io::Result<String> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(hex::encode(bytes))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_home_and_its_files_are_the_users_alone() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("home");
        fs::create_dir(&root).unwrap();
        fs::set_permissions(&root, fs::Permissions::from_mode(0o755)).unwrap();
        let home = Home::at(&root).unwrap();
        home.page_token().unwrap();
        for path in [root.clone(), home.adapters(), home.inbox(), home.log_dir()] {
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700, "{}", path.display());
        }
        let token = root.join("secrets/page.token");
        assert_eq!(fs::metadata(token).unwrap().mode() & 0o777, 0o600);
        assert_eq!(home.page_token().unwrap(), home.page_token().unwrap());
    }

    #[test]
    fn one_process_leads() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path()).unwrap();
        let lead = home.lead().unwrap();
        assert!(matches!(home.lead(), Err(LeadError::Led { pid: Some(pid) }) if pid == std::process::id()));
        drop(lead);
        assert!(home.lead().is_ok());
    }
}
