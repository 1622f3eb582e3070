#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::mcp::TEXT_LIMIT;

fn channel(name: &str, can: &str) -> Channel {
    Channel {
        name: AdapterName::new(name).unwrap(),
        send: can.contains('s'),
        react: can.contains('r'),
        edit: can.contains('e'),
        fetch: can.contains('f'),
    }
}

fn one() -> HostTools {
    HostTools::new(vec![channel("telegram", "sref")])
}

fn three() -> HostTools {
    HostTools::new(vec![channel("telegram", "sref"), channel("web", "se"), channel("hook", "")])
}

fn object(value: Value) -> JsonObject {
    value.as_object().unwrap().clone()
}

fn error(tools: &HostTools, tool: &str, arguments: Value) -> String {
    tools.check(tool, object(arguments)).unwrap().unwrap_err().to_string()
}

#[test]
fn one_adapter_gives_the_official_plugins_surface() {
    let tools = one().definitions();
    let shapes: Vec<(&str, Vec<&str>, Value)> = tools
        .iter()
        .map(|tool| {
            let properties = tool.input_schema["properties"].as_object().unwrap();
            let mut names: Vec<&str> = properties.keys().map(String::as_str).collect();
            names.sort_unstable();
            (tool.name.as_str(), names, tool.input_schema["required"].clone())
        })
        .collect();
    assert_eq!(
        shapes,
        [
            ("reply", vec!["chat_id", "files", "format", "reply_to", "text", "thread_id"], json!(["chat_id", "text"])),
            ("react", vec!["chat_id", "emoji", "message_id"], json!(["chat_id", "message_id", "emoji"])),
            ("edit_message", vec!["chat_id", "format", "message_id", "text"], json!(["chat_id", "message_id", "text"])),
            ("download_attachment", vec!["file_id"], json!(["file_id"])),
        ]
    );
    assert!(tools.iter().all(|tool| tool.always_load == (tool.name == "reply")));
    assert!(tools.iter().all(|tool| tool.input_schema["type"] == "object"));
}

#[test]
fn each_tool_offers_the_adapters_that_can_do_it() {
    let offered: Vec<(String, Value)> = three()
        .definitions()
        .into_iter()
        .map(|tool| (tool.name, tool.input_schema["properties"]["channel"]["enum"].clone()))
        .collect();
    assert_eq!(
        offered,
        [
            ("reply".to_owned(), json!(["telegram", "web"])),
            ("react".to_owned(), json!(["telegram"])),
            ("edit_message".to_owned(), json!(["telegram", "web"])),
            ("download_attachment".to_owned(), json!(["telegram"])),
        ]
    );
    assert!(three().definitions().iter().all(|tool| tool.input_schema["required"][0] == "channel"));
    assert!(HostTools::new(vec![channel("hook", "")]).definitions().is_empty());
    assert!(HostTools::default().definitions().is_empty());
}

#[test]
fn descriptions_are_not_cut_by_the_client() {
    for tool in three().definitions() {
        assert!(tool.description.len() <= TEXT_LIMIT, "{}", tool.name);
        assert!(tool.description.contains("channel"), "{}", tool.name);
    }
}

#[test]
fn good_calls_are_read() {
    let reply = |files: &[&str], text: &str| {
        Call::Reply(Reply {
            channel: AdapterName::new("telegram").unwrap(),
            chat_id: "-100".into(),
            thread_id: None,
            text: text.into(),
            format: Format::Markdown,
            reply_to: None,
            files: files.iter().map(|file| (*file).to_owned()).collect(),
        })
    };
    for (given, call) in [
        (json!({"chat_id": "-100", "text": "hi"}), reply(&[], "hi")),
        (json!({"chat_id": -100, "text": "hi", "reply_to": null}), reply(&[], "hi")),
        (json!({"chat_id": "-100", "text": "hi", "channel": "telegram"}), reply(&[], "hi")),
        (json!({"chat_id": "-100", "files": ["/a", "/b"]}), reply(&["/a", "/b"], "")),
    ] {
        assert_eq!(one().check("reply", object(given)).unwrap().unwrap(), call);
    }
    let web = AdapterName::new("web").unwrap();
    let edit = json!({"channel": "web", "chat_id": "1", "message_id": "2", "text": "x", "format": "text"});
    let (chat_id, message_id) = ("1".into(), "2".into());
    let expected = EditMessage { channel: web, chat_id, message_id, text: "x".into(), format: Format::Text };
    assert_eq!(three().check("edit_message", object(edit)).unwrap().unwrap(), Call::Edit(expected));
    let fetched = one().check("download_attachment", object(json!({"file_id": "f"}))).unwrap().unwrap();
    assert!(matches!(fetched, Call::Download(download) if download.file_id == "f"));
}

