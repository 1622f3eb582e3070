//! MarkdownV2 as Telegram reads it: what must be escaped and is not is an error, as is what is not closed.

use serde_json::{Map, Value, json};

/// The text and the spans of MarkdownV2.
///
/// # Errors
/// What Telegram says after "can't parse entities: ".
pub(super) fn parse(source: &str) -> Result<(String, Vec<Value>), String> {
    let mut parser =
        Parser { source: source.as_bytes(), at: 0, out: Vec::new(), utf16: 0, open: vec![], spans: vec![] };
    parser.run()?;
    let text = String::from_utf8(parser.out).map_err(|_| "Strings must be encoded in UTF-8".to_owned())?;
    let mut spans = parser.spans;
    spans.sort_by_key(|span| (span["offset"].as_u64(), std::cmp::Reverse(span["length"].as_u64())));
    Ok((text, spans))
}

const RESERVED: &[u8] = b"_*[]()~`>#+-=|{}.!\n";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bold,
    Italic,
    Underline,
    Strikethrough,
    Spoiler,
    Code,
    Pre,
    PreCode,
    TextUrl,
    CustomEmoji,
    BlockQuote,
    ExpandableBlockQuote,
}

impl Kind {
    /// As Telegram's errors name it.
    fn word(self) -> &'static str {
        match self {
            Self::Bold => "Bold",
            Self::Italic => "Italic",
            Self::Underline => "Underline",
            Self::Strikethrough => "Strikethrough",
            Self::Spoiler => "Spoiler",
            Self::Code => "Code",
            Self::Pre => "Pre",
            Self::PreCode => "PreCode",
            Self::TextUrl => "TextUrl",
            Self::CustomEmoji => "CustomEmoji",
            Self::BlockQuote => "BlockQuote",
            Self::ExpandableBlockQuote => "ExpandableBlockQuote",
        }
    }

    /// As messages name it.
    fn name(self) -> &'static str {
        match self {
            Self::Bold => "bold",
            Self::Italic => "italic",
            Self::Underline => "underline",
            Self::Strikethrough => "strikethrough",
            Self::Spoiler => "spoiler",
            Self::Code => "code",
            Self::Pre | Self::PreCode => "pre",
            Self::TextUrl => "text_link",
            Self::CustomEmoji => "custom_emoji",
            Self::BlockQuote => "blockquote",
            Self::ExpandableBlockQuote => "expandable_blockquote",
        }
    }
}

struct Open {
    kind: Kind,
    argument: String,
    /// Where it begins: in the source, in the text, in UTF-16 units of the text.
    source: usize,
    out: usize,
    utf16: usize,
}

struct Parser<'a> {
    source: &'a [u8],
    at: usize,
    out: Vec<u8>,
    utf16: usize,
    open: Vec<Open>,
    spans: Vec<Value>,
}

