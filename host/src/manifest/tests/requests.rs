//! Polls, endpoints, secrets and what holds for a whole platform.

use super::*;
use crate::message::{Kind, TextBy};

mod asks;
mod endpoints;
mod prompts;

const BOT: &str = r#"actions = ["send", "fetch"]
text-limit = { max = 4096, unit = "utf16" }
burst = { quiet-ms = 300, longest-ms = 2000 }
errors = { retry-after = "/parameters/retry_after", description = "/description" }

[config.api]
default = "https://api.example.org"

[config.reactions]
default = "off"
pattern = "on|off"

[secrets.token]
env = "IT_TOKEN"
summary = "From the console"
pattern = '\d+:[\w-]{30,}'

[secrets.other]
env = "IT_OTHER"

[[poll]]
name = "updates"
url = "{config:api}/bot{secret:token}/updates?timeout=50&kinds=%5B%22message%22%5D"
headers = { authorization = "Bot {secret:token}", accept = "application/json" }
items = "/result/*"
cursor = { query = "offset", max = "/update_id", add = 1 }
timeout-s = 80
pause-ms = 5

[[endpoint]]
name = "send"
for = ["send", "typing"]
method = "POST"
url = "{config:api}/bot{secret:token}/send?silent={silent?}"
headers = { authorization = "Bot {secret:other}" }
may-set = ["X-Trace"]
body = "json"
fields = ["/chat_id", "/thread_id", "/text", "/entities/*/type", "/entities/*/url", "/reply/id"]
required = ["/chat_id", "/text"]
fixed = { "/link_preview/off" = true, "/reply/strict" = 1, "/mode" = "plain" }
conversation = ["/chat_id"]
thread = "/thread_id"
reply-to = "/reply/id"
text = "/text"
spoken = ["/entities/*/url"]
sent = "/result/message_id"
max-bytes = 1048576

[[endpoint]]
name = "album"
for = ["send"]
method = "POST"
url = "https://up.example.org:8443/album"
body = "multipart"
fields = ["/chat_id", "/photo", "/media/*/kind", "/caption"]
json = ["media", "options"]
files = ["photo"]
fixed = { "/options/quiet" = true }
conversation = ["/chat_id"]
text = "/caption"
sent = { items = "/result/*", id = "/message_id" }

[[endpoint]]
name = "edit"
for = ["edit", "react"]
method = "PATCH"
url = "{config:api}/channels/{channel}/messages/{message}"
body = "json"
fields = ["/content", "/emoji/*/name"]
conversation = ["$channel"]
message = "$message"
emoji = "/emoji/*/name"

[[endpoint]]
name = "me"
for = ["handle"]
method = "GET"
url = "{config:api}/me"

[[endpoint]]
name = "lookup"
for = ["call"]
method = "POST"
url = "{config:api}/look/{what}"
body = "form"
fields = ["/q"]

[[endpoint]]
name = "file-of"
for = ["fetch"]
method = "GET"
url = "{config:api}/bot{secret:token}/file?id={id}"
reference = "$id"

[[endpoint]]
name = "download"
for = ["fetch"]
method = "GET"
url = "{config:api}/file/bot{secret:token}/{path*}"
download = true

[[identity]]
name = "message"
source = "updates"
event = "/update_id"
message = "/message/id"
sender = "/message/from/id"
conversation = "/message/chat/id"
words = "others"
text = ["/message/text"]
quoted = ["/message/quote/text", "/message/reply_to/text"]
group = "/message/album"
when = { reactions = "on" }
"#;

/// Replaces a line of `BOT`.
fn bot_with(line: &str, with: &str) -> String {
    assert_eq!(BOT.matches(line).count(), 1, "{line}");
    BOT.replace(line, with)
}

