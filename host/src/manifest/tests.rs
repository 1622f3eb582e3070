#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;

use super::*;

mod requests;

const HEAD: &str = "name = \"it\"\nversion = \"1.0.0\"\nsummary = \"Something\"\n";

const PLATFORM: &str = r#"
[[route]]
name = "hook"
path = "/{credential}/*"
methods = ["POST", "PUT"]
auth = "credential"
body = "json"
items = "/events/*"
max-bytes = 1048576

[[route]]
name = "page"
path = "/"
methods = ["GET"]
auth = "page"
answer = "page"

[[route]]
name = "socket"
path = "/socket"
auth = "page"
websocket = true

[[timer]]
name = "tick"
every-ms = 60000

[[timer]]
name = "later"

[[identity]]
name = "message"
source = "hook"
kind = "edit"
require = ["/from/id", "$header:X-Kind"]
absent = ["/forward"]
equal = { "/type" = "text", "/n" = 1, "/bot" = false, "$match:0" = "a" }
event = "/id"
message = "/message/id"
time = { at = "/date", unit = "s" }
sender = "/from/id"
sender-name = "/from/name"
conversation = "/chat/id"
thread = "/thread"
direct = { at = "/chat/type", is = ["private", 1, true] }
reply-to = "/reply"
text = ["/text", "/caption"]

[[identity]]
name = "said"
source = "socket"
event = "/id"
sender = "$credential"
conversation = { const = "web" }
direct = { const = true }

[config.api]
default = "https://example.org"
summary = "Where it is"
pattern = 'https://[a-z.]+'
"#;

fn parse(rest: &str) -> Result<Manifest, ManifestError> {
    Manifest::parse(&format!("{HEAD}{rest}"))
}

fn error(rest: &str) -> String {
    parse(rest).expect_err(rest).to_string()
}

#[test]
fn everything_of_the_vocabulary_is_read() {
    let manifest = parse(&format!(
        "hint = \"Be kind.\"\nactions = [\"send\", \"react\"]\nmeta = [\"sticker_set\"]\ncomposes = true\n{PLATFORM}\n{}",
        r#"
[[tool]]
name = "weather"
summary = "Tells the weather"
place = true
params.city = { type = "string", summary = "Where", required = true, max = 40 }
params.unit = { type = "string", one-of = ["c", "f"] }
params.days = { type = "integer", max = 7 }
"#
    ))
    .unwrap();
    assert_eq!(manifest.actions.iter().copied().collect::<Vec<_>>(), [Action::Send, Action::React]);
    assert_eq!(manifest.meta, ["sticker_set"]);
    assert!(manifest.composes);
    let tool = &manifest.tools[0];
    assert!(tool.place && tool.params["city"].required && tool.params["city"].max == Some(40));
    assert_eq!(tool.params["unit"].one_of, ["c", "f"]);
    let platform = &manifest.own;
    let hook = platform.route("hook").unwrap();
    assert_eq!((hook.auth, &hook.body, hook.answer), (RouteAuth::Credential, &BodyKind::Json, Answer::Status));
    assert_eq!(hook.items.as_ref().unwrap().as_str(), "/events/*");
    assert_eq!(platform.route("socket").unwrap().methods, [Method::Get]);
    assert_eq!(platform.timers[0].every_ms, Some(60_000));
    assert_eq!(platform.timers[1].every_ms, None);
    let rule = platform.identity("message").unwrap();
    assert_eq!(rule.kind, crate::message::Kind::Edit);
    assert_eq!(rule.equal.len(), 4);
    assert!(!rule.is_by_credential());
    assert!(platform.identity("said").unwrap().is_by_credential());
    assert!(platform.config["api"].takes("https://other.example") && !platform.config["api"].takes("http://x"));
    let contract = manifest.resolve().unwrap();
    assert!(!contract.from_profile);
}

#[test]
fn the_manifest_in_the_guide_for_authors_loads() {
    let guide = include_str!("../../../wit/README.md");
    let (start, end) = (guide.find("## The manifest").unwrap(), guide.find("## Evidence and wording").unwrap());
    let blocks = guide[start..end].split("```toml\n").skip(1).map(|block| block.split("```").next().unwrap());
    let (tables, head): (Vec<&str>, Vec<&str>) = blocks.partition(|block| block.starts_with('['));
    let head = head.concat().replace("profile =", "# profile =");
    let manifest = Manifest::parse(&format!("{head}{}", tables.concat())).unwrap();
    let platform = &manifest.own;
    assert!(platform.endpoint("answer").is_some() && platform.poll("entries").is_some() && platform.burst.is_some());
}

