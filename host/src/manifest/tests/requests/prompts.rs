//! Permission prompts: endpoints that carry them, and rules that read pressed buttons.

use super::*;

const PROMPTS: &str = r#"
[[endpoint]]
name = "prompt"
for = ["ask"]
method = "POST"
url = "{config:api}/bot{secret:token}/prompt"
body = "json"
fields = ["/chat", "/words", "/style/*/kind", "/rows/*/*/label", "/rows/*/*/data"]
required = ["/words"]
values = { "/style/*/kind" = ["bold", "code"] }
conversation = ["/chat"]
text = "/words"
buttons = { at = "/rows/*/*", label = "/label", token = "/data" }
sent = "/message/id"

[[endpoint]]
name = "rewrite"
for = ["edit", "ask"]
method = "PATCH"
url = "{config:api}/prompts"
body = "json"
fields = ["/chat", "/id", "/words"]
required = ["/words", "/id"]
conversation = ["/chat"]
message = "/id"
text = "/words"

[[endpoint]]
name = "taken"
for = ["handle"]
method = "POST"
url = "{config:api}/taken"
body = "json"
fields = ["/press/id", "/press/kind", "/note"]
required = ["/press/id"]

[[identity]]
name = "button"
source = "updates"
kind = "button"
event = "/update_id"
message = "/press/message/id"
sender = "/press/from/id"
conversation = "/press/chat/id"
token = "/press/data"
repeats = { text = "/press/message/words", buttons = { at = "/press/message/rows/*/*", label = "/label", token = "/data" } }
acknowledge = { endpoint = "taken", fields = { "/press/id" = "/press/id", "/note" = "$match:0" } }
"#;

/// A platform that can ask.
fn asking() -> String {
    format!("{}{PROMPTS}", bot_with("actions = [\"send\", \"fetch\"]", "actions = [\"send\", \"ask\", \"fetch\"]"))
}

/// Replaces a line of `PROMPTS`.
fn asking_with(line: &str, with: &str) -> String {
    assert_eq!(PROMPTS.matches(line).count(), 1, "{line}");
    asking().replace(line, with)
}

#[test]
fn everything_about_prompts_is_read() {
    let manifest = parse(&asking()).unwrap();
    assert!(manifest.actions.contains(&Action::Ask));
    let platform = &manifest.own;
    let prompt = platform.endpoint("prompt").unwrap();
    let buttons = prompt.buttons.as_ref().unwrap();
    assert_eq!((&*buttons.at.text, buttons.label.as_str(), buttons.token.as_str()), ("/rows/*/*", "/label", "/data"));
    assert_eq!(prompt.values[&FieldPattern::parse("/style/*/kind").unwrap()].len(), 2);
    let anew: Vec<&str> =
        platform.endpoints.iter().filter(|it| it.asks_anew()).map(|endpoint| &*endpoint.name).collect();
    assert_eq!(anew, ["prompt"]);
    let rule = platform.identity("button").unwrap();
    assert_eq!((rule.kind, &rule.token), (Kind::Button, &Some(Value::parse("/press/data").unwrap())));
    assert_eq!(rule.repeats.as_ref().unwrap().text, Some(Pointer::parse("/press/message/words").unwrap()));
    let acknowledge = rule.acknowledge.as_ref().unwrap();
    assert_eq!((&*acknowledge.endpoint, acknowledge.fields.len()), ("taken", 2));
    assert_eq!(acknowledge.fields[&Pointer::parse("/note").unwrap()], Value::Match(0));
}

#[test]
fn prompts_and_buttons_show_themselves_as_the_toml_they_came_from() {
    let platform = parse(&asking()).unwrap().own;
    let polls = platform.polls.iter().map(ToString::to_string);
    let rules = platform.identities.iter().map(ToString::to_string);
    let tables: Vec<String> = polls.chain(platform.endpoints.iter().map(ToString::to_string)).chain(rules).collect();
    let again = parse(&format!("{}{}", &BOT[..BOT.find("[[poll]]").unwrap()], tables.join("\n"))).unwrap().own;
    assert_eq!(platform, again);
}

