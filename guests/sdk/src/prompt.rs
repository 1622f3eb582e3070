//! Questions with buttons: `Action::Ask`.
//!
//! The host writes the text and the buttons and compares them with what leaves: show both as they are, with the
//! buttons in their order. It reads the answer itself, so a pressed button is none of the adapter's business. Whoever
//! knows a button's token can press it: a token goes to the platform, and never into a log or the state of anything else.
//!
//! ```
//! use sluicegate_sdk::prelude::*;
//!
//! fn ask(prompt: &Prompt) -> Performed {
//!     let buttons = |row: &[Choice]| -> Value {
//!         row.iter().map(|choice| json!({ "text": choice.label, "callback_data": choice.token })).collect()
//!     };
//!     let body = json!({
//!         "chat": prompt.place.conversation,
//!         "message": prompt.replaces, // left out when it is a new message
//!         "text": prompt.text.text,
//!         "rows": prompt.rows().map(buttons).collect::<Vec<_>>(),
//!     });
//!     let method = if prompt.replaces.is_some() { "change" } else { "post" };
//!     Request::to(method).json(body).send()?.accepted()?;
//!     Ok(Outcome::Done) // the host reads the new message's id from the answer
//! }
//!
//! let host = testing::Host::new();
//! host.answer("post", Response::json(200, &json!({ "id": 7 })));
//! assert_eq!(ask(&testing::prompt("c1", "Run it?", &[("Allow", "t1"), ("Deny", "t2")])), Ok(Outcome::Done));
//! let row = json!([{ "text": "Allow", "callback_data": "t1" }, { "text": "Deny", "callback_data": "t2" }]);
//! let body = json!({ "chat": "c1", "text": "Run it?", "rows": [row] });
//! assert_eq!(host.requests(), [Request::to("post").json(body)]);
//! ```

use crate::types::{Choice, Prompt};

impl Prompt {
    /// The buttons in rows, for platforms that have rows: the last two side by side, each one before them in a row of
    /// its own. Read row by row they stand in the order of `choices`. No rows without buttons.
    pub fn rows(&self) -> impl Iterator<Item = &[Choice]> {
        let (above, last) = self.choices.split_at(self.choices.len().saturating_sub(2));
        above.chunks(1).chain((!last.is_empty()).then_some(last))
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::prompt;

    #[test]
    fn the_last_two_buttons_stand_side_by_side_and_the_order_is_kept() {
        let all = [("See more", "1"), ("Allow", "2"), ("Deny", "3")];
        for (buttons, widths) in [(&all[..0], vec![]), (&all[..1], vec![1]), (&all[1..], vec![2]), (&all, vec![1, 2])] {
            let prompt = prompt("c", "?", buttons);
            assert_eq!(prompt.rows().map(<[_]>::len).collect::<Vec<_>>(), widths);
            assert_eq!(prompt.rows().flatten().cloned().collect::<Vec<_>>(), prompt.choices);
        }
    }
}