#[test]
fn everything_about_requests_is_read() {
    let platform = parse(BOT).unwrap().own;
    assert_eq!(platform.text_limit, Some(TextLimit { max: 4096, unit: TextUnit::Utf16 }));
    assert_eq!(platform.burst, Some(Burst { quiet_ms: 300, longest_ms: 2000 }));
    assert_eq!(platform.errors.retry_after, Some(Pointer::parse("/parameters/retry_after").unwrap()));
    assert!(!platform.direct_is_sender);
    assert_eq!(platform.secrets["token"].env, "IT_TOKEN");
    let poll = platform.poll("updates").unwrap();
    assert_eq!((poll.timeout_s, poll.pause_ms, poll.cursor.add), (80, 5, 1));
    assert_eq!(poll.headers[1].text(), "Bot {secret:token}");
    assert_eq!(poll.secrets().into_iter().collect::<Vec<_>>(), ["token"]);
    let send = platform.endpoint("send").unwrap();
    assert_eq!(send.uses.iter().copied().collect::<Vec<_>>(), [Use::Action(Action::Send), Use::Action(Action::Typing)]);
    assert_eq!(send.may_set, ["x-trace"]);
    assert_eq!(send.secrets().into_iter().collect::<Vec<_>>(), ["other", "token"]);
    assert_eq!(send.fixed[&Pointer::parse("/reply/strict").unwrap()], Scalar::Integer(1));
    assert!(send.is_bound());
    let edit = platform.endpoint("edit").unwrap();
    assert_eq!(edit.conversation, [Bound::Variable("channel".into())]);
    assert_eq!(edit.message, Some(Bound::Variable("message".into())));
    assert_eq!(edit.emoji, Some(Bound::parse("/emoji/*/name").unwrap()));
    assert_eq!(send.spoken, [FieldPattern::parse("/entities/*/url").unwrap()]);
    assert!(edit.free_variables().is_empty() && edit.body == BodyShape::Json);
    let album = platform.endpoint("album").unwrap();
    assert!(matches!(&album.sent, Some(Sent::Each { id, .. }) if id.as_str() == "/message_id"));
    let download = platform.endpoint("download").unwrap();
    assert!(!download.is_bound() && download.download && !platform.endpoint("file-of").unwrap().download);
    let rule = platform.identity("message").unwrap();
    assert_eq!((rule.auth, rule.text_by), (None, crate::message::TextBy::Others));
    assert_eq!(rule.when, Some(("reactions".into(), "on".into())));
    assert_eq!(rule.quoted.len(), 2);
    assert!(!rule.is_by_credential());
}

#[test]
fn polls_and_endpoints_show_themselves_as_the_toml_they_came_from() {
    let platform = parse(BOT).unwrap().own;
    let polls = platform.polls.iter().map(ToString::to_string);
    let rules = platform.identities.iter().map(ToString::to_string);
    let tables: Vec<String> = polls.chain(platform.endpoints.iter().map(ToString::to_string)).chain(rules).collect();
    let again = parse(&format!("{}{}", &BOT[..BOT.find("[[poll]]").unwrap()], tables.join("\n"))).unwrap().own;
    assert_eq!(platform, again);
}

#[test]
fn the_profile_of_telegram_is_read_as_it_is_meant() {
    let contract = parse("profile = \"telegram\"\nactions = [\"send\", \"fetch\"]").unwrap().resolve().unwrap();
    let platform = &contract.platform;
    assert!(platform.direct_is_sender && platform.text_limit.is_some() && platform.burst.is_some());
    assert!(platform.poll("updates").is_some_and(|poll| poll.secrets().contains("token")));
    for endpoint in &platform.endpoints {
        assert_eq!(endpoint.is_bound(), endpoint.uses.iter().any(|purpose| purpose.has_place()), "{}", endpoint.name);
        assert_eq!(endpoint.url.base, Base::Config("api".into()), "{}", endpoint.name);
    }
}

#[test]
fn the_profile_of_telegram_leaves_no_words_to_the_adapter() {
    let platform = parse("profile = \"telegram\"").unwrap().resolve().unwrap().platform;
    let said = ["/text", "/caption", "/url", "/language", "/emoji"];
    for endpoint in &platform.endpoints {
        let compared = |field: &FieldPattern| {
            endpoint.text.as_ref() == Some(field)
                || endpoint.spoken.contains(field)
                || endpoint.emoji == Some(Bound::Field(field.clone()))
        };
        for field in endpoint.fields.iter().filter(|field| said.iter().any(|end| field.text.ends_with(end))) {
            let at_button = endpoint.buttons.as_ref().is_some_and(|buttons| buttons.leaves().contains(field));
            assert!(compared(field) || at_button, "{} {field}", endpoint.name);
        }
        for field in endpoint.fields.iter().filter(|field| field.text.ends_with("entities/*/type")) {
            assert!(!endpoint.values[field].iter().any(|it| it == "spoiler" || it == "expandable_blockquote"));
        }
        assert_eq!(endpoint.download, endpoint.name == "file", "{}", endpoint.name);
    }
}

#[test]
fn what_was_passed_on_is_nobodys_own_word_whichever_way_a_server_says_so() {
    let platform = parse("profile = \"telegram\"").unwrap().resolve().unwrap().platform;
    let mut own = 0;
    for rule in platform.identities.iter().filter(|rule| matches!(rule.kind, Kind::Message | Kind::Edit)) {
        let update = if rule.kind == Kind::Edit { "edited_message" } else { "message" };
        let at = |name: &str| Value::parse(&format!("/{update}/{name}")).unwrap();
        let has = |list: &[Value], name: &str| list.contains(&at(name));
        if rule.text_by == TextBy::Sender {
            own += 1;
            assert!(has(&rule.absent, "forward_origin") && has(&rule.absent, "forward_date"), "{}", rule.name);
        }
        assert_eq!(has(&rule.require, "forward_origin"), rule.name.starts_with("forwarded"), "{}", rule.name);
    }
    assert_eq!(own, 4);
}