#[test]
fn a_text_is_markdown_unless_claude_says_otherwise() {
    for (given, format) in [
        (Value::Null, Format::Markdown),
        (json!("markdown"), Format::Markdown),
        (json!("markdownv2"), Format::Markdown),
        (json!("MarkdownV2"), Format::Markdown),
        (json!("text"), Format::Text),
    ] {
        let arguments = |tool: &str| json!({"chat_id": "1", "text": "x", "format": given, tool: "2"});
        let reply = one().check("reply", object(arguments("reply_to"))).unwrap().unwrap();
        assert!(matches!(reply, Call::Reply(reply) if reply.format == format), "{given}");
        let edit = one().check("edit_message", object(arguments("message_id"))).unwrap().unwrap();
        assert!(matches!(edit, Call::Edit(edit) if edit.format == format), "{given}");
    }
    let offered = |tool: usize| one().definitions()[tool].input_schema["properties"]["format"]["enum"].clone();
    assert_eq!(offered(0), json!(["markdown", "text"]));
    assert_eq!(offered(2), json!(["markdown", "text"]));
}

#[test]
fn bad_calls_name_the_argument_and_the_mend() {
    for (tool, given, says) in [
        ("reply", json!({"text": "hi"}), "`chat_id` is missing"),
        ("reply", json!({"chat_id": "1"}), "`text` is missing"),
        ("reply", json!({"chat_id": "1", "text": "  "}), "`text` is empty"),
        ("reply", json!({"chat_id": "", "text": "x"}), "`chat_id` is empty"),
        ("reply", json!({"chat_id": 1.5, "text": "x"}), "`chat_id` is a number: pass a string"),
        ("reply", json!({"chat_id": "1", "text": 5}), "`text` is a number: pass a string"),
        ("reply", json!({"chat_id": "1", "text": "x", "files": "/a"}), "`files` is a string: pass an array of strings"),
        ("reply", json!({"chat_id": "1", "text": "x", "files": [1]}), "`files` is a number: pass an array of strings"),
        (
            "reply",
            json!({"chat_id": "1", "text": "x", "to": "y"}),
            "no argument `to`: leave it out; the tool takes chat_id",
        ),
        ("reply", json!({"chat_id": "1", "text": "x", "channel": "web"}), "`channel` is web, and this tool works for"),
        ("reply", json!({"chat_id": "1", "text": "x", "format": "html"}), "`format` is html: pass markdown or text"),
        ("reply", json!({"chat_id": "1", "text": "x", "format": true}), "`format` is a boolean: pass a string"),
        ("edit_message", json!({"chat_id": "1", "message_id": "2", "text": "x", "format": ""}), "`format` is empty"),
        ("react", json!({"chat_id": "1", "message_id": "2"}), "`emoji` is missing"),
    ] {
        let error = error(&one(), tool, given.clone());
        assert!(error.contains(says), "{given}: {error}");
    }
    assert!(error(&three(), "react", json!({"chat_id": "1"})).contains("`channel` is nothing"));
    assert!(error(&three(), "react", json!({"channel": "web"})).contains("works for telegram only"));
    let long = error(&one(), "reply", json!({"chat_id": "1", "text": "x", "n".repeat(9000): 1}));
    assert!(long.len() < 300 && !long.contains('\n'), "{long}");
}

#[test]
fn other_tools_are_not_the_hosts() {
    assert!(one().check("telegram_sticker", JsonObject::new()).is_none());
    assert!(HostTools::default().check("reply", JsonObject::new()).is_none());
    assert!(HostTools::new(vec![channel("web", "s")]).check("react", JsonObject::new()).is_none());
}
