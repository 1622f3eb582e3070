//! What is there: the bundled components and the files in `adapters/`, each examined once.

use std::{
    borrow::Cow,
    collections::HashMap,
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use super::bundled;
use crate::{
    grants::{Grant, Grants},
    home::{Home, write_private},
    limits::Limits,
    manifest::{Contract, Manifest},
    name::AdapterName,
    sandbox::{CompileError, Compiler, Digest, LoadError, Loaded, Sandbox, read_component},
};

/// Where a component comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// It came with Sluicegate.
    Bundled(&'static str),
    /// A file, with its full path.
    File(PathBuf),
}

impl Origin {
    /// The file's name, or that there is none.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Bundled(_) => "bundled".into(),
            Self::File(path) => path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
        }
    }
}

/// A component that is there, and what it says of itself.
#[derive(Clone)]
pub struct Candidate {
    /// Where it comes from.
    pub origin: Origin,
    /// Its digest; none where it could not even be read.
    pub digest: Option<Digest>,
    /// What it says of itself, or why it cannot be used.
    pub said: Result<Said, String>,
}

/// What a component says of itself.
#[derive(Clone)]
pub struct Said {
    /// The manifest as it came.
    pub text: String,
    /// The manifest with its platform.
    pub contract: Arc<Contract>,
}

impl Said {
    /// Reads a manifest's text.
    ///
    /// # Errors
    /// A text that names the key and the line.
    pub fn parse(text: String) -> Result<Self, String> {
        let contract =
            Manifest::parse(&text).and_then(Manifest::resolve).map_err(|error| format!("its manifest: {error}"))?;
        Ok(Self { text, contract: Arc::new(contract) })
    }
}

impl Candidate {
    /// The name that it gives itself, if it can be used.
    #[must_use]
    pub fn name(&self) -> Option<&AdapterName> {
        self.said.as_ref().ok().map(|said| &said.contract.manifest.name)
    }

    /// The component itself, as it is there now.
    ///
    /// # Errors
    /// [`CompileError`] if it cannot be read or is too large.
    pub fn bytes(&self) -> Result<Cow<'static, [u8]>, CompileError> {
        match &self.origin {
            Origin::Bundled(name) => Ok(bundled::component(name).unwrap_or_default().into()),
            Origin::File(path) => read_component(path).map(Cow::Owned),
        }
    }
}

/// Examines components and prepares them.
pub struct Catalogue {
    sandbox: Arc<Sandbox>,
    compiler: Compiler,
    home: Home,
    /// Digests of files that have not changed since.
    digests: Mutex<HashMap<PathBuf, (Stamp, Digest)>>,
    /// Components that cannot be used, with the reason: they are not compiled again in this process.
    refused: Mutex<HashMap<Digest, String>>,
}

impl Catalogue {
    /// The catalogue of a home.
    #[must_use]
    pub fn new(home: Home, sandbox: Arc<Sandbox>, compiler: Compiler) -> Self {
        Self { sandbox, compiler, home, digests: Mutex::default(), refused: Mutex::default() }
    }

    /// What comes with Sluicegate, and the files that are known from before. Quick: nothing unknown is compiled.
    pub async fn look_at_known(&self, grants: &Grants) -> Vec<Candidate> {
        self.look_at(grants, false).await
    }

    /// Everything that is there. A file that cannot be used is there too, with the reason. A file that is seen for the
    /// first time is compiled, which may take as long as its limits allow.
    pub async fn look(&self, grants: &Grants) -> Vec<Candidate> {
        self.look_at(grants, true).await
    }