#[test]
fn errors_about_requests_name_key_line_and_mend() {
    for (line, with, expected) in [
        (
            "env = \"IT_TOKEN\"",
            "env = \"ANTHROPIC_API_KEY\"",
            "line 17, column 7, secrets.token.env: \"ANTHROPIC_API_KEY\" might be a secret of something else; an adapter's \
             own begin with its name: IT_TOKEN",
        ),
        (
            "url = \"{config:api}/me\"",
            "url = \"{config:nothing}/me\"",
            "line 81, column 7, endpoint[3].url: there is no setting \"nothing\"; add [config.nothing]",
        ),
        (
            "default = \"https://api.example.org\"",
            "default = \"http://127.0.0.1\"",
            "line 10, column 11, config.api.default: a URL begins with it, and plain http is for the user to choose",
        ),
        (
            "for = [\"send\", \"typing\"]",
            "for = [\"send\", \"history\"]",
            "line 35, column 16, endpoint[0].for[1]: this version of Sluicegate does not know the action \"history\" yet",
        ),
        (
            "fields = [\"/chat_id\", \"/photo\", \"/media/*/kind\", \"/caption\"]",
            "fields = [\"/chat_id\", \"/media/*/kind\", \"/caption\"]",
            "line 60, column 10, endpoint[1].files[0]: \"/photo\" is not in `fields`, so no request could have it; add it",
        ),
    ] {
        let error = error(&bot_with(line, with));
        assert!(error.contains(expected), "{with}\n{error}");
    }
}

#[test]
fn platforms_say_only_what_can_hold() {
    for (line, with, expected) in [
        ("env = \"IT_TOKEN\"", "env = \"ITTOKEN\"", "begin with its name: IT_TOKEN"),
        ("env = \"IT_TOKEN\"", "env = \"IT_\"", "begin with its name: IT_TOKEN"),
        ("env = \"IT_TOKEN\"", "env = \"it_token\"", "use a capital letter"),
        ("env = \"IT_TOKEN\"", "env = \"IT_OTHER\"", "\"IT_OTHER\" is there twice"),
        ("env = \"IT_TOKEN\"", "", "missing field `env`"),
        ("env = \"IT_TOKEN\"", "env = \"IT_TOKEN\"\ndefault = \"x\"", "unknown field `default`"),
        ("max = 4096", "max = 0", "from 1 to 1000000"),
        ("\"utf16\"", "\"words\"", "unknown variant `words`"),
        ("quiet-ms = 300", "quiet-ms = 3000", "from 1 to `longest-ms`"),
        ("quiet-ms = 300", "quiet-ms = 0", "from 1 to `longest-ms`"),
        ("longest-ms = 2000", "longest-ms = 60001", "at most 60000"),
        ("{ retry-after = \"/parameters/retry_after\", description = \"/description\" }", "{}", "it says nothing"),
        ("text-limit", "direct-is-sender = true\ntext-limit", "only a profile of the host says so"),
        ("text-limit", "direct-is-sender = false\ntext-limit", "only a profile of the host says so"),
        ("\"https://api.example.org\"", "\"https://10.0.0.1\"", "config.api.default: \"10.0.0.1\" is an address"),
        ("\"https://api.example.org\"", "\"https://api.local\"", "let the user name it"),
        ("\"https://api.example.org\"", "\"https://a.example?x=1\"", "without user information, query and fragment"),
    ] {
        let error = error(&bot_with(line, with));
        assert!(error.contains(expected), "{with}\n{error}");
    }
    // Without a default the user must name it, and may name anything.
    parse(&bot_with("default = \"https://api.example.org\"", "")).unwrap();
    let platform = "profile = \"telegram\"\ntext-limit = { max = 1, unit = \"chars\" }";
    assert!(error(platform).contains("text-limit: a manifest with a profile selects from it; take out `text-limit`"));
}

