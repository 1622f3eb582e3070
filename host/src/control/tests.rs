#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::{
    io::{Read as _, Write as _},
    os::unix::{fs::MetadataExt as _, net::UnixStream},
    path::Path,
    sync::Arc,
};

use super::*;
use crate::{home::Home, name::AdapterName};

struct Fake;

impl Controlled for Fake {
    async fn status(&self) -> Status {
        Status {
            pid: 7,
            version: "0.1.0".into(),
            listen: Some(([127, 0, 0, 1], 8788).into()),
            since_ms: 1,
            connected: true,
            unwritten: 2,
            full: false,
            adapters: vec![AdapterStatus {
                name: AdapterName::new("chat").unwrap(),
                version: "1".into(),
                state: AdapterState::Quarantined { reason: "trap".into() },
                page: None,
                routes: vec![],
                sources: vec![],
            }],
        }
    }
    async fn reload(&self) -> Result<(), String> {
        Err("config.toml, line 1".into())
    }
    async fn retry(&self, ids: Vec<i64>) -> Vec<RetryOutcome> {
        ids.into_iter().map(|id| RetryOutcome { id, ok: id == 1, message: "x".into() }).collect()
    }
    async fn tell(&self, _: AdapterName, conversation: String, text: String) -> Result<(), String> {
        if conversation == text { Ok(()) } else { Err(text) }
    }
    async fn forget(&self, _: AdapterName) -> Result<(), String> {
        Ok(())
    }
}

/// Runs `test` against a server in a fresh home.
fn served(test: impl FnOnce(&Home)) {
    served_at(tempfile::tempdir().unwrap().path(), test);
}

fn served_at(root: &Path, test: impl FnOnce(&Home)) {
    let home = Home::at(root).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.spawn(serve(home.control(), Arc::new(Fake)));
    while ask(&home, &Request::Status {}).unwrap().is_none() {
        assert!(!server.is_finished(), "the server ended");
        std::thread::yield_now();
    }
    test(&home);
    server.abort();
    drop(runtime);
    assert!(!home.control().exists(), "the socket goes with the server");
}

fn raw(home: &Home, bytes: &[u8]) -> String {
    let mut stream = UnixStream::connect(home.control()).unwrap();
    // The server may answer and close before it has read everything.
    drop(stream.write_all(bytes));
    drop(stream.shutdown(std::net::Shutdown::Write));
    let mut answer = String::new();
    drop(stream.read_to_string(&mut answer));
    answer
}

#[test]
fn requests_are_answered() {
    served(|home| {
        let chat = AdapterName::new("chat").unwrap();
        let Some(Answer::Status(status)) = ask(home, &Request::Status {}).unwrap() else { panic!() };
        assert_eq!((status.pid, status.unwritten), (7, 2));
        assert_eq!(status.adapters[0].state.reason(), Some("trap"));
        let Some(Answer::Retried { outcomes }) = ask(home, &Request::Retry { ids: vec![1, 2] }).unwrap() else {
            panic!()
        };
        assert_eq!(outcomes.iter().map(|outcome| outcome.ok).collect::<Vec<_>>(), [true, false]);
        let failed = ask(home, &Request::Reload {}).unwrap();
        assert_eq!(failed, Some(Answer::Failed { message: "config.toml, line 1".into() }));
        let tell = |text: &str| Request::Tell { adapter: chat.clone(), conversation: "a".into(), text: text.into() };
        assert_eq!(ask(home, &tell("a")).unwrap(), Some(Answer::Done));
        assert_eq!(ask(home, &tell("b")).unwrap(), Some(Answer::Failed { message: "b".into() }));
        assert_eq!(ask(home, &Request::Forget { adapter: chat }).unwrap(), Some(Answer::Done));
    });
}

#[test]
fn the_socket_is_the_users_alone() {
    served(|home| {
        let mode = std::fs::symlink_metadata(home.control()).unwrap().mode();
        assert_eq!(mode & 0o777, 0o600);
    });
}

#[test]
fn malformed_requests_are_answered_with_an_error_and_others_go_on() {
    served(|home| {
        for bytes in [
            &b""[..],
            b"{}\n",
            b"{\"request\":\"status\"",
            b"{\"request\":\"stop\"}\n",
            b"{\"request\":\"status\",\"more\":1}\n",
            b"{\"request\":\"retry\",\"ids\":[\"1\"]}\n",
            b"{\"request\":\"tell\",\"adapter\":\"../x\",\"conversation\":\"a\",\"text\":\"a\"}\n",
            b"{\"request\":\"status\"}\n{\"request\":\"status\"}\n",
            b"\xff\xfe\n",
        ] {
            let answer = raw(home, bytes);
            let shown = String::from_utf8_lossy(bytes);
            assert!(answer.starts_with("{\"answer\":\"failed\""), "{shown}: {answer}");
            assert!(answer.ends_with("}\n"), "{shown}: {answer}");
        }
        let long = vec![b' '; protocol::MAX_REQUEST * 3];
        // The rest of it is not read, so the answer may be lost with the connection.
        assert!(!raw(home, &long).contains("status"));
        assert!(ask(home, &Request::Status {}).unwrap().is_some());
    });
}

#[test]
fn without_a_leader_nobody_answers_and_a_left_socket_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::at(dir.path()).unwrap();
    assert_eq!(ask(&home, &Request::Status {}).unwrap(), None);
    drop(std::os::unix::net::UnixListener::bind(home.control()).unwrap());
    assert!(home.control().exists());
    assert_eq!(ask(&home, &Request::Status {}).unwrap(), None);
    served_at(dir.path(), |_| {});
}

#[test]
#[cfg(target_os = "linux")]
fn a_home_with_a_long_path_is_served_too() {
    let dir = tempfile::tempdir().unwrap();
    served_at(&dir.path().join("x".repeat(150)), |home| {
        assert!(ask(home, &Request::Status {}).unwrap().is_some());
    });
}