#[test]
fn endpoints_for_prompts_carry_the_hosts_words_and_name_the_message() {
    let message = "message = \"/id\"";
    for (line, with, expected) in [
        ("text = \"/words\"\nbuttons", "buttons", "a prompt is in the host's words; say where they stand"),
        ("required = [\"/words\"]", "", "a prompt has its text always; add \"/words\" to `required`"),
        ("required = [\"/words\"]", "required = [\"/chat\"]", "add \"/words\" to `required`"),
        (
            "values = { \"/style/*/kind\" = [\"bold\", \"code\"] }\nconversation = [\"/chat\"]\ntext = \"/words\"",
            "conversation = [\"/chat\"]\ntext = \"/style/*/kind\"",
            "a prompt has one text",
        ),
        ("conversation = [\"/chat\"]\ntext = \"/words\"\nbuttons", "text = \"/words\"\nbuttons", "say where it stands"),
        ("sent = \"/message/id\"", "", "the host must know which message the prompt is"),
        ("sent = \"/message/id\"", "sent = { items = \"/all/*\", id = \"/id\" }", "a prompt is one message"),
        ("sent = \"/message/id\"", "sent = \"/message/id\"\ndownload = true", "a file names no message"),
        (message, "message = \"/id\"\ndownload = true", "a prompt is not answered with a file"),
        (message, "", "the host must know which message the prompt is"),
        ("required = [\"/words\", \"/id\"]", "required = [\"/words\"]", "add \"/id\" to `required`"),
        ("for = [\"edit\", \"ask\"]", "for = [\"edit\", \"handle\"]", "make two endpoints of it"),
        ("for = [\"ask\"]", "for = [\"send\"]", "`buttons` is for \"ask\""),
        (
            message,
            "message = \"/id\"\nbuttons = { at = \"/rows/*\", label = \"/a\", token = \"/b\" }",
            "\"/rows/*/a\" is not in",
        ),
        ("\"/rows/*/*/data\"]", "\"/x\"]", "\"/rows/*/*/data\" is not in `fields`"),
        ("\"/rows/*/*/label\"", "\"/x\"", "\"/rows/*/*/label\" is not in `fields`"),
        ("\"/rows/*/*/data\"]", "\"/rows/*/*/data\", \"/rows/*/*/url\"]", "take \"/rows/*/*/url\" out of `fields`"),
        ("\"/rows/*/*/data\"]", "\"/rows/*/*/data\", \"/rows/*/*/x/y\"]", "take \"/rows/*/*/x/y\" out of `fields`"),
        ("\"/rows/*/*/data\"]", "\"/rows/*/*/data\", \"/rows/*/*\"]", "cannot both be leaves"),
        (
            "sent = \"/message/id\"",
            "sent = \"/message/id\"\nfixed = { \"/rows/x\" = 1 }",
            "the host writes \"/rows/x\"",
        ),
        (
            "label = \"/label\", token = \"/data\" }\nsent",
            "label = \"/label\", token = \"/label\" }\nsent",
            "one of each",
        ),
        (
            "at = \"/rows/*/*\", label = \"/label\", token = \"/data\" }\nsent",
            "at = \"/rows/*/*\" }\nsent",
            "missing field `label`",
        ),
        (
            "text = \"/words\"\nbuttons",
            "text = \"/words\"\nspoken = [\"/rows/*/*/label\"]\nbuttons",
            "is compared as `spoken` already",
        ),
        ("values = { \"/style/*/kind\" =", "values = { \"/style/*/name\" =", "\"/style/*/name\" is not in `fields`"),
        ("values = { \"/style/*/kind\" =", "values = { \"/words\" =", "is compared as `text` already"),
        ("[\"bold\", \"code\"]", "[]", "name the texts that it may have"),
        ("[\"bold\", \"code\"]", "[\"bold\", \"bold\"]", "\"bold\" is there twice"),
        ("[\"bold\", \"code\"]", "[\"bold\", 1]", "expected a string"),
        ("[\"bold\", \"code\"]", "[\"\"]", "it has 1 to 200 bytes"),
        ("[\"bold\", \"code\"]", "[\"a\\u200b\"]", "no control or invisible characters"),
        ("[\"bold\", \"code\"]", "\"bold\"", "expected a sequence"),
    ] {
        let error = error(&asking_with(line, with));
        assert!(error.contains(expected), "{with}\n{error}");
    }
    let unnamed = asking_with("required = [\"/words\", \"/id\"]", "required = [\"/words\"]\nsent = \"/id\"");
    assert!(
        error(&unnamed).contains("an edit could change a prompt; say where the endpoint `rewrite` names its message")
    );
}

