//! The HTTP server: connections, paths, faults and answers.

use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::deadline;

use super::{
    faults::Fault,
    methods::ignored,
    refusal::Refusal,
    remote,
    reply::Reply,
    request::{Arguments, Head, Reader, arguments},
    state::State,
    updates::get_updates,
    view::Call,
};

/// What the connections' threads and the tests share.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    listening: AtomicBool,
    listener: Mutex<Option<(u16, thread::JoinHandle<()>)>>,
    open: Mutex<(u64, BTreeMap<u64, TcpStream>)>,
}

impl Shared {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State::new()),
            changed: Condvar::new(),
            listening: AtomicBool::new(false),
            listener: Mutex::new(None),
            open: Mutex::default(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and wakes all that wait for a change.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.lock());
        self.notify();
        changed
    }

    pub(super) fn notify(&self) {
        self.changed.notify_all();
    }

    /// Waits for a change, at most so long.
    pub(super) fn wait<'a>(&self, state: MutexGuard<'a, State>, longest: Duration) -> MutexGuard<'a, State> {
        self.changed.wait_timeout(state, longest).unwrap_or_else(PoisonError::into_inner).0
    }

    pub(super) fn is_listening(&self) -> bool {
        self.listening.load(Ordering::SeqCst)
    }

    fn open(&self) -> MutexGuard<'_, (u64, BTreeMap<u64, TcpStream>)> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Listens on that port of the loopback address, or one that the system chooses; gives the port.
pub(super) fn listen(shared: &Arc<Shared>, port: u16) -> u16 {
    let mut listening = shared.listener.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((port, _)) = &*listening {
        return *port;
    }
    // A process that another thread is just about to start has our descriptors for a moment, closed ones too.
    let listener = deadline::until("the fake's port is free", || TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok());
    let port = listener.local_addr().expect("a listener has an address").port();
    shared.listening.store(true, Ordering::SeqCst);
    let of_thread = Arc::clone(shared);
    let thread = thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            if !of_thread.is_listening() {
                break;
            }
            let shared = Arc::clone(&of_thread);
            thread::spawn(move || serve(&shared, stream));
        }
    });
    *listening = Some((port, thread));
    port
}

/// Ends the listener and all connections.
pub(super) fn stop(shared: &Shared) {
    let listener = shared.listener.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some((port, thread)) = listener else { return };
    shared.listening.store(false, Ordering::SeqCst);
    // Wakes the listener, so that it sees that it has ended.
    drop(TcpStream::connect((Ipv4Addr::LOCALHOST, port)));
    drop(thread.join());
    drop_connections(shared);
    // Whoever waits for a change sees it only with the lock.
    shared.change(|_| ());
}

pub(super) fn drop_connections(shared: &Shared) {
    for stream in std::mem::take(&mut shared.open().1).values() {
        drop(stream.shutdown(Shutdown::Both));
    }
}

fn serve(shared: &Arc<Shared>, stream: TcpStream) {
    drop(stream.set_nodelay(true));
    let Ok(registered) = stream.try_clone() else { return };
    let number = {
        let mut open = shared.open();
        // A connection that was taken in the moment of the end.
        if !shared.is_listening() {
            return;
        }
        open.0 += 1;
        let number = open.0;
        open.1.insert(number, registered);
        number
    };
    shared.change(|state| state.seen.connections += 1);
    // A client that breaks off is no matter of the fake.
    drop(converse(shared, &stream));
    drop(stream.shutdown(Shutdown::Both));
    shared.open().1.remove(&number);
}

