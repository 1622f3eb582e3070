//! Lines of bounded length from the client.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// The longest line that is read, in bytes: longer ones are skipped without being kept.
pub(super) const MAX_LINE: usize = 4 << 20;
/// A buffer that one long line has grown is not kept for the short ones.
const KEPT_BUFFER: usize = 256 << 10;

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A line without its ending; not empty.
    Text(Vec<u8>),
    /// A line longer than [`MAX_LINE`] was skipped.
    TooLong,
    /// The end of the input. A last line without an ending is no message.
    End,
}

/// Reads lines; what is kept of an unfinished one stays here, so a dropped call of [`next`](Self::next) loses nothing.
pub(super) struct Lines<R> {
    input: BufReader<R>,
    line: Vec<u8>,
    skipping: bool,
    most: usize,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn new(input: R, most: usize) -> Self {
        Self { input: BufReader::new(input), line: Vec::new(), skipping: false, most }
    }

    pub(super) async fn next(&mut self) -> io::Result<Line> {
        loop {
            let available = match self.input.fill_buf().await {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if available.is_empty() {
                return Ok(Line::End);
            }
            let end = available.iter().position(|b| *b == b'\n');
            let part = &available[..end.unwrap_or(available.len())];
            if !self.skipping {
                if self.line.len() + part.len() > self.most {
                    self.skipping = true;
                    self.line = Vec::new();
                } else {
                    self.line.extend_from_slice(part);
                }
            }
            let used = part.len() + usize::from(end.is_some());
            self.input.consume(used);
            if end.is_none() {
                continue;
            }
            if std::mem::take(&mut self.skipping) {
                return Ok(Line::TooLong);
            }
            let text = self.line.trim_ascii().to_vec();
            self.line.clear();
            self.line.shrink_to(KEPT_BUFFER);
            if !text.is_empty() {
                return Ok(Line::Text(text));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    async fn all(input: &str) -> Vec<Line> {
        let mut lines = Lines::new(input.as_bytes(), 10);
        let mut got = Vec::new();
        loop {
            match lines.next().await.unwrap() {
                Line::End => return got,
                line => got.push(line),
            }
        }
    }

    fn text(line: &str) -> Line {
        Line::Text(line.into())
    }

    #[tokio::test]
    async fn lines_are_split_and_long_ones_skipped() {
        assert_eq!(all("a\nb\r\n\n  \nc").await, [text("a"), text("b")]);
        assert_eq!(all("0123456789\nx\n").await, [text("0123456789"), text("x")]);
        assert_eq!(all("0123456789a\nx\n").await, [Line::TooLong, text("x")]);
        assert_eq!(
            all(&format!("{}\nx\n{}\n", "y".repeat(100_000), "z".repeat(20_000))).await,
            [Line::TooLong, text("x"), Line::TooLong]
        );
        assert_eq!(all(&"y".repeat(100_000)).await, []);
    }

    #[tokio::test]
    async fn a_dropped_call_loses_nothing() {
        let (mut client, server) = tokio::io::duplex(64);
        let mut lines = Lines::new(server, 100);
        tokio::io::AsyncWriteExt::write_all(&mut client, b"hel").await.unwrap();
        tokio::select! {
            biased;
            _ = lines.next() => unreachable!(),
            () = std::future::ready(()) => {}
        }
        tokio::io::AsyncWriteExt::write_all(&mut client, b"lo\n").await.unwrap();
        assert_eq!(lines.next().await.unwrap(), text("hello"));
    }
}
