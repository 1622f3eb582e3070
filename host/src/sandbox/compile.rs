//! Compiling components: in a separate, limited process, once for each digest.
//!
//! A compiled component is native code that the host trusts, so it comes only from a directory that only the
//! user can write and only from this very engine (the file's name carries both digests). The compiler itself
//! works on hostile input, so it runs in a child with an empty environment and limits of its own.

use std::{
    fs,
    hash::{Hash, Hasher},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use rustix::{
    fs::OFlags,
    process::{Resource, Rlimit, setrlimit},
};
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt;
use wasmtime::Engine;

use super::engine;

/// The hidden subcommand that runs [`compile_child`].
pub const COMPILE_COMMAND: &str = "__compile";

/// The largest component that is compiled, in bytes.
pub const MAX_COMPONENT: u64 = 64 << 20;

const COMPILE_TIME: Duration = Duration::from_secs(120);
const COMPILE_MEMORY: u64 = 4 << 30;

/// The SHA-256 of a component's bytes, as `sha256:` and 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// The digest of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(format!("sha256:{}", hex::encode(Sha256::digest(bytes))))
    }

    /// The first twelve digits, for people.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(7..19).unwrap_or(&self.0)
    }

    fn digits(&self) -> &str {
        self.0.trim_start_matches("sha256:")
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a component could not be compiled.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// More bytes than are taken.
    #[error("it has {0} bytes; at most {MAX_COMPONENT} are taken")]
    TooLarge(u64),
    /// A directory, a pipe, a device.
    #[error("it is not a regular file")]
    NotAFile,
    /// The compiler refused it.
    #[error("it is not a WebAssembly component that can be run: {0}")]
    Invalid(String),
    /// The compiler's limits ended it.
    #[error("compiling it took more than {} s or {} GiB of memory", COMPILE_TIME.as_secs(), COMPILE_MEMORY >> 30)]
    Exhausted,
    /// The cache's directory could be written by somebody else.
    #[error("{} can be written by others; `chmod 700` it, or delete it", .0.display())]
    ExposedCache(PathBuf),
    /// The cache or the child process failed.
    #[error("compiling failed: {0}")]
    Io(#[from] io::Error),
}

/// Compiles components into a cache directory.
#[derive(Debug, Clone)]
pub struct Compiler {
    cache: PathBuf,
    program: PathBuf,
    engine_id: String,
}

impl Compiler {
    /// Takes the cache's directory (created 0700 if it is missing) and the program that knows [`COMPILE_COMMAND`].
    ///
    /// # Errors
    /// [`CompileError::ExposedCache`] if somebody else could write there, [`CompileError::Io`].
    pub fn new(cache: PathBuf, program: PathBuf, engine: &Engine) -> Result<Self, CompileError> {
        fs::create_dir_all(&cache)?;
        let meta = fs::metadata(&cache)?;
        if meta.uid() != rustix::process::geteuid().as_raw() {
            return Err(CompileError::ExposedCache(cache));
        }
        if meta.mode() & 0o077 != 0 {
            fs::set_permissions(&cache, fs::Permissions::from_mode(0o700))?;
        }
        let mut hasher = Sha256Hasher(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let engine_id = hex::encode(&hasher.0.finalize()[..8]);
        Ok(Self { cache, program, engine_id })
    }

    /// Where the compiled form of that component stands, once it is compiled.
    #[must_use]
    pub fn path(&self, digest: &Digest) -> PathBuf {
        self.cache.join(format!("{}-{}.cwasm", digest.digits(), self.engine_id))
    }

    /// The compiled form of `component`, compiled now if the cache has none.
    ///
    /// # Errors
    /// [`CompileError`].
    pub async fn compile(&self, component: &[u8]) -> Result<PathBuf, CompileError> {
        if component.len() as u64 > MAX_COMPONENT {
            return Err(CompileError::TooLarge(component.len() as u64));
        }
        looks_like_component(component)?;
        let path = self.path(&Digest::of(component));
        if path.is_file() {
            return Ok(path);
        }
        let output = tempfile::NamedTempFile::new_in(&self.cache)?;
        let mut child = tokio::process::Command::new(&self.program)
            .arg(COMPILE_COMMAND)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(output.reopen()?)
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdin = child.stdin.take();
        let ended = tokio::time::timeout(COMPILE_TIME, async {
            if let Some(mut stdin) = stdin {
                // A child that refuses early closes its end; its exit code says why.
                drop(stdin.write_all(component).await);
            }
            child.wait_with_output().await
        });
        let ended = ended.await.map_err(|_| CompileError::Exhausted)??;
        match ended.status.code() {
            Some(0) => {
                output.as_file().sync_all()?;
                output.persist(&path).map_err(|e| e.error)?;
                Ok(path)
            }
            Some(INVALID) => Err(CompileError::Invalid(String::from_utf8_lossy(&ended.stderr).trim().to_owned())),
            _ => Err(CompileError::Exhausted),
        }
    }
}

/// Says what people get wrong in words of theirs, before the compiler says it in its own.
fn looks_like_component(bytes: &[u8]) -> Result<(), CompileError> {
    // The preamble of the component model's binary format: magic, version, layer.
    let invalid = |reason: &str| Err(CompileError::Invalid(reason.into()));
    match bytes {
        [b'\0', b'a', b's', b'm', _, _, 1, 0, ..] => Ok(()),
        [b'\0', b'a', b's', b'm', 1, 0, 0, 0, ..] => {
            invalid("it is a core module; build it for wasm32-wasip2, or make a component of it with wasm-tools")
        }
        [b'\0', b'a', b's', b'm', ..] => invalid("its version of WebAssembly is not known here"),
        _ => invalid("it does not begin as WebAssembly does"),
    }
}

/// The exit code of a child that refused the component.
const INVALID: i32 = 3;

/// The child: reads a component from standard input, writes its compiled form to standard output.
/// Gives the process's exit code.
///
/// # Errors
/// If standard input or output fail.
pub fn compile_child() -> io::Result<i32> {
    for (resource, limit) in [
        (Resource::Cpu, COMPILE_TIME.as_secs()),
        (Resource::As, COMPILE_MEMORY),
        (Resource::Fsize, 1 << 30),
        (Resource::Core, 0),
        (Resource::Nofile, 64),
    ] {
        setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit) })?;
    }
    let mut component = Vec::new();
    io::stdin().lock().take(MAX_COMPONENT + 1).read_to_end(&mut component)?;
    let compiled = engine::engine(true).and_then(|engine| engine.precompile_component(&component));
    match compiled {
        Ok(native) => {
            let mut out = io::stdout().lock();
            out.write_all(&native)?;
            out.flush()?;
            Ok(0)
        }
        Err(error) => {
            let reason = format!("{error:#}");
            let reason: String = reason.chars().filter(|c| !c.is_control() || *c == '\n').take(600).collect();
            io::stderr().lock().write_all(reason.as_bytes())?;
            Ok(INVALID)
        }
    }
}

/// Reads a component, refusing early what is too large.
///
/// # Errors
/// [`CompileError::TooLarge`], [`CompileError::Io`].
pub fn read_component(path: &Path) -> Result<Vec<u8>, CompileError> {
    // Opening a pipe would wait for its other end.
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = fs::OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(CompileError::NotAFile);
    }
    let size = metadata.len();
    if size > MAX_COMPONENT {
        return Err(CompileError::TooLarge(size));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    file.take(MAX_COMPONENT + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 {
        n if n > MAX_COMPONENT => Err(CompileError::TooLarge(n)),
        _ => Ok(bytes),
    }
}

/// Lets the engine's description be hashed with a digest that is stable over processes.
struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn finish(&self) -> u64 {
        0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
}
