//! A platform to attack: Telegram's ways, and those of others.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    egress::{Asked, Body, Content, Denied, Part, Permit, Prepared, PreparedBody, Values, request},
    files::KeptFile,
    manifest::{
        Action, Base, BodyShape, Bound, Buttons, Cursor, Endpoint, FieldPattern, HeaderTemplate, Method, Parameter,
        Piece, Pointer, PointerPattern, Poll, Scalar, Sent, UrlTemplate, Use,
    },
    relay::{Choice, Live},
    signature::Secret,
};

pub(in crate::egress::request::tests) const TOKEN: &str = "123456:AAH_secret-of-the-bot";
pub(in crate::egress::request::tests) const CHAT: &str = "-1001234567890123";
pub(in crate::egress::request::tests) const TEXT: &str = "Hello, {secret:token} & more";
/// Where a link of the text leads, and the language of a block of it.
pub(in crate::egress::request::tests) const LINK: &str = "https://a.example/x";
pub(in crate::egress::request::tests) const LANGUAGE: &str = "rust";
pub(in crate::egress::request::tests) const EMOJI: &str = "❤\u{fe0f}";

fn literal(text: &str) -> Piece {
    Piece::Literal(text.into())
}

fn variable(name: &str) -> Piece {
    Piece::Variable(name.into())
}

fn bot(path: &[&str]) -> UrlTemplate {
    let mut segments = vec![vec![literal("bot"), Piece::Secret("token".into())]];
    segments.extend(path.iter().map(|segment| vec![literal(segment)]));
    UrlTemplate {
        text: "of the test".into(),
        base: Base::Config("api".into()),
        path: segments,
        rest: None,
        query: vec![],
    }
}

fn parameter(name: &str, value: Piece, optional: bool) -> Parameter {
    Parameter { name: name.into(), value: vec![value], optional }
}

fn fields(texts: &[&str]) -> Vec<FieldPattern> {
    texts.iter().map(|text| FieldPattern::parse(text).unwrap()).collect()
}

fn bound(text: &str) -> Bound {
    Bound::parse(text).unwrap()
}

fn pointer(text: &str) -> Pointer {
    Pointer::parse(text).unwrap()
}

fn endpoint(name: &str, action: Action, url: UrlTemplate) -> Endpoint {
    Endpoint {
        name: name.into(),
        uses: BTreeSet::from([Use::Action(action)]),
        method: Method::Post,
        url,
        headers: vec![],
        may_set: vec![],
        body: BodyShape::None,
        fields: vec![],
        required: vec![],
        json: vec![],
        files: vec![],
        fixed: BTreeMap::new(),
        values: BTreeMap::new(),
        conversation: vec![],
        thread: None,
        message: None,
        reply_to: None,
        text: None,
        spoken: vec![],
        buttons: None,
        emoji: None,
        reference: None,
        sent: None,
        download: false,
        max_bytes: None,
    }
}

/// A message, as JSON.
pub(in crate::egress::request::tests) fn send_message() -> Endpoint {
    Endpoint {
        body: BodyShape::Json,
        fields: fields(&[
            "/chat_id",
            "/text",
            "/message_thread_id",
            "/reply_parameters/message_id",
            "/reply_parameters/chat_id",
            "/entities/*/type",
            "/entities/*/offset",
            "/entities/*/length",
            "/entities/*/url",
            "/entities/*/language",
        ]),
        required: fields(&["/chat_id", "/text"]),
        fixed: BTreeMap::from([(pointer("/link_preview_options/is_disabled"), Scalar::Bool(true))]),
        conversation: vec![bound("/chat_id"), bound("/reply_parameters/chat_id")],
        thread: Some(bound("/message_thread_id")),
        reply_to: Some(bound("/reply_parameters/message_id")),
        text: Some(FieldPattern::parse("/text").unwrap()),
        spoken: fields(&["/entities/*/url", "/entities/*/language"]),
        sent: Some(Sent::One(pointer("/result/message_id"))),
        ..endpoint("sendMessage", Action::Send, bot(&["sendMessage"]))
    }
}

const KEYBOARD: &str = "/reply_markup/inline_keyboard/*/*";

/// A message that may be a prompt.
pub(in crate::egress::request::tests) fn prompt() -> Endpoint {
    let mut endpoint = send_message();
    endpoint.uses.insert(Use::Action(Action::Ask));
    endpoint.fields.extend(fields(&[&format!("{KEYBOARD}/text"), &format!("{KEYBOARD}/callback_data")]));
    let kinds = ["bold", "text_link", "pre"].map(Into::into).into();
    endpoint.values.insert(FieldPattern::parse("/entities/*/type").unwrap(), kinds);
    let at = FieldPattern::parse(KEYBOARD).unwrap();
    endpoint.buttons = Some(Buttons { at, label: pointer("/text"), token: pointer("/callback_data") });
    endpoint
}

