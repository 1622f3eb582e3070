//! A server that takes requests byte by byte and answers them with bytes.

use std::sync::Arc;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use url::Url;

/// One request as it came.
#[derive(Debug)]
pub(super) struct Taken {
    /// Which connection it came on, counted from 0.
    pub(super) connection: usize,
    /// The request line and the headers, in lower case but for the line.
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Taken {
    pub(super) fn header(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.filter(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }
}

pub(super) struct Server {
    pub(super) url: Url,
    pub(super) taken: mpsc::UnboundedReceiver<Taken>,
}

/// What follows the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    Next,
    Close,
    /// Neither a byte nor an end, ever.
    Hang,
}

impl Server {
    /// Answers every request with what the function makes of it.
    pub(super) async fn new(answer: impl Fn(&Taken) -> (Vec<u8>, Then) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let (sender, taken) = mpsc::unbounded_channel();
        let answer = Arc::new(answer);
        tokio::spawn(async move {
            let mut connection = 0;
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, connection, Arc::clone(&answer), sender.clone()));
                connection += 1;
            }
        });
        Self { url, taken }
    }

    /// Answers every request with the same bytes.
    pub(super) async fn saying(answer: impl Into<Vec<u8>>, then: Then) -> Self {
        let answer = answer.into();
        Self::new(move |_| (answer.clone(), then)).await
    }
}

async fn serve(
    mut stream: TcpStream,
    connection: usize,
    answer: Arc<impl Fn(&Taken) -> (Vec<u8>, Then)>,
    sender: mpsc::UnboundedSender<Taken>,
) {
    while let Some((head, body)) = read(&mut stream).await {
        let taken = Taken { connection, head, body };
        let (bytes, then) = answer(&taken);
        sender.send(taken).ok();
        if stream.write_all(&bytes).await.is_err() {
            return;
        }
        match then {
            Then::Next => {}
            Then::Close => return,
            Then::Hang => std::future::pending().await,
        }
    }
}

/// A request; what was cut off in its body is given as far as it came.
async fn read(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let (mut bytes, mut chunk) = (Vec::new(), vec![0; 256 * 1024]);
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        match stream.read(&mut chunk).await.ok()? {
            0 => return None,
            read => bytes.extend_from_slice(&chunk[..read]),
        }
    };
    let mut body = bytes.split_off(end + 4);
    let head = String::from_utf8(bytes).ok()?;
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    while body.len() < length.unwrap_or(0) {
        match stream.read(&mut chunk).await {
            Ok(read) if read > 0 => body.extend_from_slice(&chunk[..read]),
            _ => break,
        }
    }
    Some((head, body))
}

/// An answer with a body of a known length.
pub(super) fn ok(body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    [format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}
