//! A desk whose adapter is the guest `impostor`, and the orders that it takes.

use serde_json::Value;

use crate::{Guest, desk::Desk};

/// The buttons of a prompt of the impostor's: it has one row of them.
pub const ROW: &str = "/reply_markup/inline_keyboard/0";

/// A desk whose adapter is the impostor, Alice, and Wanda, whose prompts it leaves alone.
pub fn impostor() -> (Desk, i64, i64) {
    let desk = Desk::of(&Guest::new("impostor"), &["Alice", "Wanda"]);
    let (alice, wanda) = (desk.approvers[0], desk.approvers[1]);
    (desk, alice, wanda)
}

/// Gives it an order, and waits until it has it.
pub fn order(desk: &Desk, order: &Value) {
    let said = desk.says(desk.mallory, &order.to_string());
    desk.telegram.wait_until_confirmed(said.update);
}

/// What came of what it did under that name.
pub fn told(desk: &Desk, name: &str) -> String {
    desk.logged(&format!("impostor {name}: "))
}

/// What it was last shown for that conversation: the body of an honest request.
///
/// # Panics
/// If the log has no such line.
pub fn leaked(desk: &Desk, chat: i64) -> Value {
    let leak = desk.logged(&format!("impostor leaks {chat}: "));
    serde_json::from_str(&leak).unwrap_or_else(|error| panic!("{error}: {leak}"))
}

/// The texts of the bot in a chat.
pub fn texts(desk: &Desk, chat: i64) -> Vec<String> {
    desk.telegram
        .look(|view| view.sent(chat).iter().filter_map(|message| message["text"].as_str().map(str::to_owned)).collect())
}
