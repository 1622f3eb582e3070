//! Tables, laid out in a fixed pitch.

use pulldown_cmark::Alignment;
use unicode_width::UnicodeWidthStr as _;

/// What may be spent on aligning a table: so many bytes, and so many for each of its text.
const SPARE: usize = 8 << 10;
const FOR_EACH: usize = 2;

/// A table as it is read.
#[derive(Debug)]
pub(super) struct Table {
    alignments: Vec<Alignment>,
    rows: Vec<Vec<String>>,
    cell: String,
    /// Where the last cell ended in the source.
    end: usize,
}

impl Table {
    pub(super) fn new(alignments: Vec<Alignment>) -> Self {
        Self { alignments, rows: Vec::new(), cell: String::new(), end: 0 }
    }

    pub(super) fn row(&mut self) {
        self.rows.push(Vec::new());
    }

    /// Adds to the cell.
    pub(super) fn push(&mut self, text: &str) {
        self.cell.push_str(text);
    }

    /// The text of the cell so far.
    pub(super) fn cell(&self) -> &str {
        &self.cell
    }

    pub(super) fn end_cell(&mut self, end: usize) {
        let cell = std::mem::take(&mut self.cell);
        self.end = end;
        self.add(&cell);
    }

    /// Keeps what a row has beyond the columns of the head, as it is written.
    pub(super) fn end_row(&mut self, source: &str, end: usize) {
        let rest = source.get(self.end..end).unwrap_or_default().trim_matches(['|', ' ', '\t', '\n']);
        if !rest.is_empty() {
            self.add(rest);
        }
    }

    fn add(&mut self, cell: &str) {
        if let Some(row) = self.rows.last_mut() {
            row.push(cell.trim().replace('\n', " "));
        }
    }

    /// The table as text; the first row is its head. A table whose widest cells would blow up the others is not
    /// aligned.
    pub(super) fn layout(mut self) -> String {
        for row in &mut self.rows {
            let filled = row.iter().rposition(|cell| !cell.is_empty()).map_or(0, |last| last + 1);
            row.truncate(filled);
        }
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        self.alignments.resize(columns, Alignment::None);
        let mut widths = vec![0; columns];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.width().max(*width);
            }
        }
        let text: usize = self.rows.iter().flatten().map(String::len).sum();
        let aligned = widths.iter().map(|width| width + 3).sum::<usize>().saturating_mul(self.rows.len() + 1);
        if aligned > SPARE + FOR_EACH * text {
            return self.rows.iter().map(|row| row.join(" | ")).collect::<Vec<_>>().join("\n");
        }
        let mut lines = Vec::with_capacity(self.rows.len() + 1);
        for (number, row) in self.rows.iter().enumerate() {
            lines.push(line(row, &widths, &self.alignments));
            if number == 0 {
                let dashes: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
                lines.push(dashes.join("-+-"));
            }
        }
        lines.join("\n")
    }
}

fn line(row: &[String], widths: &[usize], alignments: &[Alignment]) -> String {
    let mut line = String::new();
    for ((cell, width), alignment) in row.iter().zip(widths).zip(alignments) {
        let spare = width - cell.width();
        let left = match alignment {
            Alignment::Right => spare,
            Alignment::Center => spare / 2,
            Alignment::Left | Alignment::None => 0,
        };
        if !line.is_empty() {
            line.push_str(" | ");
        }
        line.extend(std::iter::repeat_n(' ', left));
        line.push_str(cell);
        line.extend(std::iter::repeat_n(' ', spare - left));
    }
    line.truncate(line.trim_end_matches(' ').len());
    line
}
