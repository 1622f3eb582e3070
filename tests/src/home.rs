//! A throw-away home, and the command line on it.

use std::{
    collections::BTreeMap,
    env, fs,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    thread,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Guest, binary::binary, cache, http, http::Request, port::Port, sign::Signer};

/// A home of its own, a port of its own and a project directory to run in.
#[derive(Debug)]
pub struct Home {
    dir: TempDir,
    port: Port,
    top: Vec<String>,
    tables: Vec<String>,
    variables: BTreeMap<String, String>,
}

/// How a command ended.
#[derive(Debug)]
pub struct Run {
    /// Its status.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Run {
    /// Both outputs.
    pub fn output(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// The same, if it succeeded.
    ///
    /// # Panics
    /// If it did not.
    #[must_use]
    pub fn success(self) -> Self {
        assert!(self.status.success(), "{}\n{}", self.status, self.output());
        self
    }

    /// The same, if it failed without a panic.
    ///
    /// # Panics
    /// If it succeeded or crashed.
    #[must_use]
    pub fn failure(self) -> Self {
        assert!(self.status.code().is_some_and(|code| code != 0 && code != 101), "{}\n{}", self.status, self.output());
        self
    }

    /// Its standard output as JSON.
    ///
    /// # Panics
    /// If it is not.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.output()))
    }
}

/// The bearer token of the credential `ci` that [`Home::with`] configures.
pub const TOKEN: &str = "mF_9.B5f-4.1JqM";

impl Default for Home {
    fn default() -> Self {
        Self::new()
    }
}

impl Home {
    /// An empty home; the guests are already compiled in its cache.
    ///
    /// # Panics
    /// If it cannot be made.
    pub fn new() -> Self {
        let home = Self::cold();
        cache::share_with(&home.path());
        home
    }

    /// An empty home in which nothing is compiled yet.
    ///
    /// # Panics
    /// If it cannot be made.
    pub fn cold() -> Self {
        let dir = tempfile::tempdir().expect("the directory for temporary files can be written");
        let mut private = fs::DirBuilder::new();
        private.mode(0o700);
        for name in ["home", "home/adapters", "home/access", "home/keys", "project", "user"] {
            private.create(dir.path().join(name)).expect("the home can be made");
        }
        let home = Self { dir, port: Port::reserve(), top: Vec::new(), tables: Vec::new(), variables: BTreeMap::new() };
        home.write_config();
        home
    }

    /// A home in which that guest is allowed, its credential `ci` shows the bearer [`TOKEN`], and alice may speak.
    ///
    /// # Panics
    /// If any of it fails.
    pub fn with(guest: &Guest) -> Self {
        let mut home = Self::new();
        home.install(guest);
        home
    }

    /// Adds a guest as [`Home::with`] does.
    ///
    /// # Panics
    /// If any of it fails.
    pub fn install(&mut self, guest: &Guest) {
        self.drop_adapter(guest);
        self.allow(&guest.name);
        self.bearer(&guest.name, "ci", TOKEN);
        self.admit(&guest.name, &["alice"]);
    }

