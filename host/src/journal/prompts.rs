//! Messages of ours that are permission prompts: what has to be rewritten once the request is decided, and what no
//! other action may touch.

use std::borrow::Cow;

use rusqlite::{Connection, params};

use super::{JournalError, Reader};
use crate::name::AdapterName;

/// Prompts that are remembered of one adapter.
const PROMPTS: i64 = 10_000;

/// What happens to a prompt; whose it is, the transaction's lane says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PromptChange {
    /// The platform has taken it, or has put it in the place of what stood in that message before.
    Shown {
        /// Where.
        conversation: String,
        /// The platform's id of the message.
        message: String,
        /// What is asked; goes to [`OpenPrompt::subject`] unchanged.
        subject: String,
    },
    /// Nothing can be decided with it any more. Remembered all the same: see [`Reader::is_prompt`].
    Closed {
        /// Where.
        conversation: String,
        /// The platform's id of the message.
        message: String,
    },
}

/// A prompt that was shown and not closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenPrompt {
    /// Where.
    pub conversation: String,
    /// The platform's id of the message.
    pub message: String,
    /// What [`PromptChange::Shown`] said.
    pub subject: String,
    /// When it was shown, in milliseconds since the Unix epoch.
    pub time_ms: i64,
}

/// The one way to write an id that platforms may take in several: without spaces around it, and an integer without a
/// plus and leading zeros.
fn plain(id: &str) -> Cow<'_, str> {
    let id = id.trim_matches(|c: char| c.is_whitespace() || c.is_control());
    let (sign, digits) = match id.as_bytes().first() {
        Some(b'-') => ("-", &id[1..]),
        Some(b'+') => ("", &id[1..]),
        _ => ("", id),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return id.into();
    }
    match digits.trim_start_matches('0') {
        "" => "0".into(),
        significant => format!("{sign}{significant}").into(),
    }
}

/// Applies a change to the tables. Closing what is not known changes nothing.
pub(super) fn apply(
    connection: &Connection,
    adapter: &AdapterName,
    change: &PromptChange,
    now_ms: i64,
) -> rusqlite::Result<()> {
    match change {
        PromptChange::Shown { conversation, message, subject } => {
            connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO prompt (adapter, conversation, message, plain_conversation, plain_message,
                     subject, open, time_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7)",
                )?
                .execute(params![
                    adapter.as_str(),
                    conversation,
                    message,
                    plain(conversation),
                    plain(message),
                    subject,
                    now_ms
                ])?;
            // The oldest make room, closed ones before open ones.
            connection
                .prepare_cached(
                    "DELETE FROM prompt WHERE id IN (
                         SELECT id FROM prompt WHERE adapter = ?1 ORDER BY open DESC, id DESC LIMIT -1 OFFSET ?2
                     )",
                )?
                .execute(params![adapter.as_str(), PROMPTS])
        }
        PromptChange::Closed { conversation, message } => connection
            .prepare_cached("UPDATE prompt SET open = 0 WHERE adapter = ?1 AND conversation = ?2 AND message = ?3")?
            .execute([adapter.as_str(), conversation, message]),
    }
    .map(drop)
}

#[allow(clippy::missing_errors_doc)] // Said once, at the type.
impl Reader {
    /// The prompts of an adapter that are not closed, in the order in which they were shown; also those of an earlier
    /// process.
    pub fn open_prompts(&self, adapter: &AdapterName) -> Result<Vec<OpenPrompt>, JournalError> {
        self.all(
            "SELECT conversation, message, subject, time_ms FROM prompt WHERE adapter = ?1 AND open = 1 ORDER BY id",
            [adapter.as_str()],
            |row| {
                Ok(OpenPrompt {
                    conversation: row.get(0)?,
                    message: row.get(1)?,
                    subject: row.get(2)?,
                    time_ms: row.get(3)?,
                })
            },
        )
    }

    /// Whether that message is a prompt, open or closed, also where the ids are written in another way: with spaces
    /// around them, a plus or leading zeros. The newest 10,000 of each adapter are known.
    pub fn is_prompt(&self, adapter: &AdapterName, conversation: &str, message: &str) -> Result<bool, JournalError> {
        let found = self.one(
            "SELECT 1 FROM prompt WHERE adapter = ?1 AND plain_conversation = ?2 AND plain_message = ?3",
            params![adapter.as_str(), plain(conversation), plain(message)],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_integer_has_one_way_to_be_written_and_other_ids_stay() {
        for (written, expected) in [
            ("7", "7"),
            (" 7\t", "7"),
            ("\u{a0}\u{0}7\n", "7"),
            ("+7", "7"),
            ("007", "7"),
            (" +007 ", "7"),
            ("-1001654782309", "-1001654782309"),
            ("-007", "-7"),
            ("0", "0"),
            ("-0", "0"),
            ("+000", "0"),
            ("340282366920938463463374607431768211456", "340282366920938463463374607431768211456"),
            ("1700000000.000100", "1700000000.000100"),
            ("007a", "007a"),
            ("--7", "--7"),
            ("+-7", "+-7"),
            ("+", "+"),
            ("-", "-"),
            ("", ""),
            (" a b ", "a b"),
            ("٧", "٧"),
        ] {
            assert_eq!(plain(written), expected, "{written:?}");
        }
    }

    proptest! {
        #[test]
        fn it_is_the_same_however_often_it_is_done(id in "\\PC{0,12}|[ +0-9-]{0,12}") {
            let once = plain(&id).into_owned();
            prop_assert_eq!(plain(&once), once.as_str());
        }

        #[test]
        fn every_way_to_write_a_number_is_the_same_id(
            number: i64, zeros in 0usize..9, before in "[ \\t\\n]{0,3}", after in "[ \\t\\n]{0,3}",
        ) {
            let sign = if number < 0 { "-" } else { "+" };
            let written = format!("{before}{sign}{}{}{after}", "0".repeat(zeros), number.unsigned_abs());
            prop_assert_eq!(plain(&written), number.to_string());
        }
    }
}