#[test]
fn a_profile_brings_vetted_rules() {
    let contract = parse("profile = \"fakechat\"\nactions = [\"send\"]").unwrap().resolve().unwrap();
    assert!(contract.from_profile);
    assert!(contract.platform.identities.len() > 1);
    assert!(contract.asks().iter().all(|ask| !ask.text.contains("decides by itself")));
}

#[test]
fn a_rule_shows_itself_in_full_as_the_toml_it_came_from() {
    let manifest = parse(PLATFORM).unwrap();
    let tables: String = manifest.own.identities.iter().map(|rule| format!("{rule}\n")).collect();
    let start = PLATFORM.find("[[identity]]").unwrap();
    let again = parse(&format!("{}{tables}", &PLATFORM[..start])).unwrap();
    assert_eq!(manifest.own.identities, again.own.identities);
}

#[test]
fn errors_name_key_line_column_and_mend() {
    for (rest, expected) in [
        ("colour = 1", "line 4, column 1, colour: unknown field `colour`, expected one of"),
        ("hint = 3", "line 4, column 8, hint: invalid type: integer `3`, expected a string"),
        ("meta = [\"ok\", \"user\"]", "line 4, column 15, meta[1]: \"user\" does not do as a name here"),
        ("actions = [\"fly\"]", "line 4, column 12, actions[0]: unknown variant `fly`"),
        (
            "[[route]]\nname = \"a\"\npath = \"/\"\nauth = \"page\"\nmethods = [\"GET\"]\nbody = \"jso\"",
            "line 9, column 8, route[0].body: \"jso\" is no kind of body",
        ),
        ("[[timer]]\nname = \"t\"\n[[timer]]\nname = \"t\"", "line 7, column 8, timer[1].name: \"t\" is there twice"),
        ("x = = 1", "line 4, column 5, top level: this is not TOML"),
        ("name = \"again\"", "this is not TOML"),
        (
            "profile = \"nothing\"",
            "line 4, column 11, profile: this version of Sluicegate has no profile \"nothing\"; it has fakechat, telegram, webhook",
        ),
        (
            "profile = \"fakechat\"\n[[timer]]\nname = \"t\"",
            "timer[0]: a manifest with a profile selects from it; take out `timer`",
        ),
        ("profile = \"fakechat\"\n[config.a]\n", "config: a manifest with a profile"),
        (
            "[[socket]]",
            "line 4, column 3, socket: this version of Sluicegate does not know outgoing WebSockets (`[[socket]]`) yet",
        ),
        (
            "actions = [\"send\", \"ask\"]",
            "line 4, column 20, actions[1]: no prompt could be sent: it needs an endpoint for = [\"ask\"]",
        ),
        ("actions = [\"history\"]", "the action \"history\""),
    ] {
        let error = error(rest);
        assert!(error.contains(expected), "{rest}\n{error}\n{expected}");
    }
    let missing = Manifest::parse("name = \"a\"\nversion = \"1\"\n").unwrap_err().to_string();
    assert!(missing.contains("missing field `summary`"), "{missing}");
    let large = Manifest::parse(&" ".repeat(70_000)).unwrap_err();
    assert!(matches!(large, ManifestError::TooLarge { .. }));
}

#[test]
fn errors_show_nothing_of_a_hostile_manifest_as_it_is() {
    for rest in [
        "\"\\u001b[2J\\u202e\" = 1",
        "actions = [\"\\u001b]0;x\\u0007\"]",
        "[config.\"\\u202e\"]",
        "profile = \"a\\u001b\"",
        "[[route]]\nname = \"\\u001b\"",
        "[config.a]\npattern = \"(\\u001b\"",
        "x = \u{202e}",
    ] {
        let error = error(rest);
        assert!(error.chars().all(is_plain), "{error:?}");
    }
    assert!(error("[config.a]\npattern = '(a'").ends_with("it is no pattern that can be used: unclosed group"));
}

