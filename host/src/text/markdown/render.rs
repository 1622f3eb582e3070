//! Turns the parser's events into text with spans, one event after another.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Tag, TagEnd};

use super::{
    address::{Verbatim, may_link},
    gaps::Gaps,
    marker::{Content, Numbers, marker},
    table::Table,
    writer::{Nested, Open, Writer},
};
use crate::text::{RichText, Style};

/// The deepest indentation, in levels.
const INDENTED: usize = 8;

/// The longest name of a language, in bytes.
const LANGUAGE: usize = 40;

/// What is open. Nothing here recurses: the parser's events are properly nested.
pub(super) struct Renderer<'s> {
    source: &'s str,
    out: Writer,
    gaps: Gaps<'s>,
    addresses: Verbatim,
    paths: Verbatim,
    /// Words are being written on the last line; else the next ones begin a block.
    flowing: bool,
    /// The last thing that was written is an item's marker.
    marked: bool,
    /// Where the source of the last words ended.
    end: usize,
    /// The open lists; the ordered ones have numbers.
    lists: Vec<Option<Numbers>>,
    items: usize,
    /// How many quotes are open, and the span of the outermost, once something in it is written.
    quoted: usize,
    quote: Option<Open>,
    bold: Nested,
    italic: Nested,
    strike: Nested,
    heading: bool,
    links: Vec<Link>,
    /// The lines of code or HTML of an open block.
    verbatim: Option<(Option<Style>, String)>,
    table: Option<Table>,
}

struct Link {
    address: String,
    /// Where its label begins.
    label: usize,
    open: Option<Open>,
}

impl<'s> Renderer<'s> {
    pub(super) fn new(source: &'s str) -> Self {
        Self {
            source,
            out: Writer::default(),
            gaps: Gaps::new(source),
            addresses: Verbatim::addresses(source),
            paths: Verbatim::paths(source),
            flowing: false,
            marked: false,
            end: 0,
            lists: Vec::new(),
            items: 0,
            quoted: 0,
            quote: None,
            bold: Nested::default(),
            italic: Nested::default(),
            strike: Nested::default(),
            heading: false,
            links: Vec::new(),
            verbatim: None,
            table: None,
        }
    }

    pub(super) fn finish(self) -> RichText {
        self.out.finish()
    }

