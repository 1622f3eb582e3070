//! The markers of lists' items.

/// What an item has: its marker shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Nothing: its sign is just a sign.
    Nothing,
    /// A task.
    Task {
        /// It is ticked.
        done: bool,
    },
    /// Anything else.
    Words,
}

/// The numbers of an ordered list's first item and of its last one so far.
#[derive(Debug, Default)]
pub(super) struct Numbers(Option<(u64, u64)>);

/// What is shown for the marker at the start of this source; an ordered list has numbers.
pub(super) fn marker(numbers: Option<&mut Numbers>, content: Content, source: &str) -> String {
    let number = numbers.map(|numbers| numbers.next(source));
    match (number, content) {
        (Some(number), Content::Task { done }) => format!("{number} {}", task(done)),
        (Some(number), Content::Words | Content::Nothing) => number,
        (None, Content::Task { done }) => task(done).to_owned(),
        (None, Content::Words) => "•".to_owned(),
        (None, Content::Nothing) => source.chars().take(1).collect(),
    }
}

fn task(done: bool) -> &'static str {
    if done { "☑" } else { "☐" }
}

impl Numbers {
    /// An item's number with its sign, as the source has it; who repeats 0 or 1 wants to have them counted.
    fn next(&mut self, source: &str) -> String {
        let digits = source.len() - source.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let own: u64 = source[..digits].parse().unwrap_or_default();
        let sign = source[digits..].chars().next().unwrap_or('.');
        let (first, number) = match self.0 {
            Some((first @ 0..=1, last)) if own == first => (first, last.saturating_add(1)),
            Some((first, _)) => (first, own),
            None => (own, own),
        };
        self.0 = Some((first, number));
        if number == own { format!("{}{sign}", &source[..digits]) } else { format!("{number}{sign}") }
    }
}
