//! The terminal: lines, tables, colours and questions.
//!
//! Colours and the width of the terminal count only where standard output is a terminal and `NO_COLOR` is not
//! set; otherwise the same words come as plain, aligned text. Whatever an adapter, a platform or a stranger
//! chose is shown through [`visible`].

use std::{
    fmt::{self, Display},
    fs::OpenOptions,
    io::{self, BufRead as _, BufReader, IsTerminal as _, Read as _, Write as _},
    time::Duration,
};

use anstyle::{AnsiColor, Style};
use anyhow::{Context as _, bail};
use serde::Serialize;

pub(super) use crate::gate::visible;

/// What is well.
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
/// What waits for the user.
pub(super) const WAITS: Style = AnsiColor::Yellow.on_default();
/// What is wrong.
pub(super) const BAD: Style = AnsiColor::Red.on_default();
/// What is beside the point.
pub(super) const DIM: Style = Style::new().dimmed();
/// What stands out.
pub(super) const BOLD: Style = Style::new().bold();

/// The narrowest terminal for which the last column of a table is wrapped, in characters.
const NARROWEST: u16 = 60;

/// The longest answer to a question, in bytes.
const MAX_ANSWER: u64 = 1024;

/// Writes a line to standard output.
macro_rules! say {
    ($($arg:tt)*) => { $crate::cli::screen::line(&format_args!($($arg)*)) };
}

/// Writes a line beside the output, to standard error: what a script must not take for the result.
macro_rules! note {
    ($($arg:tt)*) => { $crate::cli::screen::aside(&format_args!($($arg)*)) };
}

pub(super) use {note, say};

/// See [`say!`].
pub(super) fn line(text: &dyn Display) -> io::Result<()> {
    writeln!(anstream::stdout(), "{text}")
}

/// See [`note!`]. That standard error is closed is no reason to stop.
pub(super) fn aside(text: &dyn Display) {
    drop(writeln!(anstream::stderr(), "{text}"));
}

/// Prints JSON for a script.
pub(super) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    io::stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}

/// Whether somebody reads standard output.
pub(super) fn is_watched() -> bool {
    io::stdout().is_terminal()
}

/// A text in a style.
pub(super) fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// An error's text on one line: its line breaks and runs of spaces become single spaces.
pub(super) fn reason(text: &str, max: usize) -> String {
    visible(&text.split_whitespace().collect::<Vec<_>>().join(" "), max)
}

/// A table without lines: a header, then rows as wide as the terminal, or as long as they are where there is none.
pub(super) struct Table(comfy_table::Table);

/// One cell of a [`Table`].
pub(super) struct Cell(comfy_table::Cell);

impl Cell {
    /// A cell in a style.
    pub(super) fn new(style: Style, text: impl ToString) -> Self {
        let mut cell = comfy_table::Cell::new(text);
        if let Some(anstyle::Color::Ansi(color)) = style.get_fg_color() {
            cell = cell.fg(match color {
                AnsiColor::Green => comfy_table::Color::DarkGreen,
                AnsiColor::Yellow => comfy_table::Color::DarkYellow,
                AnsiColor::Red => comfy_table::Color::DarkRed,
                _ => comfy_table::Color::Reset,
            });
        }
        for (effect, attribute) in [
            (anstyle::Effects::BOLD, comfy_table::Attribute::Bold),
            (anstyle::Effects::DIMMED, comfy_table::Attribute::Dim),
        ] {
            if style.get_effects().contains(effect) {
                cell = cell.add_attribute(attribute);
            }
        }
        Self(cell)
    }
}

impl<T: ToString> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(Style::new(), text)
    }
}

impl Table {
    /// A table with these headings.
    pub(super) fn new(header: &[&str]) -> Self {
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        if is_watched() {
            // Where colours are not wanted, the stream takes them out.
            table.enforce_styling();
        }
        // A terminal that does not say how wide it is gets lines as long as they are.
        let fits = is_watched() && table.width().is_some_and(|width| width >= NARROWEST);
        table.set_content_arrangement(if fits {
            comfy_table::ContentArrangement::Dynamic
        } else {
            comfy_table::ContentArrangement::Disabled
        });
        table.set_header(header.iter().map(|heading| Cell::new(DIM, heading).0));
        let last = header.len().saturating_sub(1);
        for (number, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, 2));
            if number != last {
                // Only the last one is wrapped: it is the one with sentences.
                column.set_constraint(comfy_table::ColumnConstraint::ContentWidth);
            }
        }
        Self(table)
    }

    /// Adds a row.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.0.add_row(cells.into_iter().map(|cell| cell.0));
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, line) in self.0.lines().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            f.write_str(line.trim_end())?;
        }
        Ok(())
    }
}

