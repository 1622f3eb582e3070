//! What the texts of several messages become when they are shown as one.

use crate::message::{Message, TextBy};

/// What the text of a message is good for. Later ones outweigh earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wording {
    /// Nothing is said.
    Nothing,
    /// "(photo)", by the adapter on a message that has something attached: the attributes say it better.
    Placeholder,
    /// Somebody's words.
    Said(TextBy),
}

impl Wording {
    pub(super) fn of(message: &Message) -> Self {
        let text = message.text.trim();
        if text.is_empty() {
            Self::Nothing
        } else if message.text_by == TextBy::Adapter && !message.attachments.is_empty() && is_placeholder(text) {
            Self::Placeholder
        } else {
            Self::Said(message.text_by)
        }
    }

    /// Whether both may stand in one event. Words of different authors never do: nothing would tell them apart.
    /// Placeholders go with all, because they are left out there.
    pub(super) fn goes_with(self, other: Self) -> bool {
        match (self, other) {
            (Self::Said(one), Self::Said(other)) => one == other,
            _ => true,
        }
    }

    /// What holds for both together; of two authors the one who is trusted less.
    pub(super) fn with(self, other: Self) -> Self {
        if other.weight() > self.weight() { other } else { self }
    }

    const fn weight(self) -> u8 {
        match self {
            Self::Nothing => 0,
            Self::Placeholder => 1,
            Self::Said(TextBy::Sender) => 2,
            Self::Said(TextBy::Others) => 3,
            Self::Said(TextBy::Adapter) => 4,
        }
    }
}

/// One line in parentheses, which is how adapters write that there is no text.
fn is_placeholder(text: &str) -> bool {
    text.starts_with('(') && text.ends_with(')') && !text.contains('\n')
}

/// The texts, a line each (or more), and whose words they are. Placeholders are left out where
/// another message says something.
pub(super) fn together<'a>(messages: impl Iterator<Item = &'a Message> + Clone) -> (String, TextBy) {
    let whole = messages.clone().map(Wording::of).fold(Wording::Nothing, Wording::with);
    let mut joined = String::with_capacity(messages.clone().map(|message| message.text.len() + 1).sum());
    for message in messages {
        let wording = Wording::of(message);
        if wording == Wording::Nothing || (wording == Wording::Placeholder && whole != Wording::Placeholder) {
            continue;
        }
        if !joined.is_empty() {
            joined.push('\n');
        }
        joined.push_str(&message.text);
    }
    let by = match whole {
        Wording::Nothing => TextBy::Sender,
        Wording::Placeholder => TextBy::Adapter,
        Wording::Said(by) => by,
    };
    (joined, by)
}