    /// The directory.
    pub fn path(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    /// The session's directory.
    pub fn project(&self) -> PathBuf {
        self.dir.path().join("project")
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// Adds a line to the top of `config.toml`.
    pub fn set(&mut self, line: &str) {
        self.top.push(line.to_owned());
        self.write_config();
    }

    /// Adds a table to `config.toml`.
    pub fn table(&mut self, table: &str) {
        self.tables.push(table.to_owned());
        self.write_config();
    }

    /// Puts another table in the place of the one that begins so.
    ///
    /// # Panics
    /// If there is none.
    pub fn replace_table(&mut self, beginning: &str, table: &str) {
        let there = self.tables.iter_mut().find(|there| there.starts_with(beginning));
        table.clone_into(there.expect("there is such a table"));
        self.write_config();
    }

    /// Sets a variable in the environment of everything that is run on the home.
    pub fn variable(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    fn write_config(&self) {
        let mut config = format!("listen = \"127.0.0.1:{}\"\n", self.port());
        if env::var("SLUICEGATE_TEST_FRESH").is_ok_and(|fresh| fresh == "1") {
            config.push_str("reuse-instances = false\n");
        }
        for line in &self.top {
            config.push_str(line);
            config.push('\n');
        }
        for table in &self.tables {
            config.push('\n');
            config.push_str(table);
            config.push('\n');
        }
        self.write("config.toml", config.as_bytes());
    }

    /// Lets a platform post to an adapter's routes under that name.
    pub fn credential(&mut self, adapter: &str, name: &str, signer: &Signer) {
        self.secret_file(adapter, name, signer.scheme.word(), &signer.secret());
    }

    /// Lets whoever shows the token post to an adapter's routes under that name.
    pub fn bearer(&mut self, adapter: &str, name: &str, token: &str) {
        self.secret_file(adapter, name, "bearer", token);
    }

    fn secret_file(&mut self, adapter: &str, name: &str, scheme: &str, secret: &str) {
        let file = format!("keys/{adapter}.{name}");
        self.write(&file, secret.as_bytes());
        self.table(&format!(
            "[adapters.{adapter}.credentials.{name}]\nscheme = \"{scheme}\"\nsecret = {{ file = \"{file}\" }}"
        ));
    }

    /// Puts a component into `adapters/`, under the guest's name.
    pub fn drop_adapter(&self, guest: &Guest) {
        self.drop_file(&format!("{}.wasm", guest.name), &guest.component);
    }

    /// Puts a file into `adapters/`, whole at once.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn drop_file(&self, name: &str, bytes: &[u8]) {
        let adapters = self.path().join("adapters");
        let partial = adapters.join(format!(".{name}.partial"));
        fs::write(&partial, bytes).expect("the home can be written");
        fs::rename(partial, adapters.join(name)).expect("the home can be written");
    }

    /// `sluicegate allow NAME --yes`.
    ///
    /// # Panics
    /// If it fails.
    pub fn allow(&self, name: &str) {
        drop(self.run(&["allow", name, "--yes"]).success());
    }

    /// Writes the adapter's access file: these may speak, nobody may pair.
    pub fn admit(&self, adapter: &str, senders: &[&str]) {
        self.access(adapter, &json!({ "dmPolicy": "allowlist", "allowFrom": senders, "groups": {}, "pending": {} }));
    }

    /// Writes the adapter's access file.
    pub fn access(&self, adapter: &str, access: &Value) {
        self.write(&format!("access/{adapter}.json"), access.to_string().as_bytes());
    }

    fn write(&self, file: &str, bytes: &[u8]) {
        let mut options = fs::OpenOptions::new();
        options.create(true).truncate(true).write(true).mode(0o600);
        let written = options.open(self.path().join(file)).and_then(|mut file| file.write_all(bytes));
        written.expect("the home can be written");
    }

    /// Runs `sluicegate` with these arguments and nothing on its standard input.
    pub fn run(&self, arguments: &[&str]) -> Run {
        self.run_with(arguments, b"")
    }

    /// Runs `sluicegate` with these arguments and that on its standard input.
    ///
    /// # Panics
    /// If it cannot be run.
    pub fn run_with(&self, arguments: &[&str], input: &[u8]) -> Run {
        let mut command = Command::new(binary());
        self.surround(&mut command);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary can be run");
        let mut stdin = child.stdin.take().expect("the input is a pipe");
        let input = input.to_vec();
        // A command that reads nothing may have ended before.
        let writer = thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().expect("the command is a child");
        writer.join().expect("the writer ends");
        Run {
            status: output.status,
            stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Another program, with the home and the project as `sluicegate` gets them.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        self.surround(&mut command);
        command
    }

    /// Gives a command the home, the project as its directory, and no more of this process than it needs.
    pub(crate) fn surround(&self, command: &mut Command) {
        command.env_clear().current_dir(self.project());
        command.env("SLUICEGATE_HOME", self.path()).env("HOME", self.dir.path().join("user"));
        for kept in ["PATH", "TMPDIR", "LLVM_PROFILE_FILE"] {
            if let Some(value) = env::var_os(kept) {
                command.env(kept, value);
            }
        }
        command.envs(&self.variables);
    }

    /// How the process stands that leads the home, as `status --json` has it; `null` if none does.
    pub fn leader(&self) -> Value {
        self.run(&["status", "--json"]).success().json()["leader"].take()
    }

    /// The events that failed for good, as `status --json` has them.
    ///
    /// # Panics
    /// If it has none.
    pub fn dead_letters(&self) -> Vec<Value> {
        let status = self.run(&["status", "--json"]).success().json();
        status["dead_letters"].as_array().expect("status has dead letters").clone()
    }

    /// Posts JSON to an adapter's route, as its credential `ci`.
    pub fn post(&self, adapter: &str, body: &Value) -> http::Response {
        self.request(adapter, body).send(self.port())
    }

    /// The request of [`Home::post`].
    pub fn request(&self, adapter: &str, body: &Value) -> Request {
        http::post(&format!("/{adapter}/ci"), body).bearer(TOKEN)
    }

    /// Everything in `log/`.
    pub fn log(&self) -> String {
        let Ok(entries) = fs::read_dir(self.path().join("log")) else { return String::new() };
        let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        files.sort();
        files.iter().map(|file| String::from_utf8_lossy(&fs::read(file).unwrap_or_default()).into_owned()).collect()
    }

    /// The token that opens the pages.
    ///
    /// # Panics
    /// If there is none.
    pub fn page_token(&self) -> String {
        fs::read_to_string(self.path().join("secrets/page.token")).expect("the home has a page token")
    }

    /// All files and directories in the home.
    pub fn tree(&self) -> Vec<PathBuf> {
        fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(dir).expect("the home can be read").flatten() {
                found.push(entry.path());
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    walk(&entry.path(), found);
                }
            }
        }
        let mut found = vec![self.path()];
        walk(&self.path(), &mut found);
        found
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if thread::panicking() {
            let log = self.log();
            let tail = log.len().saturating_sub(8000);
            let tail = log.ceil_char_boundary(tail);
            eprintln!("--- the home's log ---\n{}---", &log[tail..]);
        }
    }
}