#[test]
fn whoever_asks_has_a_way_to_send_the_prompt() {
    let no = "no prompt could be sent: it needs an endpoint for = [\"ask\"]";
    let one = PROMPTS.find("[[endpoint]]\nname = \"rewrite\"").unwrap();
    let asks = bot_with("actions = [\"send\", \"fetch\"]", "actions = [\"send\", \"fetch\", \"ask\"]");
    let rewrites = &PROMPTS[one..PROMPTS.find("[[identity]]").unwrap()];
    for (text, at) in [
        (asks.clone(), "line 4, column 29, actions[2]: "),
        (format!("{asks}{rewrites}"), "actions[2]: "),
        ("actions = [\"ask\"]".into(), "actions[0]: "),
        ("profile = \"webhook\"\nactions = [\"ask\"]".into(), "line 5, column 12, actions[0]: "),
    ] {
        let error = error(&text);
        assert!(error.contains(&format!("{at}{no}")), "{error}");
    }
    let page = "[[route]]\nname = \"page\"\npath = \"/socket\"\nauth = \"page\"\nwebsocket = true";
    for text in [
        asking(),
        format!("actions = [\"ask\"]\n{page}"),
        "profile = \"telegram\"\nactions = [\"ask\"]".into(),
        "profile = \"fakechat\"\nactions = [\"ask\"]".into(),
    ] {
        parse(&text).unwrap();
    }
    let hook = page.replace("\"page\"\nweb", "\"credential\"\nweb").replace("/socket", "/{credential}");
    assert!(error(&format!("actions = [\"ask\"]\n{hook}")).contains(no));
}

#[test]
fn rules_about_buttons_can_be_read_and_acknowledged() {
    let token = "token = \"/press/data\"";
    let acknowledge = "{ endpoint = \"taken\", fields = { \"/press/id\" = \"/press/id\", \"/note\" = \"$match:0\" } }";
    for (line, with, expected) in [
        (token, "", "a pressed button brings back what the host gave it; say where that stands"),
        (token, "token = \"$match:0\"", "what came back with the button is a pointer"),
        (token, "token = { const = \"x\" }", "what came back with the button is a pointer"),
        (token, "token = \"data\"", "names no value"),
        ("kind = \"button\"", "kind = \"message\"", "`token` is for rules of the kind \"button\"; take it out"),
        ("kind = \"button\"", "", "`token` is for rules of the kind \"button\"; take it out"),
        ("kind = \"button\"\nevent", "kind = \"edit\"\nevent", "`token` is for rules of the kind"),
        ("text = \"/press/message/words\"", "words = \"/press/message/words\"", "unknown field `words`"),
        ("text = \"/press/message/words\"", "text = \"words\"", "begins with `/`"),
        ("at = \"/press/message/rows/*/*\"", "at = \"/press/message/rows\"", "with `*` at the end"),
        (acknowledge, "{ endpoint = \"nothing\", fields = {} }", "no endpoint is named \"nothing\""),
        (acknowledge, "{ endpoint = \"send\", fields = {} }", "\"send\" is not for that"),
        (acknowledge, "{ endpoint = \"lookup\", fields = {} }", "\"lookup\" is not for that"),
        (acknowledge, "{ endpoint = \"me\", fields = {} }", "let \"me\" have body = \"json\""),
        (acknowledge, "{ endpoint = \"taken\", fields = {} }", "\"taken\" requires \"/press/id\""),
        (
            acknowledge,
            "{ endpoint = \"taken\", fields = { \"/press/kind\" = \"/a\" } }",
            "\"taken\" requires \"/press/id\"",
        ),
        (
            acknowledge,
            "{ endpoint = \"taken\", fields = { \"/press\" = \"/a\" } }",
            "\"/press\" is not in the `fields`",
        ),
        (acknowledge, "{ endpoint = \"taken\", fields = { \"/press/id\" = \"a\" } }", "names no value"),
        (acknowledge, "{ endpoint = \"taken\", fields = { \"/press/id\" = { const = \"1\" } } }", "cannot stand here"),
        (acknowledge, "{ endpoint = \"taken\" }", "missing field `fields`"),
        (acknowledge, "\"taken\"", "invalid type: string"),
        ("url = \"{config:api}/taken\"", "url = \"{config:api}/taken?a={a?}\"", "a URL without variables"),
        ("\"/press/id\", \"/press/kind\"", "\"/press/id\", \"/press/id/kind\"", "cannot both be leaves"),
    ] {
        let error = error(&asking_with(line, with));
        assert!(error.contains(expected), "{with}\n{error}");
    }
    let start = PROMPTS.find("repeats = ").unwrap();
    let line = &PROMPTS[start..start + PROMPTS[start..].find('\n').unwrap()];
    assert!(error(&asking_with(line, "repeats = {}")).contains("it says nothing; name `text` or `buttons`"));
    parse(&asking_with(line, "repeats = { text = \"/a\" }")).unwrap();
    for less in ["", "repeats = { buttons = { at = \"/a/*\", label = \"/b\", token = \"/c\" } }"] {
        let error = error(&asking_with(line, less));
        assert!(error.contains("a pressed button must say what it hung on"), "{less}\n{error}");
    }
    let others = asking_with(token, "").replace("kind = \"button\"", "");
    assert!(error(&others).contains("`repeats` is for rules of the kind"));
}