impl Parser<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.source.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn is_escape(&self) -> bool {
        self.peek(0) == b'\\' && (1..=126).contains(&self.peek(1))
    }

    fn put(&mut self, byte: u8) {
        // Continuation bytes are no character; four bytes are a surrogate pair.
        if byte & 0xC0 != 0x80 {
            self.utf16 += 1 + usize::from(byte >= 0xF0);
        }
        self.out.push(byte);
    }

    fn quoted(&self) -> bool {
        self.open.iter().any(|open| open.kind == Kind::BlockQuote)
    }

    fn run(&mut self) -> Result<(), String> {
        let mut line_begins = true;
        while self.at < self.source.len() {
            let byte = self.peek(0);
            if self.is_escape() {
                let escaped = self.peek(1);
                self.put(escaped);
                self.at += 2;
                line_begins = escaped == b'\n' || (escaped == b'\r' && line_begins);
                continue;
            }
            let top = self.open.last().map(|open| open.kind);
            let verbatim = matches!(top, Some(Kind::Code | Kind::Pre | Kind::PreCode));
            let reserved = if verbatim { byte == b'`' } else { RESERVED.contains(&byte) };
            if !reserved {
                self.put(byte);
                line_begins = byte == b'\r' && line_begins;
                self.at += 1;
            } else if self.ends(byte, top) {
                self.close(byte)?;
                line_begins = byte == b'\n';
            } else {
                self.begin(byte, &mut line_begins)?;
            }
        }
        if self.open.len() == 1 && self.open[0].kind == Kind::BlockQuote {
            self.end_span(Kind::BlockQuote, Map::new());
        } else if self.open.len() == 2
            && self.open[0].kind == Kind::BlockQuote
            && self.open[1].kind == Kind::Spoiler
            && self.open[1].out == self.out.len()
        {
            self.open.pop();
            self.end_span(Kind::ExpandableBlockQuote, Map::new());
        }
        self.open.last().map_or(Ok(()), |open| Err(unclosed(open)))
    }

    fn ends(&self, byte: u8, top: Option<Kind>) -> bool {
        let Some(top) = top else { return false };
        if self.quoted() && byte == b'\n' && self.peek(1) != b'>' {
            return true;
        }
        match top {
            Kind::Bold => byte == b'*',
            Kind::Italic => byte == b'_' && self.peek(1) != b'_',
            Kind::Underline => byte == b'_' && self.peek(1) == b'_',
            Kind::Strikethrough => byte == b'~',
            Kind::Spoiler => byte == b'|' && self.peek(1) == b'|',
            Kind::Code => byte == b'`',
            Kind::Pre | Kind::PreCode => byte == b'`' && self.peek(1) == b'`' && self.peek(2) == b'`',
            Kind::TextUrl | Kind::CustomEmoji => byte == b']',
            Kind::BlockQuote | Kind::ExpandableBlockQuote => false,
        }
    }

    fn begin(&mut self, byte: u8, line_begins: &mut bool) -> Result<(), String> {
        let source = self.at;
        let mut argument = String::new();
        let kind = match byte {
            b'_' if self.peek(1) == b'_' => {
                self.at += 1;
                Kind::Underline
            }
            b'_' => Kind::Italic,
            b'*' => Kind::Bold,
            b'~' => Kind::Strikethrough,
            b'|' if self.peek(1) == b'|' => {
                self.at += 1;
                Kind::Spoiler
            }
            b'[' => Kind::TextUrl,
            b'`' if self.peek(1) == b'`' && self.peek(2) == b'`' => {
                self.at += 3;
                let language = self.source[self.at..]
                    .iter()
                    .take_while(|byte| !byte.is_ascii_whitespace() && **byte != b'`')
                    .count();
                let kind = if language > 0 && !matches!(self.peek(language), 0 | b'`') {
                    argument = String::from_utf8_lossy(&self.source[self.at..self.at + language]).into_owned();
                    self.at += language;
                    Kind::PreCode
                } else {
                    Kind::Pre
                };
                let (first, second) = (self.peek(0), self.peek(1));
                if matches!(first, b'\n' | b'\r') {
                    self.at += 1 + usize::from(matches!(second, b'\n' | b'\r') && first != second);
                }
                self.at -= 1;
                kind
            }
            b'`' => Kind::Code,
            b'!' if self.peek(1) == b'[' => {
                self.at += 1;
                Kind::CustomEmoji
            }
            b'\n' => {
                self.put(byte);
                self.at += 1;
                *line_begins = true;
                return Ok(());
            }
            b'>' if *line_begins => {
                if self.quoted() {
                    self.at += 1;
                    return Ok(());
                }
                Kind::BlockQuote
            }
            other => {
                let other = char::from(other);
                return Err(format!("Character '{other}' is reserved and must be escaped with the preceding '\\'"));
            }
        };
        self.at += 1;
        self.open.push(Open { kind, argument, source, out: self.out.len(), utf16: self.utf16 });
        Ok(())
    }

    fn close(&mut self, byte: u8) -> Result<(), String> {
        let Some(mut kind) = self.open.last().map(|open| open.kind) else { return Ok(()) };
        if byte == b'\n' && kind != Kind::BlockQuote {
            // `||` at the end of a quotation's last line makes it expandable.
            let ends_quote = self.open.last().is_some_and(|open| {
                open.kind == Kind::Spoiler && open.out + usize::from(self.out.ends_with(b"\r")) >= self.out.len()
            });
            let under = self.open.len().checked_sub(2).map(|index| self.open[index].kind);
            match self.open.last() {
                Some(open) if !ends_quote => return Err(unclosed(open)),
                _ => {}
            }
            self.open.pop();
            match (under, self.open.last()) {
                (Some(Kind::BlockQuote), _) => kind = Kind::ExpandableBlockQuote,
                (_, Some(open)) => return Err(unclosed(open)),
                (_, None) => return Ok(()),
            }
        }
        let mut members = Map::new();
        match kind {
            Kind::Underline | Kind::Spoiler => self.at += 1,
            Kind::Pre | Kind::PreCode => self.at += 2,
            Kind::TextUrl => {
                let text_is_url = self.peek(1) != b'(';
                let url = if text_is_url {
                    let begins = self.open.last().map_or(0, |open| open.out);
                    String::from_utf8_lossy(&self.out[begins..]).into_owned()
                } else {
                    self.url()?
                };
                if !url.contains("://") && !url.contains('.') {
                    // No link can be made of it: Telegram keeps the text alone.
                    self.open.pop();
                    self.at += 1;
                    return Ok(());
                }
                members.insert("url".into(), url.into());
            }
            Kind::CustomEmoji => {
                if self.peek(1) != b'(' {
                    return Err("The entity must contain a tg://emoji or tg://time URL".into());
                }
                let url = self.url()?;
                let id = url.strip_prefix("tg://emoji?id=").filter(|id| id.parse::<i64>().is_ok());
                let id = id.ok_or("Invalid tg://emoji or tg://time URL specified")?;
                members.insert("custom_emoji_id".into(), id.into());
            }
            Kind::BlockQuote | Kind::ExpandableBlockQuote => self.put(byte),
            _ => {}
        }
        self.end_span(kind, members);
        self.at += 1;
        Ok(())
    }

    /// The address in parentheses after `]`; ends on the closing one.
    fn url(&mut self) -> Result<String, String> {
        self.at += 2;
        let begins = self.at;
        let mut url = Vec::new();
        while self.at < self.source.len() && self.peek(0) != b')' {
            if self.is_escape() {
                self.at += 1;
            }
            url.push(self.peek(0));
            self.at += 1;
        }
        if self.peek(0) != b')' {
            return Err(format!("Can't find end of a URL at byte offset {begins}"));
        }
        Ok(String::from_utf8_lossy(&url).into_owned())
    }

    fn end_span(&mut self, kind: Kind, members: Map<String, Value>) {
        let Some(open) = self.open.pop() else { return };
        if self.utf16 == open.utf16 {
            return;
        }
        let mut span = json!({ "type": kind.name(), "offset": open.utf16, "length": self.utf16 - open.utf16 });
        if kind == Kind::PreCode {
            span["language"] = open.argument.into();
        }
        for (name, value) in members {
            span[name] = value;
        }
        self.spans.push(span);
    }
}

fn unclosed(open: &Open) -> String {
    format!("Can't find end of {} entity at byte offset {}", open.kind.word(), open.source)
}
