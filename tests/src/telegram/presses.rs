//! Buttons that users press, and callback queries that no client would make.

use serde_json::{Value, json};

use super::{
    Telegram,
    chats::{Access, Kind},
    state::State,
};

impl Telegram {
    /// The user has opened the chat with the bot: it may write there, although it has heard nothing.
    ///
    /// # Panics
    /// If there is no such user.
    pub fn befriend(&self, user: i64) {
        self.change(|state| state.chats.get_mut(&user).expect("the user is known").access = Access::Open);
    }

    /// The user presses the button with that `callback_data` under a message of the bot; gives the query's id.
    ///
    /// # Panics
    /// If there is no such button now, or the user does not see the chat.
    pub fn press(&self, user: i64, chat: i64, message: i64, data: &str) -> String {
        self.change(|state| {
            let rows = state.stored(chat, message).value["reply_markup"]["inline_keyboard"].clone();
            let mut buttons = rows.as_array().into_iter().flatten().filter_map(Value::as_array).flatten();
            assert!(buttons.any(|button| button["callback_data"] == data), "there is no button {data:?}: {rows}");
            let sees =
                state.chats.get(&chat).is_some_and(|chat| chat.kind == Kind::Channel || chat.members.contains(&user));
            assert!(sees, "{user} is not in {chat}");
            state.press(user, chat, message, data)
        })
    }

    /// As [`Self::press`], whether there is such a button or not: clients can be made to send anything. Of a message
    /// that is gone the bot is told where it was, and no more.
    pub fn press_forged(&self, user: i64, chat: i64, message: i64, data: &str) -> String {
        self.change(|state| state.press(user, chat, message, data))
    }

    /// A callback query with these members in place of Telegram's own; null takes one away. Gives its id.
    ///
    /// # Panics
    /// If there is no such message.
    pub fn press_altered(&self, user: i64, chat: i64, message: i64, data: &str, members: &Value) -> String {
        self.change(|state| {
            let id = state.next_query();
            let message = state.stored(chat, message).value.clone();
            let mut value = query(&id, &state.user_json(user), &message, data);
            for (name, given) in members.as_object().into_iter().flatten() {
                value[name] = given.clone();
            }
            value.as_object_mut().into_iter().for_each(|members| members.retain(|_, value| !value.is_null()));
            state.queue_query(id, &value)
        })
    }
}

/// A callback query: what an update of that kind holds.
pub fn query(id: &str, from: &Value, message: &Value, data: &str) -> Value {
    json!({
        "id": id, "from": from, "message": message, "chat_instance": "-3391725538442018", "data": data,
    })
}

impl State {
    fn press(&mut self, user: i64, chat: i64, message: i64, data: &str) -> String {
        let id = self.next_query();
        let stored = self.chats.get(&chat).and_then(|chat| chat.messages.get(&message));
        let shown = match stored {
            Some(stored) => stored.value.clone(),
            // An InaccessibleMessage.
            None => json!({ "chat": self.chat_json(chat), "message_id": message, "date": 0 }),
        };
        let value = query(&id, &self.user_json(user), &shown, data);
        self.queue_query(id, &value)
    }

    fn next_query(&self) -> String {
        format!("{}", 4_382_093_511_000_000_017_u64 + self.queries.len() as u64)
    }

    fn queue_query(&mut self, id: String, value: &Value) -> String {
        self.queries.insert(id.clone(), Value::Null);
        let update = self.queue.push("callback_query", value);
        self.pressed.insert(id.clone(), update);
        id
    }
}
