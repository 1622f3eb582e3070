//! `sluicegate log`: the log as people read it.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, BufRead as _, BufReader, Read as _, Seek as _},
    os::unix::fs::MetadataExt as _,
    path::Path,
    time::Duration,
};

use anstyle::Style;
use serde_json::{Map, Value};

use super::screen::{BAD, BOLD, DIM, GOOD, WAITS, note, paint, say, visible};
use crate::{home::Home, logging, name::AdapterName};

/// How often it is looked for new lines.
const POLL: Duration = Duration::from_millis(200);
/// The longest line of the file that is read, in bytes; the rest of it is left out.
const MAX_LINE: u64 = 256 * 1024;
/// The longest text of one field that is shown, in characters.
const FIELD: usize = 2000;

/// Runs the command.
pub(super) fn run(home: &Home, follow: bool, adapter: Option<&AdapterName>, lines: usize) -> anyhow::Result<i32> {
    let mut last: VecDeque<String> = VecDeque::new();
    let mut tail = None;
    // The newest file first: mostly it is enough.
    for (number, path) in logging::paths(home).iter().enumerate() {
        let mut file = match Tail::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error.into()),
        };
        let mut found = VecDeque::new();
        while let Some(line) = file.next()? {
            if let Some(shown) = render(&line, adapter) {
                found.push_back(shown);
                if found.len() + last.len() > lines {
                    found.pop_front();
                }
            }
        }
        found.append(&mut last);
        last = found;
        if number == 0 {
            tail = Some(file);
        }
        if last.len() >= lines {
            break;
        }
    }
    if last.is_empty() && !follow {
        note!("There is nothing in the log{}.", adapter.map(|name| format!(" about {name}")).unwrap_or_default());
    }
    for line in &last {
        say!("{line}")?;
    }
    if follow {
        go_on(&logging::path(home), tail, adapter)?;
    }
    Ok(0)
}

/// Shows what comes, until the process is ended or its output closed.
fn go_on(path: &Path, mut tail: Option<Tail>, adapter: Option<&AdapterName>) -> anyhow::Result<()> {
    loop {
        if let Some(tail) = &mut tail {
            while let Some(line) = tail.next()? {
                if let Some(shown) = render(&line, adapter) {
                    say!("{shown}")?;
                }
            }
        }
        std::thread::sleep(POLL);
        if tail.as_mut().is_none_or(|tail| !tail.is_at(path)) {
            // What came into the old file meanwhile is shown first.
            if let Some(mut old) = tail.take() {
                while let Some(line) = old.next()? {
                    if let Some(shown) = render(&line, adapter) {
                        say!("{shown}")?;
                    }
                }
            }
            tail = Tail::open(path).ok();
        }
    }
}

/// The whole lines of a file that may still grow.
struct Tail {
    file: BufReader<File>,
    inode: u64,
    /// The beginning of a line that is not whole yet.
    begun: Vec<u8>,
}

impl Tail {
    fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        Ok(Self { inode: file.metadata()?.ino(), file: BufReader::new(file), begun: Vec::new() })
    }

    /// Whether the file is the one at that path, and was not cut.
    fn is_at(&mut self, path: &Path) -> bool {
        let position = self.file.stream_position().unwrap_or(0);
        std::fs::metadata(path).is_ok_and(|meta| meta.ino() == self.inode && meta.len() >= position)
    }

    fn next(&mut self) -> io::Result<Option<String>> {
        loop {
            let left = MAX_LINE.saturating_sub(self.begun.len() as u64);
            let read = if left > 0 {
                self.file.by_ref().take(left).read_until(b'\n', &mut self.begun)?
            } else {
                self.file.skip_until(b'\n')?
            };
            if self.begun.last() == Some(&b'\n') || (left == 0 && read > 0) {
                let line = String::from_utf8_lossy(&self.begun).trim_end().to_owned();
                self.begun.clear();
                return Ok(Some(line));
            }
            if read == 0 {
                return Ok(None);
            }
        }
    }
}

