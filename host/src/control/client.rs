//! The command line's end of the control socket. Blocks.

use std::{
    io::{self, Read as _, Write as _},
    os::unix::net::UnixStream,
    time::{Duration, Instant},
};

use super::{Answer, Request, path::Address, protocol::MAX_ANSWER};
use crate::home::Home;

/// Why the process that leads did not answer as asked.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The socket failed.
    #[error("the sluicegate that leads cannot be asked: {0}")]
    Io(#[from] io::Error),
    /// It did not answer in time.
    #[error("the sluicegate that leads did not answer within {} s; `sluicegate log` may say why", .0.as_secs())]
    Silent(Duration),
    /// What it said is not understood.
    #[error(
        "the sluicegate that leads answered what this one does not understand ({0}): they may be of different \
         versions; restart the Claude session that runs it"
    )]
    Strange(String),
}

/// Asks the process that leads this home. `None` if there is none; a socket that one left behind counts for nothing.
///
/// # Errors
/// [`ControlError`]. That something could not be done is an answer, [`Answer::Failed`].
pub fn ask(home: &Home, request: &Request) -> Result<Option<Answer>, ControlError> {
    let address = Address::of(&home.control())?;
    let mut stream = match UnixStream::connect(address.path()) {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    let patience = patience(request);
    let until = Instant::now() + patience;
    let mut line = serde_json::to_vec(request).map_err(io::Error::other)?;
    line.push(b'\n');
    stream.set_write_timeout(Some(patience))?;
    stream.write_all(&line).map_err(|error| slow(error, patience))?;
    let mut answer = Vec::new();
    let mut chunk = [0; 16 * 1024];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ControlError::Silent(patience));
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => answer.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // It was killed while it worked.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => break,
            Err(error) => return Err(slow(error, patience)),
        }
        if answer.len() > MAX_ANSWER {
            return Err(ControlError::Strange("too long".into()));
        }
    }
    if answer.is_empty() {
        return Err(ControlError::Strange("nothing: it ended".into()));
    }
    serde_json::from_slice(&answer).map(Some).map_err(|error| ControlError::Strange(error.to_string()))
}

fn slow(error: io::Error, patience: Duration) -> ControlError {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => ControlError::Silent(patience),
        _ => error.into(),
    }
}

/// How long an answer may take: the longest that the work itself may.
const fn patience(request: &Request) -> Duration {
    Duration::from_secs(match request {
        Request::Status {} => 5,
        Request::Forget { .. } => 15,
        // One action.
        Request::Tell { .. } => 75,
        // One compilation after another.
        Request::Reload {} => 300,
        // Events that may each be attempted three times.
        Request::Retry { .. } => 600,
    })
}
