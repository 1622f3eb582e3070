//! `reply_markup` as Telegram checks it.

use serde_json::{Map, Value, json};

use super::{
    refusal::{Answer, bad},
    request::Arguments,
};

/// The inline keyboard of a request, as it will be in the message; null for none and for the other kinds of markup.
pub(super) fn reply_markup(arguments: &Arguments) -> Answer {
    let text = arguments.get("reply_markup");
    if text.is_empty() {
        return Ok(Value::Null);
    }
    let Ok(markup) = serde_json::from_str::<Value>(text) else {
        return Err(bad("Can't parse reply keyboard markup JSON object"));
    };
    let Value::Object(markup) = markup else { return Err(bad("Object expected as reply markup")) };
    let Some(rows) = markup.get("inline_keyboard") else { return Ok(Value::Null) };
    let Some(rows) = rows.as_array() else { return Err(bad("Field \"inline_keyboard\" must be of type Array")) };
    let mut kept = Vec::new();
    for row in rows {
        let Some(row) = row.as_array() else {
            return Err(bad("Field \"inline_keyboard\" of the InlineKeyboardMarkup must be an Array of Arrays"));
        };
        let buttons = row.iter().map(button).collect::<Answer<Vec<Value>>>()?;
        if buttons.len() > 8 {
            return Err(bad("BUTTON_ROW_TOO_LONG"));
        }
        if !buttons.is_empty() {
            kept.push(Value::from(buttons));
        }
    }
    if kept.len() > 100 {
        return Err(bad("reply markup is too long"));
    }
    Ok(if kept.is_empty() { Value::Null } else { json!({ "inline_keyboard": kept }) })
}

fn button(button: &Value) -> Answer {
    let wrong = |reason: &str| bad(format!("Can't parse inline keyboard button: {reason}"));
    let Value::Object(members) = button else { return Err(wrong("InlineKeyboardButton must be an Object")) };
    let text = |name: &str| members.get(name).map(|value| value.as_str().ok_or(()));
    let Some(Ok(label)) = text("text") else {
        return Err(wrong("Can't find field \"text\", or it is no String"));
    };
    if label.trim().is_empty() {
        return Err(bad("BUTTON_TEXT_INVALID"));
    }
    let kinds = [
        "url",
        "callback_data",
        "web_app",
        "login_url",
        "switch_inline_query",
        "switch_inline_query_current_chat",
        "switch_inline_query_chosen_chat",
        "copy_text",
        "callback_game",
        "pay",
    ];
    let given: Vec<&str> = kinds.into_iter().filter(|kind| members.contains_key(*kind)).collect();
    let [kind] = given[..] else {
        return Err(match given.len() {
            0 => wrong("Text buttons are unallowed in the inline keyboard"),
            _ => wrong("exactly one kind of button is allowed (the fake is strict)"),
        });
    };
    let mut kept = Map::from_iter([("text".to_owned(), json!(label)), (kind.to_owned(), members[kind].clone())]);
    match (kind, text(kind)) {
        ("callback_data", Some(Ok(data))) if (1..=64).contains(&data.len()) => {}
        ("callback_data", _) => return Err(bad("BUTTON_DATA_INVALID")),
        ("url", Some(Ok(url))) => {
            let known = ["http://", "https://", "tg://"].iter().any(|scheme| url.starts_with(scheme));
            if !known {
                return Err(bad(format!("inline keyboard button URL '{url}' is invalid: Unsupported URL protocol")));
            }
        }
        ("url", _) => return Err(wrong("Field \"url\" must be of type String")),
        _ => {}
    }
    if let Some(style) = members.get("style") {
        kept.insert("style".into(), style.clone());
    }
    Ok(Value::Object(kept))
}