/// Asks the user, unless `yes` has answered already. Anything but `y` or `yes` is no.
///
/// # Errors
/// Where nobody can be asked; the mend is `--yes`.
pub(super) fn confirm(question: &str, yes: bool) -> anyhow::Result<bool> {
    if yes {
        return Ok(true);
    }
    let answer = ask(&format!("{question} [y/N] ")).context("nobody can be asked here; to answer yes, add --yes")?;
    Ok(matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// Asks the user for one of a few words, until it is one. An empty answer is `None`.
///
/// # Errors
/// Where nobody can be asked.
pub(super) fn choose(question: &str, words: &[&'static str]) -> anyhow::Result<Option<&'static str>> {
    loop {
        let answer = ask(&format!("{question} [{}] ", words.join("/")))?.to_ascii_lowercase();
        if answer.is_empty() {
            return Ok(None);
        }
        let fits = |word: &&&'static str| word.starts_with(answer.as_str());
        if let (1, Some(word)) = (words.iter().filter(fits).count(), words.iter().find(fits)) {
            return Ok(Some(word));
        }
    }
}

/// One line from the terminal itself, or from standard input where that is a terminal; never from a pipe, which
/// is no person.
fn ask(question: &str) -> anyhow::Result<String> {
    let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty");
    let mut answer = String::new();
    match terminal {
        Ok(mut terminal) => {
            write!(terminal, "{question}")?;
            BufReader::new(terminal.take(MAX_ANSWER)).read_line(&mut answer)?;
        }
        Err(_) if io::stdin().is_terminal() => {
            write!(io::stderr(), "{question}")?;
            BufReader::new(io::stdin().lock().take(MAX_ANSWER)).read_line(&mut answer)?;
        }
        Err(_) => bail!("there is no terminal"),
    }
    Ok(answer.trim().to_owned())
}

/// Shows that something takes its time, until it is dropped. Only on a terminal.
pub(super) struct Spinner(indicatif::ProgressBar);

impl Spinner {
    /// Begins to turn beside these words.
    pub(super) fn new(words: &'static str) -> Self {
        let spinner = indicatif::ProgressBar::new_spinner();
        spinner.set_message(words);
        spinner.enable_steady_tick(Duration::from_millis(120));
        Self(spinner)
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A time in milliseconds since the Unix epoch, as seen from `now_ms`: "3 minutes ago", "in 2 hours".
pub(super) fn relative(ms: i64, now_ms: i64) -> String {
    let seconds = now_ms.saturating_sub(ms) / 1000;
    let (count, unit) = match seconds.unsigned_abs() {
        0..5 => return "just now".into(),
        seconds @ 0..60 => (seconds, "second"),
        seconds @ 60..3600 => (seconds / 60, "minute"),
        seconds @ 3600..86_400 => (seconds / 3600, "hour"),
        seconds => (seconds / 86_400, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    if seconds < 0 { format!("in {count} {unit}{plural}") } else { format!("{count} {unit}{plural} ago") }
}

/// A number of bytes: "12 KiB".
pub(super) fn bytes(count: u64) -> String {
    match count {
        0..1024 => format!("{count} bytes"),
        1024..1_048_576 => format!("{:.1} KiB", count as f64 / 1024.0),
        _ => format!("{:.1} MiB", count as f64 / 1_048_576.0),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_from_now() {
        for (ms, told) in [
            (100_000, "just now"),
            (96_000, "just now"),
            (95_000, "5 seconds ago"),
            (40_000, "1 minute ago"),
            (-7_300_000, "2 hours ago"),
            (-86_300_000, "1 day ago"),
            (110_000, "in 10 seconds"),
            (3_700_000, "in 1 hour"),
            (i64::MIN, "106751991167 days ago"),
        ] {
            assert_eq!(relative(ms, 100_000), told);
        }
    }

    #[test]
    fn without_a_terminal_a_table_is_plain_aligned_text() {
        let mut table = Table::new(&["NAME", "STATE"]);
        table.row(["chat".into(), Cell::new(GOOD, "running")]);
        table.row(["a-longer-name".into(), Cell::new(BAD, format!("broken: {}", "x".repeat(200)))]);
        let text = table.to_string();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 3, "nothing is wrapped: {text}");
        assert_eq!(lines[0], "NAME           STATE");
        assert_eq!(lines[1], "chat           running");
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn sizes_are_rounded() {
        assert_eq!([bytes(0), bytes(1024), bytes(25_690_112)], ["0 bytes", "1.0 KiB", "24.5 MiB"]);
    }
}