/// A change of a message that may be a prompt.
pub(in crate::egress::request::tests) fn rewrite() -> Endpoint {
    let mut endpoint = prompt();
    endpoint.name = "editMessageText".into();
    endpoint.uses = [Use::Action(Action::Edit), Use::Action(Action::Ask)].into();
    endpoint.url = bot(&["editMessageText"]);
    endpoint.fields.extend(fields(&["/message_id"]));
    endpoint.message = Some(bound("/message_id"));
    endpoint.sent = None;
    endpoint
}

/// A photo, in parts.
pub(in crate::egress::request::tests) fn send_photo() -> Endpoint {
    Endpoint {
        body: BodyShape::Multipart,
        fields: fields(&[
            "/chat_id",
            "/caption",
            "/photo",
            "/caption_entities/*/type",
            "/options/silent",
            "/thumbs.v1",
        ]),
        json: vec!["caption_entities".into(), "options".into()],
        files: vec!["photo".into(), "thumbs.v1".into()],
        fixed: BTreeMap::from([
            (pointer("/protect"), Scalar::Bool(true)),
            (pointer("/options/depth"), Scalar::Integer(3)),
        ]),
        conversation: vec![bound("/chat_id")],
        text: Some(FieldPattern::parse("/caption").unwrap()),
        sent: Some(Sent::Each { items: PointerPattern::parse("/result/*").unwrap(), id: pointer("/message_id") }),
        ..endpoint("sendPhoto", Action::Send, bot(&["sendPhoto"]))
    }
}

/// A form.
pub(in crate::egress::request::tests) fn form() -> Endpoint {
    Endpoint {
        body: BodyShape::Form,
        fields: fields(&["/chat_id", "/text", "/rows/*/id"]),
        json: vec!["rows".into()],
        fixed: BTreeMap::from([(pointer("/mode"), Scalar::Text("a & b".into()))]),
        conversation: vec![bound("/chat_id")],
        text: Some(FieldPattern::parse("/text").unwrap()),
        ..endpoint("form", Action::Send, bot(&["form"]))
    }
}

/// All in the query.
pub(in crate::egress::request::tests) fn typing() -> Endpoint {
    let query = vec![parameter("chat_id", variable("chat"), false), parameter("topic", variable("topic"), true)];
    Endpoint {
        method: Method::Get,
        conversation: vec![bound("$chat")],
        thread: Some(bound("$topic")),
        ..endpoint("typing", Action::Typing, UrlTemplate { query, ..bot(&["sendChatAction"]) })
    }
}

/// All in the path, on a host of its own, with headers.
pub(in crate::egress::request::tests) fn react() -> Endpoint {
    let path = vec![
        vec![literal("channels")],
        vec![variable("channel")],
        vec![literal("messages")],
        vec![variable("message")],
        vec![literal("e-"), variable("emoji"), literal(".x")],
    ];
    Endpoint {
        method: Method::Put,
        headers: vec![HeaderTemplate {
            name: "authorization".into(),
            value: vec![literal("Bot "), Piece::Secret("token".into())],
        }],
        may_set: vec!["x-trace".into()],
        conversation: vec![bound("$channel")],
        message: Some(bound("$message")),
        ..endpoint(
            "react",
            Action::React,
            UrlTemplate {
                base: Base::Fixed { host: "api.example.org".into(), port: Some(8443) },
                path,
                query: vec![],
                ..bot(&[])
            },
        )
    }
}

/// A reaction, as JSON.
pub(in crate::egress::request::tests) fn react_with_json() -> Endpoint {
    Endpoint {
        body: BodyShape::Json,
        fields: fields(&["/chat_id", "/reaction/*/type", "/reaction/*/emoji"]),
        conversation: vec![bound("/chat_id")],
        emoji: Some(bound("/reaction/*/emoji")),
        ..endpoint("setReaction", Action::React, bot(&["setReaction"]))
    }
}

/// The way to an attachment.
pub(in crate::egress::request::tests) fn get_file() -> Endpoint {
    Endpoint {
        method: Method::Get,
        reference: Some(bound("$file")),
        ..endpoint(
            "getFile",
            Action::Fetch,
            UrlTemplate { query: vec![parameter("file_id", variable("file"), true)], ..bot(&["getFile"]) },
        )
    }
}

/// Its bytes.
pub(in crate::egress::request::tests) fn file() -> Endpoint {
    let mut url = bot(&[]);
    url.path.insert(0, vec![literal("file")]);
    Endpoint {
        method: Method::Get,
        download: true,
        ..endpoint("file", Action::Fetch, UrlTemplate { rest: Some("path".into()), ..url })
    }
}

/// What happens while an event is handled, about no conversation.
pub(in crate::egress::request::tests) fn get_me() -> Endpoint {
    Endpoint { uses: BTreeSet::from([Use::Handle, Use::Call]), ..endpoint("getMe", Action::Send, bot(&["getMe"])) }
}

pub(in crate::egress::request::tests) fn updates() -> Poll {
    Poll {
        name: "updates".into(),
        url: UrlTemplate { query: vec![parameter("timeout", literal("50"), false)], ..bot(&["getUpdates"]) },
        headers: vec![],
        items: PointerPattern::parse("/result/*").unwrap(),
        cursor: Cursor { query: "offset".into(), max: pointer("/update_id"), add: 1 },
        timeout_s: 75,
        pause_ms: 0,
    }
}