#[test]
fn polls_that_nobody_could_run_do_not_load() {
    let url = "url = \"{config:api}/bot{secret:token}/updates?timeout=50&kinds=%5B%22message%22%5D\"";
    for (line, with, expected) in [
        (url, "url = \"{config:api}/{x}\"", "nobody fills {x}"),
        (url, "url = \"{config:api}/{x*}\"", "nobody fills {x}"),
        (url, "url = \"{config:api}/?offset=1\"", "`url` has the parameter \"offset\" too"),
        (url, "url = \"{config:api}/?%6fffset=1\"", "`url` has the parameter \"offset\" too"),
        (url, "url = \"{config:api}/{secret:x}\"", "there is no secret \"x\"; add [secrets.x]"),
        (url, "url = \"http://api.example.org/\"", "plain http is for the user to choose"),
        (url, "url = \"https://localhost/\"", "let the user name it"),
        ("query = \"offset\"", "query = \"off set\"", "no name of a parameter"),
        ("query = \"offset\"", "query = \"\"", "no name of a parameter"),
        ("max = \"/update_id\"", "max = \"update_id\"", "is not a pointer"),
        ("add = 1", "add = -1", "from 0 to 1000"),
        ("timeout-s = 80", "timeout-s = 4", "from 5 to 300"),
        ("timeout-s = 80", "timeout-s = 301", "from 5 to 300"),
        ("pause-ms = 5", "pause-ms = 86400001", "at most a day"),
        ("items = \"/result/*\"\ncursor", "items = \"/result\"\ncursor", "elements of one array"),
        ("cursor = { query = \"offset\", max = \"/update_id\", add = 1 }", "", "missing field `cursor`"),
        ("accept = \"application/json\"", "Authorization = \"x\"", "\"authorization\" is there twice"),
        ("accept = \"application/json\"", "host = \"x\"", "the host itself writes the header `host`"),
        ("accept = \"application/json\"", "accept = \"{secret:x}\"", "there is no secret \"x\""),
        ("accept = \"application/json\"", "accept = \"{config:x}\"", "there is no setting \"x\""),
        ("[[poll]]", "[[timer]]\nname = \"updates\"\n[[poll]]", "\"updates\" is there twice"),
    ] {
        let error = error(&bot_with(line, with));
        assert!(error.contains(expected), "{with}\n{error}");
    }
    let short = parse(&bot_with("timeout-s = 80\npause-ms = 5", "")).unwrap().own;
    assert_eq!((short.polls[0].timeout_s, short.polls[0].pause_ms), (75, 0));
}

#[test]
fn rules_of_polls_read_elements_of_answers() {
    for (line, with, expected) in [
        (
            "sender = \"/message/from/id\"",
            "sender = \"$credential\"",
            "the poll \"updates\" brings elements of an answer",
        ),
        ("sender = \"/message/from/id\"", "sender = \"$header:X-From\"", "they have no \"$header:x-from\""),
        ("sender = \"/message/from/id\"", "sender = \"$path\"", "take a pointer into the element"),
        ("message = \"/message/id\"", "message = \"$signed\"", "take a pointer into the element"),
        ("text = [\"/message/text\"]", "text = [\"$body\"]", "take a pointer into the element"),
        ("text = [\"/message/text\"]", "text = [\"$match:1\"]", "has 1 wildcards"),
        ("event = \"/update_id\"", "event = \"$match:0\"", "many items with the same"),
        ("source = \"updates\"", "source = \"nothing\"", "no route is named \"nothing\", and no poll"),
        ("words = \"others\"", "words = \"adapter\"", "\"sender\" or \"others\""),
        ("words = \"others\"", "words = \"nobody\"", "unknown variant `nobody`"),
        ("quoted = [\"/message/quote/text\"", "quoted = [\"$match:0\"", "what the answered message said is a pointer"),
        ("group = \"/message/album\"", "group = { const = \"a\" }", "cannot stand here"),
        ("when = { reactions = \"on\" }", "when = { reaction = \"on\" }", "there is no setting \"reaction\""),
        ("when = { reactions = \"on\" }", "when = { reactions = \"yes\" }", "the user cannot set this value"),
        ("when = { reactions = \"on\" }", "when = {}", "it names one setting"),
        ("when = { reactions = \"on\" }", "when = { reactions = \"on\", api = \"x\" }", "it names one setting"),
    ] {
        let error = error(&bot_with(line, with));
        assert!(error.contains(expected), "{with}\n{error}");
    }
    parse(&bot_with("text = [\"/message/text\"]", "text = [\"$match:0\"]")).unwrap();
}

#[test]
fn the_name_of_an_adapter_becomes_the_beginning_of_its_variables() {
    let manifest = |env: &str| {
        Manifest::parse(&format!("name = \"my-bot2\"\nversion = \"1\"\nsummary = \"x\"\n[secrets.a]\nenv = \"{env}\""))
    };
    manifest("MY_BOT2_TOKEN").unwrap();
    for env in ["MY_BOT_TOKEN", "MYBOT2_TOKEN", "MY_BOT2TOKEN", "MY_BOT2", "MY_BOT2_"] {
        assert!(manifest(env).unwrap_err().to_string().contains("MY_BOT2_TOKEN"), "{env}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_damage_is_read_without_panic(text in "\\PC{0,20}", at in 0..BOT.len()) {
        let cut = BOT.char_indices().map(|(at, _)| at).find(|it| *it >= at).unwrap_or(0);
        let _ = parse(&format!("{}{text}{}", &BOT[..cut], &BOT[cut..]));
    }
}
