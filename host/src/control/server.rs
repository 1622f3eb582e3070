//! The leading process's end of the control socket.

use std::{
    fs, io,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixListener, UnixStream},
    sync::Semaphore,
    task::JoinSet,
    time::timeout,
};

use super::{
    Answer, Request, RetryOutcome, Status,
    path::Address,
    protocol::{MAX_ANSWER, MAX_REQUEST},
};
use crate::name::AdapterName;

/// How long a client may take to send its request, and to take the answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Connections served at a time; further ones wait.
const AT_ONCE: usize = 16;

/// What the command line can do with the process that leads. Errors are texts for the user.
pub trait Controlled: Send + Sync + 'static {
    /// How it stands.
    fn status(&self) -> impl Future<Output = Status> + Send;

    /// Looks at adapters, grants, settings and secrets again; returns when what they say runs.
    fn reload(&self) -> impl Future<Output = Result<(), String>> + Send;

    /// Tries dead letters again, all if `ids` is empty. A number that is none has an outcome that says so.
    fn retry(&self, ids: Vec<i64>) -> impl Future<Output = Vec<RetryOutcome>> + Send;

    /// Has the adapter say something of the host's in a conversation.
    fn tell(
        &self,
        adapter: AdapterName,
        conversation: String,
        text: String,
    ) -> impl Future<Output = Result<(), String>> + Send;

    /// Deletes what the journal keeps for an adapter. Refuses while the adapter runs.
    fn forget(&self, adapter: AdapterName) -> impl Future<Output = Result<(), String>> + Send;
}

/// Answers on the socket at `path` until it is dropped; requests under way end with it. A socket that another
/// process left behind is replaced, so only the process that holds the lead may call this.
///
/// # Errors
/// If the socket cannot be made. Clients' mistakes are answered, not returned.
pub async fn serve(path: PathBuf, controlled: Arc<impl Controlled>) -> io::Result<()> {
    let (listener, _socket) = bind(path)?;
    let me = rustix::process::geteuid().as_raw();
    let slots = Arc::new(Semaphore::new(AT_ONCE));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return Ok(()) };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!("the control socket: {error}");
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
        };
        match stream.peer_cred() {
            Ok(peer) if peer.uid() == me => {}
            Ok(peer) => {
                tracing::warn!(uid = peer.uid(), "refused another user on the control socket");
                continue;
            }
            Err(error) => {
                tracing::warn!("refused on the control socket: who it is cannot be told: {error}");
                continue;
            }
        }
        let controlled = Arc::clone(&controlled);
        connections.spawn(async move {
            if let Err(error) = converse(stream, &*controlled).await {
                tracing::debug!("a connection of the control socket ended: {error}");
            }
            drop(slot);
        });
    }
}

/// The socket's file; it goes with the server, unless another process has put its own there.
struct SocketFile {
    path: PathBuf,
    inode: u64,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|meta| meta.ino() == self.inode) {
            drop(fs::remove_file(&self.path));
        }
    }
}

fn bind(path: PathBuf) -> io::Result<(UnixListener, SocketFile)> {
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(Address::of(&path)?.path())?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    let inode = fs::symlink_metadata(&path)?.ino();
    Ok((listener, SocketFile { path, inode }))
}

async fn converse(mut stream: UnixStream, controlled: &impl Controlled) -> io::Result<()> {
    let answer = match timeout(PATIENCE, request(&mut stream)).await {
        Ok(Ok(request)) => answer(controlled, request).await,
        Ok(Err(message)) => Answer::Failed { message },
        Err(_) => Answer::Failed { message: "the request took too long".into() },
    };
    let mut line = serde_json::to_vec(&answer)?;
    if line.len() >= MAX_ANSWER {
        line = serde_json::to_vec(&Answer::Failed { message: "the answer is too long".into() })?;
    }
    line.push(b'\n');
    timeout(PATIENCE, async {
        stream.write_all(&line).await?;
        stream.shutdown().await
    })
    .await
    .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

/// One line of at most [`MAX_REQUEST`] bytes. Nothing may follow it.
async fn request(stream: &mut UnixStream) -> Result<Request, String> {
    let mut line = Vec::new();
    loop {
        let before = line.len();
        match stream.read_buf(&mut line).await {
            Ok(0) => return Err("the request does not end with a newline".into()),
            Ok(_) => {}
            Err(error) => return Err(format!("the request could not be read: {error}")),
        }
        if let Some(end) = line[before..].iter().position(|byte| *byte == b'\n') {
            if before + end + 1 != line.len() {
                return Err("a connection carries one request".into());
            }
            line.truncate(before + end);
            break;
        }
        if line.len() > MAX_REQUEST {
            return Err(format!("the request is longer than {MAX_REQUEST} bytes"));
        }
    }
    serde_json::from_slice(&line)
        .map_err(|error| format!("the request is not understood, are both sides of one version? ({error})"))
}

async fn answer(controlled: &impl Controlled, request: Request) -> Answer {
    let done = match request {
        Request::Status {} => return Answer::Status(controlled.status().await),
        Request::Retry { ids } => return Answer::Retried { outcomes: controlled.retry(ids).await },
        Request::Reload {} => match controlled.reload().await {
            Ok(()) => return Answer::Status(controlled.status().await),
            Err(message) => Err(message),
        },
        Request::Tell { adapter, conversation, text } => controlled.tell(adapter, conversation, text).await,
        Request::Forget { adapter } => controlled.forget(adapter).await,
    };
    match done {
        Ok(()) => Answer::Done,
        Err(message) => Answer::Failed { message },
    }
}