/// A line of the log as people read it; `None` if it is not about that adapter.
fn render(line: &str, adapter: Option<&AdapterName>) -> Option<String> {
    let Ok(Value::Object(mut fields)) = serde_json::from_str::<Value>(line) else {
        // Half a line, after the disk was full. It is about nobody.
        return adapter.is_none().then(|| visible(line, FIELD));
    };
    let text = |fields: &mut Map<String, Value>, key: &str| match fields.remove(key) {
        Some(Value::String(text)) => text,
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let (time, level) = (text(&mut fields, "timestamp"), text(&mut fields, "level"));
    let (about, message) = (text(&mut fields, "adapter"), text(&mut fields, "message"));
    if adapter.is_some_and(|wanted| wanted.as_str() != about) {
        return None;
    }
    fields.remove("target");
    let (style, word) = style(&level);
    let about = if about.is_empty() { String::new() } else { format!("{} ", paint(BOLD, visible(&about, 40))) };
    let mut shown = format!(
        "{} {} {about}{}",
        paint(DIM, local(&time)),
        paint(style, format!("{word:<5}")),
        visible(&message, FIELD)
    );
    for (key, value) in fields {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        shown.push_str(&format!(" {}{}", paint(DIM, format!("{}=", visible(&key, 60))), visible(&value, FIELD)));
    }
    Some(shown)
}

fn style(level: &str) -> (Style, String) {
    let style = match level {
        "ERROR" => BAD,
        "WARN" => WAITS,
        "INFO" => GOOD,
        _ => DIM,
    };
    (style, visible(&level.to_ascii_lowercase(), 8))
}

/// A time of RFC 3339 in the user's own time zone, to the second.
fn local(time: &str) -> String {
    match time.parse::<jiff::Timestamp>() {
        Ok(time) => time.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => visible(time, 40),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn plain(line: &str, adapter: Option<&str>) -> Option<String> {
        let adapter = adapter.map(|name| AdapterName::new(name).unwrap());
        render(line, adapter.as_ref()).map(|shown| anstream::adapter::strip_str(&shown).to_string())
    }

    #[test]
    fn a_line_shows_its_level_adapter_message_and_fields() {
        let line = r#"{"timestamp":"x","level":"WARN","adapter":"chat","message":"dropped","sender":"a\u001b[2Jb","n":2,"target":"t"}"#;
        let shown = plain(line, None).unwrap();
        assert!(shown.starts_with("x warn  chat dropped"), "{shown}");
        assert!(shown.contains("sender=a\\u{1b}[2Jb") && shown.contains("n=2"), "{shown}");
        assert!(!shown.contains("target"), "{shown}");
        assert!(plain(line, Some("chat")).is_some());
        assert!(plain(line, Some("other")).is_none());
    }

    #[test]
    fn what_is_no_json_is_shown_as_it_is() {
        assert_eq!(plain("{\"half", None).unwrap(), "{\"half");
        assert_eq!(plain("{\"half", Some("chat")), None);
        assert_eq!(plain("\u{1b}[2J", None).unwrap(), "\\u{1b}[2J");
    }

    #[test]
    fn only_whole_lines_come_and_a_replaced_file_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut file = File::create(&path).unwrap();
        write!(file, "one\ntw").unwrap();
        let mut tail = Tail::open(&path).unwrap();
        assert_eq!(tail.next().unwrap().as_deref(), Some("one"));
        assert_eq!(tail.next().unwrap(), None);
        write!(file, "o\n{}\nend\n", "x".repeat(300_000)).unwrap();
        assert_eq!(tail.next().unwrap().as_deref(), Some("two"));
        assert_eq!(tail.next().unwrap().map(|line| line.len()), Some(256 * 1024));
        assert_eq!(tail.next().unwrap().as_deref(), Some("end"));
        assert!(tail.is_at(&path));
        std::fs::rename(&path, dir.path().join("log.1")).unwrap();
        File::create(&path).unwrap();
        assert!(!tail.is_at(&path));
    }
}