#[test]
fn texts_are_short_and_show_all_that_they_hold() {
    assert!(parse(&format!("hint = \"{}\"", "ä".repeat(300))).is_ok());
    for (rest, expected) in [
        (format!("hint = \"{}\"", "x".repeat(301)), "it has 301 characters; at most 300"),
        ("hint = \"a\\u202eb\"".into(), "\\u{202e}"),
        ("hint = \"a\\nb\"".into(), "\\u{a}"),
        ("hint = \"<system-reminder>\"".into(), "may not have `<`"),
        ("hint = \" \"".into(), "it is empty"),
        ("[config.a]\nsummary = \"a\\u200bb\"".into(), "\\u{200b}"),
        ("[config.a]\ndefault = \"a\\nb\"".into(), "no value that the user could set"),
        ("[config.a]\ndefault = \"b\"\npattern = \"a\"".into(), "no value that the user could set"),
        ("[config.A]".into(), "config.A: \"A\" does not do as a name"),
        ("[config.a]\npattern = '('".into(), "it is no pattern"),
    ] {
        let error = error(&rest);
        assert!(error.contains(expected), "{rest}\n{error}");
    }
    let long = format!("name = \"a\"\nversion = \"1\"\nsummary = \"{}\"", "x".repeat(121));
    assert!(Manifest::parse(&long).unwrap_err().to_string().contains("at most 120"));
}

/// Replaces a line of `PLATFORM`.
fn platform_with(line: &str, with: &str) -> String {
    assert_eq!(PLATFORM.matches(line).count(), 1, "{line}");
    PLATFORM.replace(line, with)
}

#[test]
fn routes_that_cannot_be_enforced_do_not_load() {
    for (line, with, expected) in [
        ("path = \"/{credential}/*\"", "path = \"/a\"", "`{credential}` exactly once"),
        ("path = \"/{credential}/*\"", "path = \"/{credential}/{credential}\"", "`{credential}` exactly once"),
        ("path = \"/socket\"", "path = \"/{credential}\"", "has no `{credential}`"),
        ("path = \"/socket\"", "path = \"/\"", "a request could be for this route or for \"page\""),
        ("path = \"/socket\"", "path = \"/**\"", "a request could be for this route or for \"page\""),
        ("methods = [\"POST\", \"PUT\"]", "methods = [\"POST\", \"GET\"]", "a GET has no body"),
        ("methods = [\"POST\", \"PUT\"]", "methods = [\"POST\", \"POST\"]", "\"POST\" is there twice"),
        ("methods = [\"POST\", \"PUT\"]", "methods = []", "say which methods"),
        ("methods = [\"POST\", \"PUT\"]", "", "say which methods"),
        ("methods = [\"POST\", \"PUT\"]", "methods = [\"TRACE\"]", "unknown variant `TRACE`"),
        ("body = \"json\"", "", "say what a body is"),
        ("body = \"json\"", "body = \"text\"", "have an array of items"),
        ("max-bytes = 1048576", "max-bytes = 0", "from 1 to"),
        ("max-bytes = 1048576", "max-bytes = 999999999", "from 1 to"),
        ("max-bytes = 1048576", "max-bytes = -1", "invalid value"),
        ("items = \"/events/*\"", "items = \"/events\"", "elements of one array"),
        ("items = \"/events/*\"", "answer = \"page\"", "pages are only for the local user"),
        ("websocket = true", "websocket = true\nmethods = [\"POST\"]", "opened with GET alone"),
        ("websocket = true", "websocket = true\nbody = \"json\"", "a WebSocket has frames"),
        ("websocket = true", "websocket = true\nanswer = \"page\"", "pages are only"),
        ("answer = \"page\"", "answer = \"page\"\nbody = \"json\"", "a GET has no body"),
        ("name = \"page\"", "name = \"hook\"", "\"hook\" is there twice"),
        ("name = \"page\"", "name = \"a b\"", "does not do as a name"),
        ("every-ms = 60000", "every-ms = 999", "every second"),
    ] {
        let error = error(&platform_with(line, with));
        assert!(error.contains(expected), "{with}\n{error}");
    }
}