    async fn look_at(&self, grants: &Grants, unknown: bool) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        for (name, component) in bundled::BUNDLED {
            candidates.push(self.examine_bytes(Origin::Bundled(name), component, grants).await);
        }
        let mut files: Vec<PathBuf> = match fs::read_dir(self.home.adapters()) {
            Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
            Err(_) => Vec::new(),
        };
        files.retain(|path| path.extension().is_some_and(|extension| extension == "wasm"));
        files.sort();
        for path in files {
            if unknown || self.is_known(&path, grants) {
                candidates.push(self.examine(&path, grants).await);
            }
        }
        candidates
    }

    fn is_known(&self, path: &Path, grants: &Grants) -> bool {
        let digest = self.unchanged(path).or_else(|| {
            let digest = Digest::of(&read_component(path).ok()?);
            self.note(path, &digest);
            Some(digest)
        });
        digest.is_some_and(|digest| self.remembered(&digest, grants).is_some())
    }

    /// Notes the digest of a file for as long as it does not change.
    fn note(&self, path: &Path, digest: &Digest) {
        if let Ok(stamp) = stamp(path) {
            let mut digests = self.digests.lock().unwrap_or_else(PoisonError::into_inner);
            digests.insert(path.to_owned(), (stamp, digest.clone()));
        }
    }

    /// One file.
    pub async fn examine(&self, path: &Path, grants: &Grants) -> Candidate {
        let origin = Origin::File(path.to_owned());
        if let Some(digest) = self.unchanged(path)
            && let Some(said) = self.remembered(&digest, grants)
        {
            return Candidate { origin, digest: Some(digest), said };
        }
        match read_component(path) {
            Ok(bytes) => {
                let candidate = self.examine_bytes(origin, &bytes, grants).await;
                if let Some(digest) = &candidate.digest {
                    self.note(path, digest);
                }
                candidate
            }
            Err(error) => Candidate { origin, digest: None, said: Err(error.to_string()) },
        }
    }

    async fn examine_bytes(&self, origin: Origin, bytes: &[u8], grants: &Grants) -> Candidate {
        let digest = Digest::of(bytes);
        let said = match self.remembered(&digest, grants) {
            Some(said) => said,
            None => self.ask(&digest, bytes).await,
        };
        Candidate { origin, digest: Some(digest), said }
    }

    /// `manifest()` runs once for a component; afterwards its answer is what was written down.
    fn remembered(&self, digest: &Digest, grants: &Grants) -> Option<Result<Said, String>> {
        let granted = grants.iter().find(|(_, grant)| grant.digest == *digest).map(|(_, grant)| grant.manifest.clone());
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner).get(digest).cloned();
        if let Some(reason) = refused {
            return Some(Err(reason));
        }
        let text = match granted {
            Some(text) => text,
            None => fs::read_to_string(self.manifest_path(digest)).ok()?,
        };
        Some(Said::parse(text))
    }

    async fn ask(&self, digest: &Digest, bytes: &[u8]) -> Result<Said, String> {
        let refuse = |reason: String| {
            self.refused.lock().unwrap_or_else(PoisonError::into_inner).insert(digest.clone(), reason.clone());
            reason
        };
        let compiled = match self.compiler.compile(bytes).await {
            // That may pass.
            Err(error @ CompileError::Io(_)) => return Err(error.to_string()),
            compiled => compiled.map_err(|error| refuse(error.to_string()))?,
        };
        let loaded = self.sandbox.load(&compiled).map_err(|error| refuse(error.to_string()))?;
        let text = loaded.manifest(&Limits::default()).await;
        let text = text.map_err(|error| refuse(format!("its manifest(): {error}")))?;
        let said = Said::parse(text).map_err(refuse)?;
        let kept = write_private(&self.manifest_path(digest), said.text.as_bytes());
        kept.map_err(|error| format!("its manifest could not be kept: {error}"))?;
        Ok(said)
    }

    fn manifest_path(&self, digest: &Digest) -> PathBuf {
        self.compiler.path(digest).with_extension("manifest.toml")
    }

    fn unchanged(&self, path: &Path) -> Option<Digest> {
        let now = stamp(path).ok()?;
        let digests = self.digests.lock().unwrap_or_else(PoisonError::into_inner);
        digests.get(path).filter(|(then, _)| *then == now).map(|(_, digest)| digest.clone())
    }

    /// Prepares a granted candidate. The digest is checked on the very bytes that are compiled.
    ///
    /// # Errors
    /// A text with the reason.
    pub async fn load(&self, candidate: &Candidate, grant: &Grant) -> Result<Loaded, String> {
        let digest = candidate.digest.as_ref().ok_or("it could not be read")?;
        if *digest != grant.digest && !grant.bundled {
            return Err("its digest is not the one that was granted".into());
        }
        let compiled = self.compiler.path(digest);
        if compiled.is_file() {
            match self.sandbox.load(&compiled) {
                // Made on another machine, or damaged: it is made anew.
                Err(error @ LoadError::Cached(_)) => {
                    tracing::warn!("{error}");
                    fs::remove_file(&compiled).map_err(|error| error.to_string())?;
                }
                loaded => return loaded.map_err(|error| error.to_string()),
            }
        }
        let bytes = candidate.bytes().map_err(|error| error.to_string())?;
        if Digest::of(&bytes) != *digest {
            return Err("it changed while it was read".into());
        }
        let compiled = self.compiler.compile(&bytes).await.map_err(|error| error.to_string())?;
        self.sandbox.load(&compiled).map_err(|error| error.to_string())
    }
}

/// Time in seconds and nanoseconds, size and inode.
type Stamp = (i64, i64, u64, u64);

fn stamp(path: &Path) -> io::Result<Stamp> {
    let meta = fs::metadata(path)?;
    Ok((meta.mtime(), meta.mtime_nsec(), meta.len(), meta.ino()))
}