    pub(super) fn event(&mut self, event: &Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(tag, range),
            Event::End(tag) => self.end(*tag, range),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.text(text, range),
            Event::Code(code) => {
                self.flow(range.start);
                let open = self.table.is_none().then(|| self.out.open(Style::Code));
                self.words(code, range);
                open.into_iter().for_each(|open| self.out.close(open));
            }
            Event::SoftBreak | Event::HardBreak => {
                let indentation = self.indentation();
                self.words(&indentation, range);
            }
            Event::Rule => {
                self.block(range.start, false);
                self.out.push("———");
                self.gaps.shown(range.end);
            }
            // Its item's marker shows it.
            Event::TaskListMarker(_) => self.passed(range.end),
            // Not switched on.
            Event::InlineMath(_) | Event::DisplayMath(_) | Event::FootnoteReference(_) => {}
        }
    }

    /// Begins an item: a line of its own with its marker, or the same line if the item is all there is in another.
    pub(super) fn item(&mut self, range: Range<usize>, content: Content) {
        self.block(range.start, false);
        let numbers = self.lists.last_mut().and_then(Option::as_mut);
        let marker = marker(numbers, content, self.source[range.clone()].trim_start());
        self.out.push(&marker);
        self.passed(range.start + 1);
        self.items += 1;
        self.marked = true;
    }

    fn start(&mut self, tag: &Tag<'_>, range: Range<usize>) {
        match tag {
            Tag::Paragraph => self.flowing = false,
            Tag::Heading { .. } => (self.flowing, self.heading) = (false, true),
            Tag::BlockQuote(_) => {
                self.flowing = false;
                self.quoted += 1;
            }
            Tag::CodeBlock(kind) => {
                let (language, line) = opening(kind);
                self.verbatim = Some((Some(Style::Block(language)), line));
            }
            Tag::HtmlBlock => self.verbatim = Some((None, String::new())),
            Tag::List(first) => self.lists.push(first.map(|_| Numbers::default())),
            Tag::Table(alignments) => self.table = Some(Table::new(alignments.clone())),
            Tag::TableHead | Tag::TableRow => self.table.iter_mut().for_each(Table::row),
            Tag::Emphasis | Tag::Strong | Tag::Strikethrough => self.emphasis(tag.to_end(), range, true),
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => self.link(dest_url, range),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd, range: Range<usize>) {
        match tag {
            TagEnd::Paragraph => self.flowing = false,
            TagEnd::Heading(_) => {
                if self.flowing {
                    self.bold.leave(&mut self.out);
                }
                (self.flowing, self.heading) = (false, false);
            }
            TagEnd::BlockQuote(_) => {
                self.flowing = false;
                self.quoted = self.quoted.saturating_sub(1);
                if self.quoted == 0 {
                    self.quote.take().into_iter().for_each(|open| self.out.close(open));
                }
            }
            TagEnd::CodeBlock | TagEnd::HtmlBlock => {
                if let Some((style, lines)) = self.verbatim.take() {
                    self.lines(style, &lines, range);
                }
            }
            TagEnd::List(_) => {
                self.lists.pop();
                self.flowing = false;
            }
            TagEnd::Item => {
                self.items = self.items.saturating_sub(1);
                (self.marked, self.flowing) = (false, false);
            }
            TagEnd::Table => {
                if let Some(table) = self.table.take() {
                    self.lines(Some(Style::Block(None)), &table.layout(), range);
                }
            }
            TagEnd::TableCell => self.table.iter_mut().for_each(|table| table.end_cell(range.end)),
            TagEnd::TableRow => self.table.iter_mut().for_each(|table| table.end_row(self.source, range.end)),
            TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough => self.emphasis(tag, range, false),
            TagEnd::Link | TagEnd::Image => self.end_link(),
            _ => {}
        }
    }

    fn text(&mut self, text: &str, range: Range<usize>) {
        if let Some((_, lines)) = &mut self.verbatim {
            return lines.push_str(text);
        }
        // In a path, backslashes are no escapes; nor is one of two, which may begin a path.
        let escape = range.start.checked_sub(1).filter(|at| *at >= self.end && self.source[*at..].starts_with('\\'));
        if escape.is_some_and(|at| text.starts_with('\\') || self.paths.contain(at)) {
            self.words("\\", range.clone());
        }
        self.words(text, range);
    }

    /// Emphasis, or its signs where they are none.
    fn emphasis(&mut self, tag: TagEnd, range: Range<usize>, start: bool) {
        if let Some(sign) = self.no_emphasis(tag, &range) {
            let at = if start { range.start } else { range.end - sign.len() };
            return self.words(sign, at..at + sign.len());
        }
        if start {
            self.flow(range.start);
        }
        if self.table.is_some() {
            return;
        }
        let (nested, style) = match tag {
            TagEnd::Emphasis => (&mut self.italic, Style::Italic),
            TagEnd::Strong => (&mut self.bold, Style::Bold),
            _ => (&mut self.strike, Style::Strike),
        };
        if start { nested.enter(&mut self.out, style) } else { nested.leave(&mut self.out) }
    }

    /// The sign, if it is none of emphasis: in an address or path, between letters or digits (5*3*2), a single ~ (3~5).
    fn no_emphasis(&self, tag: TagEnd, range: &Range<usize>) -> Option<&'s str> {
        let source: &'s str = self.source;
        let inner = source.get(range.clone())?;
        let single = tag == TagEnd::Emphasis || !(inner.starts_with("~~") || tag == TagEnd::Strong);
        let sign = inner.get(..if single { 1 } else { 2 })?;
        let word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        let before = range.start.checked_sub(1).and_then(|at| source.as_bytes().get(at));
        let between = sign.starts_with('*') && word(before) && word(source.as_bytes().get(range.end));
        let verbatim = self.addresses.contain(range.start) || self.paths.contain(range.start);
        (between || verbatim || sign == "~").then_some(sign)
    }

    fn link(&mut self, address: &str, range: Range<usize>) {
        self.flow(range.start);
        // An image in a link is a part of its label, and the link's address counts.
        let links = self.links.is_empty() && self.table.is_none() && may_link(address);
        let open = links.then(|| self.out.open(Style::Link(address.to_owned())));
        self.links.push(Link { address: address.to_owned(), label: self.written(), open });
    }

    fn end_link(&mut self) {
        let Some(Link { address, label, open }) = self.links.pop() else { return };
        if !self.links.is_empty() && may_link(&address) {
            return;
        }
        let label = match &self.table {
            Some(table) => table.cell().get(label..).unwrap_or_default(),
            None => self.out.since(label),
        };
        // An address that is its own label needs no span: platforms find it by themselves.
        let (bare, unlabelled) = (label == address, label.trim().is_empty());
        match open {
            Some(open) if !bare && !unlabelled => return self.out.close(open),
            Some(open) => self.out.cancel(open),
            None => {}
        }
        if unlabelled {
            self.push(&address);
        } else if !bare && !address.is_empty() {
            self.push(&format!(" ({address})"));
        }
    }

    /// Lines that are shown as they are.
    fn lines(&mut self, style: Option<Style>, lines: &str, range: Range<usize>) {
        let lines = lines.trim_end_matches([' ', '\t', '\n']).trim_start_matches('\n');
        // A block of nothing is shown as it is written.
        let (lines, style) = if lines.is_empty() { (self.source[range.clone()].trim(), None) } else { (lines, style) };
        self.block(range.start, style.is_some());
        let open = style.map(|style| self.out.open(style));
        self.out.push(lines);
        open.into_iter().for_each(|open| self.out.close(open));
        self.passed(range.end);
    }

    /// Words of a paragraph, a heading or a cell.
    fn words(&mut self, words: &str, range: Range<usize>) {
        self.flow(range.start);
        self.push(words);
        self.passed(range.end);
    }

    fn push(&mut self, words: &str) {
        match &mut self.table {
            Some(table) => table.push(words),
            None => self.out.push(words),
        }
    }

    /// How much the text or the cell has, in bytes.
    fn written(&self) -> usize {
        self.table.as_ref().map_or(self.out.bytes(), |table| table.cell().len())
    }

    /// The source up to there is shown. What a table is in is known when it ends.
    fn passed(&mut self, to: usize) {
        self.end = self.end.max(to);
        if self.table.is_none() {
            self.gaps.shown(to);
        }
    }

    /// Makes sure that words can follow.
    fn flow(&mut self, at: usize) {
        if self.table.is_none() && !self.flowing {
            self.block(at, false);
            self.flowing = true;
            if self.heading {
                self.bold.enter(&mut self.out, Style::Bold);
            }
        }
    }

    /// Begins a block of which something is about to be written: on the line of an item's marker if it is the first
    /// thing there, and not `lines` that stand for themselves.
    fn block(&mut self, at: usize, lines: bool) {
        self.flowing = false;
        let empty_line = self.gaps.empty_line(at);
        if self.marked && !lines {
            self.out.push(" ");
        } else if !self.out.is_empty() {
            let indentation = if lines { "\n".to_owned() } else { self.indentation() };
            if empty_line && !self.marked {
                self.out.push("\n");
            }
            self.out.push(&indentation);
        }
        self.marked = false;
        if self.quoted > 0 && self.quote.is_none() {
            self.quote = Some(self.out.open(Style::Quote));
        }
    }

    /// A line break, and what the next line of an item begins with.
    fn indentation(&self) -> String {
        format!("\n{}", "  ".repeat(self.items.min(INDENTED)))
    }
}

/// What the opening line of a block says: a language, with attributes that are dropped, or already a line of it.
fn opening(kind: &CodeBlockKind<'_>) -> (Option<String>, String) {
    let CodeBlockKind::Fenced(info) = kind else { return (None, String::new()) };
    let info = info.trim();
    let info = info.strip_prefix('{').map_or(info, |info| info.trim_end_matches('}'));
    let (name, rest) = info.split_once([' ', '\t', ',', '{']).unwrap_or((info, ""));
    if name.len() > LANGUAGE || info.contains(char::is_whitespace) && !rest.contains(['=', '{', '}']) {
        return (None, format!("{info}\n"));
    }
    (Some(name.to_owned()).filter(|name| !name.is_empty()), String::new())
}