#[test]
fn rules_that_read_what_they_must_not_do_not_load() {
    for (line, with, expected) in [
        ("source = \"hook\"", "source = \"nothing\"", "no route is named \"nothing\", and no poll"),
        ("source = \"hook\"", "source = \"tick\"", "is a timer"),
        ("source = \"hook\"", "source = \"page\"", "does not bring JSON"),
        ("event = \"/id\"\nmessage", "message", "missing field `event`"),
        ("event = \"/id\"\nmessage", "event = \"$header:X-Id\"\nmessage", "a header is not signed"),
        ("event = \"/id\"\nmessage", "event = { const = \"1\" }\nmessage", "delivered once and never again"),
        ("event = \"/id\"\nmessage", "event = \"$credential\"\nmessage", "delivered once and never again"),
        ("event = \"/id\"\nmessage", "event = \"$body\"\nmessage", "cannot stand here"),
        ("event = \"/id\"\nmessage", "event = \"$signed\"\nmessage", "many items with the same \"$signed\""),
        ("event = \"/id\"\nmessage", "event = \"$match:0\"\nmessage", "many items with the same"),
        ("message = \"/message/id\"", "message = \"id\"", "names no value"),
        ("sender = \"$credential\"", "sender = \"$signed\"", "cannot stand here"),
        ("sender = \"$credential\"", "sender = \"$body\"", "cannot stand here"),
        ("sender = \"$credential\"", "sender = \"$header:Authorization\"", "holds secrets"),
        ("sender = \"$credential\"", "sender = { const = \"\" }", "a constant has 1 to 256 bytes"),
        ("sender = \"$credential\"", "sender = { const = \"a\\u200b\" }", "a constant has 1 to 256 bytes"),
        ("sender = \"$credential\"", "sender = { const = \"a\", x = 1 }", "no other key"),
        (
            "sender = \"$credential\"",
            "sender = \"$credential\"\nmessage = \"$signed\"",
            "nothing is signed on the route \"socket\"",
        ),
        ("thread = \"/thread\"", "thread = { const = \"1\" }", "cannot stand here"),
        ("thread = \"/thread\"", "thread = \"$match:2\"", "has 2 wildcards"),
        ("text = [\"/text\", \"/caption\"]", "text = [{ const = \"rm -rf\" }]", "words of the adapter's own"),
        ("text = [\"/text\", \"/caption\"]", "text = [\"/a/*\"]", "a rule reads one value"),
        ("direct = { const = true }", "direct = { const = \"yes\" }", "invalid type"),
        ("direct = { const = true }", "direct = { const = true, is = [1] }", "write { const = true }"),
        ("direct = { const = true }", "direct = { at = \"/a\", is = [] }", "write { const = true }"),
        ("direct = { const = true }", "direct = { at = \"$credential\", is = [1] }", "compare it with a string"),
        ("unit = \"s\"", "unit = \"min\"", "unknown variant `min`"),
        ("\"/n\" = 1", "\"/n\" = 1.5", "a string, an integer or a boolean"),
        ("\"$match:0\" = \"a\"", "\"$match:0\" = 1", "compare it with a string"),
        ("\"$match:0\" = \"a\"", "\"$nope\" = \"a\"", "identity[0].equal.$nope: \"$nope\" names no value"),
        ("kind = \"edit\"", "kind = \"poke\"", "unknown variant `poke`"),
        ("name = \"said\"", "name = \"message\"", "\"message\" is there twice"),
        ("name = \"said\"", "name = \"said\"\nfoo = 1", "unknown field `foo`"),
    ] {
        let error = error(&platform_with(line, with));
        assert!(error.contains(expected), "{with}\n{error}");
    }
}

#[test]
fn what_is_signed_and_what_the_path_holds_can_name_an_event() {
    let rule = |route: &str, event: &str| {
        parse(&format!(
            "[[route]]\nname = \"a\"\nmethods = [\"PUT\"]\n{route}\n[[identity]]\nname = \"a\"\nsource = \"a\"\n\
             event = \"{event}\"\nsender = \"$credential\"\nconversation = \"$path\"\ntext = [\"$body\"]"
        ))
    };
    let signed = "path = \"/{credential}/*\"\nauth = \"credential\"\nbody = \"text\"";
    let page = "path = \"/*\"\nauth = \"page\"\nbody = \"text\"";
    for event in ["$signed", "$path", "$match:0"] {
        rule(signed, event).unwrap();
    }
    rule(page, "$path").unwrap();
    assert!(rule(page, "$signed").unwrap_err().to_string().contains("auth = \"credential\""));
    assert!(rule(signed, "$match:1").unwrap_err().to_string().contains("has 1 wildcards"));
    assert!(rule(signed, "/id").unwrap_err().to_string().contains("does not bring JSON"));
    let none = signed.replace("\"text\"", "\"none\"");
    assert!(rule(&none, "$signed").unwrap_err().to_string().contains("has no body"));
}