pub(in crate::egress::request::tests) fn values() -> Values {
    Values {
        config: BTreeMap::from([("api".into(), "https://api.telegram.org".into())]),
        by_user: BTreeSet::new(),
        secrets: BTreeMap::from([("token".into(), Secret::new(TOKEN.into()).unwrap())]),
    }
}

pub(in crate::egress::request::tests) fn user_set(api: &str) -> Values {
    let config = BTreeMap::from([("api".into(), api.into())]);
    Values { config, by_user: BTreeSet::from(["api".into()]), ..values() }
}

/// The action that the tests are about.
pub(in crate::egress::request::tests) fn permit(action: Action) -> Permit {
    Permit {
        conversation: Some(CHAT.into()),
        message: Some("81".into()),
        reply_to: Some("80".into()),
        text: Some(TEXT.into()),
        spoken: [LINK, LANGUAGE].map(Into::into).into(),
        emoji: Some(EMOJI.into()),
        reference: Some("AgAC-ref".into()),
        files: vec!["f-named".into()],
        ..Permit::bare(Use::Action(action))
    }
}

pub(in crate::egress::request::tests) const ALLOW: &str = "sg.0123456789abcdef0123456789abcdef";
pub(in crate::egress::request::tests) const DENY: &str = "sg.fedcba9876543210fedcba9876543210";

/// The buttons that the tests are about.
pub(in crate::egress::request::tests) fn choices() -> Vec<Choice> {
    [("✅ Allow", ALLOW), ("❌ Deny", DENY)]
        .map(|(label, token)| Choice { label: label.into(), token: token.into() })
        .into()
}

/// The prompt that the tests are about, as a new message.
pub(in crate::egress::request::tests) fn ask() -> Permit {
    let ask = permit(Action::Ask);
    Permit {
        message: None,
        reply_to: None,
        emoji: None,
        reference: None,
        files: vec![],
        choices: Some(choices()),
        ..ask
    }
}

/// The same in the place of a message.
pub(in crate::egress::request::tests) fn ask_again() -> Permit {
    Permit { message: Some("81".into()), ..ask() }
}

/// The same in a thread.
pub(in crate::egress::request::tests) fn permit_in_thread(action: Action) -> Permit {
    Permit { thread: Some("7".into()), ..permit(action) }
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
}

pub(in crate::egress::request::tests) fn vars(vars: &[(&str, &str)]) -> Asked {
    Asked { vars: pairs(vars), ..Asked::default() }
}

pub(in crate::egress::request::tests) fn with_headers(asked: Asked, headers: &[(&str, &str)]) -> Asked {
    Asked { headers: pairs(headers), ..asked }
}

pub(in crate::egress::request::tests) fn body(body: Body) -> Asked {
    Asked { body, ..Asked::default() }
}

pub(in crate::egress::request::tests) fn json(text: impl Into<String>) -> Asked {
    body(Body::Json(text.into()))
}

pub(in crate::egress::request::tests) fn form_of(fields: &[(&str, &str)]) -> Asked {
    body(Body::Form(pairs(fields)))
}

pub(in crate::egress::request::tests) fn multipart(parts: Vec<Part>) -> Asked {
    body(Body::Multipart(parts))
}

pub(in crate::egress::request::tests) fn text_part(name: &str, text: &str) -> Part {
    Part { name: name.into(), file_name: None, media_type: None, content: Content::Bytes(text.into()) }
}

pub(in crate::egress::request::tests) fn file_part(name: &str, id: &str, conversation: Option<&str>) -> Part {
    let file = KeptFile {
        id: id.into(),
        name: "cat.jpg".into(),
        media_type: "image/jpeg".into(),
        size: 3,
        path: "/nowhere".into(),
        conversation: conversation.map(Into::into),
    };
    Part { name: name.into(), file_name: None, media_type: None, content: Content::File(file) }
}

/// A message to the right place that says the right thing, with more members.
pub(in crate::egress::request::tests) fn message(more: &str) -> Asked {
    json(format!(r#"{{"chat_id":{CHAT},"text":"{TEXT}"{more}}}"#))
}

/// While no prompt waits.
pub(in crate::egress::request::tests) fn build(
    endpoint: &Endpoint,
    values: &Values,
    permit: &Permit,
    asked: Asked,
) -> Result<Prepared, Denied> {
    request::build(endpoint, values, &Live::default(), permit, asked)
}

pub(in crate::egress::request::tests) fn attempt(endpoint: &Endpoint, asked: Asked) -> Result<Prepared, Denied> {
    let purpose = endpoint.uses.iter().next().copied();
    let permit = match purpose {
        Some(Use::Action(action)) => permit(action),
        purpose => Permit::bare(purpose.unwrap()),
    };
    build(endpoint, &values(), &permit, asked)
}

/// The body's text.
pub(in crate::egress::request::tests) fn sent_text(prepared: &Prepared) -> String {
    match &prepared.body {
        PreparedBody::Bytes { bytes, .. } => String::from_utf8(bytes.to_vec()).unwrap(),
        _ => panic!("the body is not of bytes"),
    }
}
