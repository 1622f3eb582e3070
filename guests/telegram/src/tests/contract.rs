//! Manifest and profile, as far as the adapter must agree with them.

use super::*;
use std::sync::LazyLock;

static PROFILE: LazyLock<Value> = LazyLock::new(|| {
    let profile: toml::Table = include_str!("../../../../host/profiles/telegram.toml").parse().unwrap();
    serde_json::to_value(profile).unwrap()
});

fn named(list: &str, name: &str) -> &'static Value {
    let found = PROFILE[list].as_array().unwrap().iter().find(|entry| entry["name"] == name);
    found.unwrap_or_else(|| panic_with(&format!("the profile has no {list} {name:?}")))
}

#[allow(clippy::panic)]
fn panic_with(why: &str) -> ! {
    panic!("{why}")
}

fn lists(entry: &Value, key: &str, word: &str) -> bool {
    entry[key].as_array().is_some_and(|words| words.iter().any(|it| it == word))
}

/// Checks that the endpoint is for this and has every leaf of the request, and the request all that is required.
pub fn check_request(request: &Request, purpose: &str) {
    let endpoint = named("endpoint", &request.endpoint);
    assert!(lists(endpoint, "for", purpose), "{} is not for {purpose}", request.endpoint);
    let mut document = body(request);
    assert_eq!(endpoint["body"].as_str().unwrap_or("none") == "none", document.is_null());
    if document.is_null() {
        return;
    }
    for part in endpoint["json"].as_array().into_iter().flatten() {
        if let Some(text) = document.get(part.as_str().unwrap()).and_then(Value::as_str) {
            document[part.as_str().unwrap()] = serde_json::from_str(text).unwrap();
        }
    }
    for file in endpoint["files"].as_array().into_iter().flatten() {
        assert!(document[file.as_str().unwrap()]["file"].take().is_string(), "{file} is a file");
        document[file.as_str().unwrap()] = Value::Null;
    }
    let mut found = Vec::new();
    leaves(&document, String::new(), &mut found);
    for leaf in &found {
        let listed = lists(endpoint, "fields", leaf) || buttons(endpoint).contains(leaf);
        assert!(listed, "{} has no field {leaf}", request.endpoint);
    }
    for required in endpoint["required"].as_array().into_iter().flatten() {
        assert!(found.iter().any(|leaf| leaf == required), "{} needs {required}", request.endpoint);
    }
}

/// Where the endpoint has the labels and the tokens of buttons.
fn buttons(endpoint: &Value) -> Vec<String> {
    let Some(buttons) = endpoint.get("buttons") else { return Vec::new() };
    let at = buttons["at"].as_str().unwrap();
    ["label", "token"].map(|part| format!("{at}{}", buttons[part].as_str().unwrap())).into()
}

fn leaves(value: &Value, path: String, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, it)| leaves(it, format!("{path}/{name}"), found)),
        Value::Array(elements) => elements.iter().for_each(|it| leaves(it, format!("{path}/*"), found)),
        _ => found.push(path),
    }
}

fn holds(rule: &Value, update: &Value) -> bool {
    let at = |pointer: &str| update.pointer(pointer).filter(|value| !value.is_null());
    let all = |key: &str, is_there: bool| {
        rule[key].as_array().into_iter().flatten().all(|it| at(it.as_str().unwrap()).is_some() == is_there)
    };
    let equal = rule["equal"].as_object().into_iter().flatten().all(|(pointer, value)| at(pointer) == Some(value));
    let ids =
        ["event", "message", "sender", "conversation"].iter().all(|key| at(rule[key].as_str().unwrap()).is_some());
    let timed = rule["time"]["at"].as_str().is_none_or(|time| at(time).is_some());
    all("require", true) && all("absent", false) && equal && ids && timed
}

/// Checks that the rule of the message is the only one that applies, and that it finds the text that is to be read.
pub fn check_delivery(message: &Message, update: &Value) {
    let rules = PROFILE["identity"].as_array().unwrap();
    let applying: Vec<_> = rules.iter().filter(|rule| holds(rule, update)).map(|rule| &rule["name"]).collect();
    assert_eq!(applying, [&json!(message.rule)], "{update}");
    let rule = named("identity", &message.rule);
    if message.wording == Wording::Read {
        let mut texts = rule["text"].as_array().unwrap().iter();
        assert!(texts.any(|text| json::text(update, text.as_str().unwrap()).is_some()), "{update}");
    }
    let manifest: toml::Table = Telegram::MANIFEST.parse().unwrap();
    let declared = serde_json::to_value(&manifest["meta"]).unwrap();
    assert!(message.meta.iter().all(|(key, _)| declared.as_array().unwrap().contains(&json!(key))), "{update}");
}

/// Whether any rule applies to the update.
pub fn is_read_by_a_rule(update: &Value) -> bool {
    PROFILE["identity"].as_array().unwrap().iter().any(|rule| holds(rule, update))
}

#[test]
fn the_manifest_asks_for_what_the_adapter_does() {
    let manifest: toml::Table = Telegram::MANIFEST.parse().unwrap();
    assert_eq!(manifest["profile"].as_str(), Some("telegram"));
    assert!(manifest["hint"].as_str().unwrap().chars().count() <= 300);
    let actions: Vec<_> = manifest["actions"].as_array().unwrap().iter().filter_map(|it| it.as_str()).collect();
    assert_eq!(actions, ["send", "edit", "react", "typing", "ask", "fetch"]);
    let uses: Vec<&Value> =
        PROFILE["endpoint"].as_array().unwrap().iter().flat_map(|it| it["for"].as_array().unwrap()).collect();
    assert!(actions.iter().all(|action| uses.contains(&&json!(action))));
}

/// Nothing in these could carry a chat's words elsewhere or make Telegram fetch an address.
#[test]
fn the_profile_lists_no_field_that_leaks() {
    let leaks =
        ["parse_mode", "reply_parameters/chat_id", "quote", "link_preview", "reply_markup", "media", "thumbnail"];
    let keys = ["/reply_markup/inline_keyboard/*/*/text", "/reply_markup/inline_keyboard/*/*/callback_data"];
    for endpoint in PROFILE["endpoint"].as_array().unwrap() {
        let bound = endpoint["conversation"] == json!(["/chat_id"]);
        let asks = lists(endpoint, "for", "ask");
        assert_eq!(buttons(endpoint), if asks { keys.map(str::to_owned).to_vec() } else { vec![] }, "{endpoint}");
        let fields = endpoint["fields"].as_array().into_iter().flatten().filter_map(Value::as_str);
        for field in fields.filter(|field| !(asks && keys.contains(field))) {
            assert!(!leaks.iter().any(|leak| field.contains(leak)), "{field}");
            assert!(bound || !["/text", "/caption", "/chat_id"].contains(&field), "{field}");
        }
        for (key, field) in [
            ("text", "/text"),
            ("text", "/caption"),
            ("message", "/message_id"),
            ("thread", "/message_thread_id"),
            ("reply-to", "/reply_parameters/message_id"),
        ] {
            if lists(endpoint, "fields", field) {
                assert_eq!(endpoint[key], field, "{endpoint}");
            }
        }
        for file in ["photo", "document"] {
            assert_eq!(lists(endpoint, "fields", &format!("/{file}")), lists(endpoint, "files", file));
        }
        let texts = lists(endpoint, "fields", "/text");
        assert_eq!(endpoint["fixed"]["/link_preview_options/is_disabled"] == true, texts, "{endpoint}");
    }
}