#[test]
fn every_change_of_a_prompt_shows() {
    let contract = |text: &str| parse(text).unwrap().resolve().unwrap();
    let old = contract(&asking());
    for (line, with) in [
        ("buttons = { at = \"/rows/*/*\", label = \"/label\", token = \"/data\" }\nsent", "sent"),
        ("[\"bold\", \"code\"]", "[\"bold\"]"),
        ("token = \"/press/data\"", "token = \"/press/other\""),
        ("text = \"/press/message/words\", ", "text = \"/press/message/caption\", "),
        ("\"/note\" = \"$match:0\"", "\"/note\" = \"/press/note\""),
    ] {
        let changes = contract(&asking_with(line, with)).changes_from(&old);
        assert!(changes.iter().any(|it| it.to_string().contains(", in another way")), "{with}\n{changes:#?}");
    }
    let asks: Vec<String> = old.asks().iter().map(ToString::to_string).collect();
    for text in [
        "may carry permission prompts to your approvers",
        "may request POST {config:api}/bot<secret token>/prompt to carry permission prompts; only to the conversation that is \
         answered",
    ] {
        assert!(asks.iter().any(|ask| ask == text), "{text}\n{asks:#?}");
    }
}

#[test]
fn the_profiles_read_buttons_and_carry_prompts() {
    let platform = |name: &str| parse(&format!("profile = \"{name}\"")).unwrap().resolve().unwrap().platform;
    let telegram = platform("telegram");
    let asks = telegram.endpoints.iter().filter(|endpoint| endpoint.uses.contains(&Use::Action(Action::Ask)));
    let asks: Vec<(&str, bool, bool)> = asks
        .map(|it| (&*it.name, it.asks_anew(), it.buttons.as_ref().is_some_and(|it| it.leaves().len() == 2)))
        .collect();
    assert_eq!(asks, [("sendMessage", true, true), ("editMessageText", false, true)]);
    for (platform, repeats) in [(&telegram, true), (&platform("fakechat"), false)] {
        let rules: Vec<_> = platform.identities.iter().filter(|rule| rule.kind == Kind::Button).collect();
        let [rule] = rules.as_slice() else { panic!("there is one rule") };
        assert!(rule.time.is_none() && rule.message.is_some() && rule.token.is_some());
        assert_eq!((rule.repeats.is_some(), rule.acknowledge.is_some()), (repeats, repeats));
    }
}
