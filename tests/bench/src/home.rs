//! A throw-away home of Sluicegate's, in which adapters are allowed to run.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

use crate::server::ServerCommand;

/// A fresh home and the program that uses it. Dropping it removes the home.
#[derive(Debug)]
pub(crate) struct Home {
    directory: TempDir,
    program: PathBuf,
    /// What the program gets beside the inherited environment.
    environment: Vec<(String, String)>,
}

impl Home {
    /// A home with this `config.toml`, in which adapters find the secrets in the variables `secrets`.
    ///
    /// # Errors
    /// If the program does not exist or the home cannot be made.
    pub(crate) fn new(program: &Path, configuration: &str, secrets: &[(&str, &str)]) -> Result<Self> {
        let program =
            absolute(program).context("build sluicegate with `cargo build --release`, or give --sluicegate")?;
        let directory = tempfile::Builder::new().prefix("sluicegate-bench-").tempdir()?;
        let path = directory.path().join("config.toml");
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(configuration.as_bytes())?;
        let mut environment = vec![("SLUICEGATE_HOME".to_owned(), directory.path().display().to_string())];
        environment.extend(secrets.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Ok(Self { directory, program, environment })
    }

    /// Puts a component where adapters are dropped.
    pub(crate) fn drop_component(&self, name: &str, component: &[u8]) -> Result<()> {
        let adapters = self.directory.path().join("adapters");
        fs::create_dir_all(&adapters)?;
        fs::write(adapters.join(format!("{name}.wasm")), component)?;
        Ok(())
    }

    /// Lets the adapter of that name run; its component is compiled for that.
    pub(crate) fn allow(&self, name: &str) -> Result<()> {
        self.run(&["allow", name, "--yes"]).map(drop)
    }

    /// What a subcommand prints.
    ///
    /// # Errors
    /// If it fails; the message ends with what it wrote to standard error.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<Vec<u8>> {
        let Output { status, stdout, stderr } = Command::new(&self.program)
            .args(arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .output()
            .with_context(|| format!("cannot start {}", self.program.display()))?;
        let stderr = String::from_utf8_lossy(&stderr);
        ensure!(status.success(), "`sluicegate {}` failed ({status}): {stderr}", arguments.join(" "));
        Ok(stdout)
    }

    /// The command that serves a session; `name` is what tables and messages call it.
    pub(crate) fn serve(&self, name: &str) -> ServerCommand {
        ServerCommand {
            name: name.to_owned(),
            program: self.program.clone(),
            arguments: vec!["serve".to_owned()],
            environment: self.environment.clone(),
            directory: None,
        }
    }
}

/// The full path of something that is there.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf> {
    path.canonicalize().with_context(|| format!("{} does not exist", path.display()))
}
