//! An event as one short line for people: `warn webhook: the message; key=value`.

use std::fmt::{self, Write as _};

use anstyle::{AnsiColor, Style};
use tracing::{Event, Level, Subscriber, field::Field};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

use crate::gate::visible;

/// The longest text of one field, in characters.
const FIELD: usize = 500;

/// The format of lines on standard error.
pub(super) struct Human {
    /// The level is coloured.
    pub(super) colored: bool,
}

/// What people read of an event.
#[derive(Default)]
struct Fields {
    message: String,
    adapter: Option<String>,
    rest: String,
}

impl<S, N> FormatEvent<S, N> for Human
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let (word, color) = match *event.metadata().level() {
            Level::ERROR => ("error", AnsiColor::Red),
            Level::WARN => ("warn", AnsiColor::Yellow),
            Level::INFO => ("info", AnsiColor::Green),
            Level::DEBUG => ("debug", AnsiColor::Blue),
            Level::TRACE => ("trace", AnsiColor::Magenta),
        };
        let style = if self.colored { Style::new().fg_color(Some(color.into())) } else { Style::new() };
        write!(writer, "{style}{word}{style:#} ")?;
        if let Some(adapter) = &fields.adapter {
            write!(writer, "{adapter}: ")?;
        }
        writeln!(writer, "{}{}", fields.message, fields.rest)
    }
}

impl tracing::field::Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value);
    }
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, &format!("{value:?}"));
    }
}

impl Fields {
    fn add(&mut self, field: &Field, value: &str) {
        let value = visible(value, FIELD);
        match field.name() {
            "message" => self.message = value,
            "adapter" => self.adapter = Some(value),
            name => {
                let before = if self.rest.is_empty() { "; " } else { ", " };
                // Writing to a string cannot fail.
                let _ = write!(self.rest, "{before}{name}={value}");
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_event_is_one_line_in_which_foreign_text_cannot_move_the_cursor() {
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let format = Human { colored: false };
        let layer = tracing_subscriber::fmt::layer().event_format(format).with_writer(move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            tracing::warn!(adapter = %"chat", sender = "a\u{1b}[2Jb\nc", n = 2, "dropped");
            tracing::info!("plain");
        });
        let text = String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text, "warn chat: dropped; sender=a\\u{1b}[2Jb\\nc, n=2\ninfo plain\n");
    }
}