fn converse(shared: &Arc<Shared>, stream: &TcpStream) -> io::Result<()> {
    let mut reader = Reader::new(stream.try_clone()?);
    while let Some(head) = reader.head()? {
        let path = head.target.split('?').next().unwrap_or_default();
        if let Some(verb) = path.strip_prefix("/fake/") {
            let body = reader.body(&head)?.unwrap_or_default();
            let (status, answer) = remote::answer(shared, verb, &body);
            Reply::json(status, &answer, None).write(stream, None, true)?;
            continue;
        }
        let place = Place::of(path, &shared.lock());
        let name = place.name();
        let fault = shared.lock().faults.take(&name);
        if fault == Some(Fault::HangUpUnread) {
            return Ok(());
        }
        let Some(body) = reader.body(&head)? else {
            let refusal = Refusal::new(413, "Request Entity Too Large");
            Reply::json(413, &refusal.to_json(), None).write(stream, None, false)?;
            return Ok(());
        };
        let arguments = arguments(&head, &body);
        let mut call = Call {
            http_method: head.method.clone(),
            target: head.target.clone(),
            headers: head.headers.clone(),
            body: body.into_iter().take(1024 * 1024).collect(),
            arguments: arguments.values.clone(),
            files: arguments.files.clone(),
            ignored: ignored(&name, &arguments),
            malformed: arguments.malformed.clone(),
            status: 0,
            error: None,
            faulty: fault.as_ref().is_some_and(|fault| !fault.is_done()),
            method: name,
        };
        let reply = match &fault {
            Some(fault) if !fault.is_done() => Reply::of_fault(fault),
            _ => {
                let Some(reply) = carry_out(shared, &place, &head, &arguments, stream) else { return Ok(()) };
                Some(reply)
            }
        };
        let reply = reply.filter(|_| fault != Some(Fault::HangUpDone));
        if let Some(reply) = &reply {
            call.status = reply.status;
            call.error = reply.error.clone();
        }
        shared.change(|state| state.seen.calls.push(call));
        let Some(reply) = reply else { return Ok(()) };
        if let Some(Fault::Slow(longest)) = &fault {
            let end = Instant::now() + *longest;
            let mut state = shared.lock();
            while let Some(left) = end.checked_duration_since(Instant::now()).filter(|_| shared.is_listening()) {
                state = shared.wait(state, left);
            }
        }
        reply.write(stream, fault.as_ref(), head.keep_alive)?;
        if !head.keep_alive || fault == Some(Fault::Truncated) {
            return Ok(());
        }
    }
    Ok(())
}

/// What a path names.
enum Place {
    Method(String),
    File(String),
    Refused(Refusal),
}

impl Place {
    fn of(path: &str, state: &State) -> Self {
        let not_found = || Self::Refused(Refusal::new(404, "Not Found"));
        let (is_file, rest) = match path.strip_prefix("/file/bot") {
            Some(rest) => (true, Some(rest)),
            None => (false, path.strip_prefix("/bot")),
        };
        let Some((token, rest)) = rest.and_then(|rest| rest.split_once('/')) else { return not_found() };
        let token = percent_encoding::percent_decode_str(token).decode_utf8_lossy();
        let is_token = token.split_once(':').is_some_and(|(id, secret)| {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
            !id.is_empty()
                && id.bytes().all(|byte| byte.is_ascii_digit())
                && !secret.is_empty()
                && secret.bytes().all(is_plain)
        });
        if !is_token {
            return not_found();
        }
        if token != state.token.as_str() {
            return Self::Refused(Refusal::new(401, "Unauthorized"));
        }
        let rest = percent_encoding::percent_decode_str(rest).decode_utf8_lossy();
        if is_file { Self::File(rest.into_owned()) } else { Self::Method(rest.to_ascii_lowercase()) }
    }

    fn name(&self) -> String {
        match self {
            Self::Method(name) => name.clone(),
            Self::File(_) => "file".into(),
            Self::Refused(_) => String::new(),
        }
    }
}

/// The answer; `None` if the client has gone.
fn carry_out(shared: &Shared, place: &Place, head: &Head, arguments: &Arguments, stream: &TcpStream) -> Option<Reply> {
    if head.method != "GET" && head.method != "POST" {
        return Some(Reply::of(Err(Refusal::new(405, "Method Not Allowed"))));
    }
    Some(match place {
        Place::Refused(refusal) => Reply::of(Err(refusal.clone())),
        Place::Method(method) if method == "getupdates" => {
            Reply::of(get_updates(shared, arguments, &|| is_there(stream))?)
        }
        Place::Method(method) => {
            Reply::of(shared.change(|state| state.call(method, arguments)).map(|it| it.to_string()))
        }
        Place::File(path) => shared.change(|state| {
            state.seen.downloads.push(path.clone());
            let file = state.files.at(path).filter(|file| file.content.len() <= state.download_limit);
            match file {
                Some(file) => Reply {
                    status: 200,
                    content_type: "application/octet-stream".into(),
                    body: file.content.clone(),
                    headers: String::new(),
                    error: None,
                },
                None => Reply::of(Err(Refusal::new(404, "Not Found"))),
            }
        }),
    })
}

/// Whether the client has not closed its end.
fn is_there(stream: &TcpStream) -> bool {
    let asked = stream.set_nonblocking(true).and_then(|()| stream.peek(&mut [0]));
    let is_back = stream.set_nonblocking(false).is_ok();
    is_back
        && match asked {
            Ok(count) => count > 0,
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        }
}