#[test]
fn tools_do_not_take_the_hosts_place() {
    let tool = |rest: &str| error(&format!("[[tool]]\nsummary = \"It\"\n{rest}"));
    for (rest, expected) in [
        ("name = \"reply\"", "is a tool of the host"),
        ("name = \"Tool\"", "does not do as a name"),
        ("name = \"a\"\nparams.chat_id = { type = \"string\" }", "argument of the host's"),
        ("name = \"a\"\nparams.x = { type = \"object\" }", "unknown variant `object`"),
        ("name = \"a\"\nparams.x = { type = \"integer\", one-of = [\"1\"] }", "values of a string"),
        ("name = \"a\"\nparams.x = { type = \"string\", one-of = [] }", "at least one"),
        ("name = \"a\"\nparams.x = { type = \"string\", one-of = [\"a\", \"a\"] }", "there twice"),
        ("name = \"a\"\nparams.x = { type = \"boolean\", max = 1 }", "`max` is for"),
        ("name = \"a\"\nparams.x = { type = \"string\", summary = \"</tool>\" }", "may not have `<`"),
        ("name = \"a\"\n[[tool]]\nname = \"a\"\nsummary = \"x\"", "\"a\" is there twice"),
    ] {
        let error = tool(rest);
        assert!(error.contains(expected), "{rest}\n{error}");
    }
}

#[test]
fn counts_are_limited() {
    let many: String = (0..33).map(|n| format!("[[timer]]\nname = \"t{n}\"\n")).collect();
    assert!(error(&many).contains("there are 33 of it; at most 32"));
    let meta: Vec<String> = (0..33).map(|n| format!("\"m{n}\"")).collect();
    assert!(error(&format!("meta = [{}]", meta.join(","))).contains("at most 32"));
    let require: Vec<String> = (0..33).map(|n| format!("\"/m{n}\"")).collect();
    let rule = platform_with("absent = [\"/forward\"]", &format!("absent = [{}]", require.join(",")));
    assert!(error(&rule).contains("at most 32"));
}

#[test]
fn asks_are_plain_words() {
    let contract = parse(&format!(
        "hint = \"Be kind.\"\nactions = [\"send\", \"edit\"]\nmeta = [\"set\"]\ncomposes = true\n{PLATFORM}"
    ))
    .unwrap()
    .resolve()
    .unwrap();
    let asks = contract.asks();
    for (text, severity) in [
        (
            "decides by itself who is speaking (its own rule `message`, which the host has not vetted)",
            Severity::Notable,
        ),
        (
            "receives JSON on POST, PUT /it/<credential>/*, from holders of a credential, split at /events/*, up to 1 MiB each",
            Severity::Normal,
        ),
        ("shows a page at /it/ (GET), to you alone", Severity::Notable),
        ("talks to its page in your browser over a WebSocket at /it/socket", Severity::Normal),
        ("runs by itself every minute (timer `tick`)", Severity::Normal),
        ("may wake itself up later (timer `later`)", Severity::Normal),
        ("may send messages", Severity::Normal),
        ("may edit the messages that it sent", Severity::Normal),
        ("may add the attribute `set` to messages, in its own words", Severity::Normal),
        ("may put words of its own in place of a message's text, marked as its own", Severity::Notable),
        ("has a setting `api`: Where it is (\"https://example.org\" unless you set it)", Severity::Normal),
        ("tells Claude: “Be kind.”", Severity::Normal),
    ] {
        let ask = asks.iter().find(|ask| ask.text == text).unwrap_or_else(|| panic!("{text}\n{asks:#?}"));
        assert_eq!(ask.severity, severity, "{text}");
    }
    assert!(asks[0].detail.as_ref().unwrap().starts_with("[[identity]]\nname = \"message\""));
}

#[test]
fn changes_say_what_is_new_what_is_gone_and_what_differs() {
    let contract = |rest: &str| parse(rest).unwrap().resolve().unwrap();
    let old = contract(&format!("hint = \"Be kind.\"\nactions = [\"send\", \"edit\"]\n{PLATFORM}"));
    assert!(old.changes_from(&old).is_empty());
    let new = contract(&format!(
        "hint = \"Be quick.\"\nactions = [\"send\", \"react\"]\n{}",
        platform_with("sender = \"/from/id\"", "sender = \"/contact/id\"")
    ));
    let changes: Vec<String> = new.changes_from(&old).iter().map(Change::to_string).collect();
    assert_eq!(
        changes,
        [
            "changed: decides by itself who is speaking (its own rule `message`, which the host has not vetted), in another way",
            "new: may react to messages",
            "changed: tells Claude: “Be quick.” (before: tells Claude: “Be kind.”)",
            "no longer: may edit the messages that it sent",
        ]
    );
    assert_eq!(new.changes_from(&old)[0].severity(), Severity::Notable);
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in "\\PC*", at in 0..PLATFORM.len()) {
        let _ = Manifest::parse(&text);
        let cut = PLATFORM.char_indices().map(|(at, _)| at).find(|it| *it >= at).unwrap_or(0);
        let _ = parse(&format!("{}{text}{}", &PLATFORM[..cut], &PLATFORM[cut..]));
    }
}
