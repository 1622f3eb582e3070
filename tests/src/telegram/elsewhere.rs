//! Somebody else who polls with the bot's token.

use std::{
    io::Write as _,
    net::{Shutdown, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use serde_json::Value;

use crate::http;

/// A second poller: takes and confirms the updates that it gets, and polls again at once when it is ended. It leaves
/// when it is dropped.
#[derive(Debug)]
pub struct Elsewhere {
    gone: Arc<AtomicBool>,
    stream: Arc<Mutex<Option<TcpStream>>>,
    poller: Option<JoinHandle<()>>,
}

impl Elsewhere {
    pub(super) fn start(port: u16, token: String) -> Self {
        let (gone, stream) = (Arc::<AtomicBool>::default(), Arc::<Mutex<Option<TcpStream>>>::default());
        let (is_gone, current) = (Arc::clone(&gone), Arc::clone(&stream));
        let poller = thread::spawn(move || {
            let mut offset = 0;
            while !is_gone.load(Ordering::SeqCst) {
                // A fake that is not there is asked again.
                let Some(answer) = poll(port, &token, offset, &is_gone, &current) else {
                    thread::yield_now();
                    continue;
                };
                let last = answer["result"].as_array().and_then(|updates| updates.last()?["update_id"].as_i64());
                offset = last.map_or(offset, |last| last + 1);
            }
        });
        Self { gone, stream, poller: Some(poller) }
    }
}

fn poll(
    port: u16,
    token: &str,
    offset: i64,
    is_gone: &AtomicBool,
    current: &Mutex<Option<TcpStream>>,
) -> Option<Value> {
    let mut stream = http::connect(port).ok()?;
    {
        let mut current = current.lock().unwrap_or_else(PoisonError::into_inner);
        if is_gone.load(Ordering::SeqCst) {
            return None;
        }
        *current = stream.try_clone().ok();
    }
    let target = format!("/bot{token}/getUpdates?timeout=20&offset={offset}");
    write!(stream, "GET {target} HTTP/1.1\r\nHost: elsewhere\r\nConnection: close\r\n\r\n").ok()?;
    serde_json::from_slice(&http::read_response(&mut stream).ok()?.body).ok()
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::SeqCst);
        if let Some(stream) = self.stream.lock().unwrap_or_else(PoisonError::into_inner).take() {
            drop(stream.shutdown(Shutdown::Both));
        }
        drop(self.poller.take().map(JoinHandle::join));
    }
}
