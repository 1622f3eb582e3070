//! Endpoints that could be talked round do not load.

use super::*;

#[test]
fn bodies_have_room_for_every_leaf_and_each_leaf_has_one_writer() {
    let json = "fields = [\"/chat_id\", \"/thread_id\", \"/text\", \"/entities/*/type\", \"/entities/*/url\", \
                \"/reply/id\"]";
    let with_json = |more: &str| json.replace("\"/chat_id\"", &format!("{more}, \"/chat_id\""));
    let fixed = "fixed = { \"/link_preview/off\" = true, \"/reply/strict\" = 1, \"/mode\" = \"plain\" }";
    let parts = "fields = [\"/chat_id\", \"/photo\", \"/media/*/kind\", \"/caption\"]";
    for (line, with, expected) in [
        (json, &*with_json("\"/text\""), "\"/text\" is there twice"),
        (json, &with_json("\"/reply\""), "cannot both be leaves"),
        (json, &with_json("\"/text/x\""), "cannot both be leaves"),
        (json, &with_json("\"/entities/*\""), "cannot both be leaves"),
        (json, &with_json("\"/entities/0/url\""), "`*` stands for all elements"),
        (json, &with_json("\"/a//b\""), "has an empty name"),
        (json, &with_json("\"chat\""), "begins with `/`"),
        (fixed, "fixed = { \"/text\" = \"x\" }", "the host writes \"/text\""),
        (fixed, "fixed = { \"/entities\" = true }", "the host writes \"/entities\""),
        (fixed, "fixed = { \"/reply\" = true }", "the host writes \"/reply\""),
        (fixed, "fixed = { \"/text/x\" = true }", "so \"/text\" of `fields` has no room"),
        (fixed, "fixed = { \"/entities/x\" = true }", "so \"/entities/*/type\" of `fields` has no room"),
        (fixed, "fixed = { \"/a\" = 1, \"/a/b\" = 2 }", "cannot both be leaves"),
        (fixed, "fixed = { \"/a/*\" = 1 }", "has a `*`"),
        (fixed, "fixed = { \"/a/0\" = 1 }", "has an index in it"),
        (fixed, "fixed = { \"/a\" = 1.5 }", "a string, an integer or a boolean"),
        (fixed, "fixed = { \"/a\" = \"x\\u200b\" }", "without invisible characters"),
        ("required = [\"/chat_id\", \"/text\"]", "required = [\"/title\"]", "\"/title\" is not in `fields`"),
        ("required = [\"/chat_id\", \"/text\"]", "required = [\"/text\", \"/text\"]", "is there twice"),
        ("required = [\"/chat_id\", \"/text\"]", "json = [\"text\"]", "only forms have parts"),
        ("required = [\"/chat_id\", \"/text\"]", "files = [\"text\"]", "only multipart bodies have files"),
        ("body = \"form\"", "body = \"form\"\nfiles = [\"q\"]", "only multipart bodies have files"),
        ("body = \"form\"", "body = \"form\"\njson = [\"q\"]", "the part \"q\" is JSON; list what is in it"),
        ("fields = [\"/q\"]", "fields = [\"/q\", \"/x/y\"]", "add it to `json`"),
        ("fields = [\"/q\"]", "fields = [\"/*/q\"]", "a form is no array"),
        ("fields = [\"/q\"]", "fields = [\"/a b\"]", "a part of a form is named with"),
        ("fields = [\"/q\"]", "", "list `fields`, or take `body` out"),
        ("body = \"form\"", "", "there is no body; say what it is"),
        ("body = \"form\"", "body = \"none\"", "there is no body; say what it is"),
        ("body = \"form\"", "body = \"text\"", "unknown variant `text`"),
        ("url = \"{config:api}/me\"", "url = \"{config:api}/me\"\nfixed = { \"/a\" = 1 }", "there is no body"),
        ("url = \"{config:api}/me\"", "url = \"{config:api}/me\"\nbody = \"json\"", "a GET has no body"),
        ("json = [\"media\", \"options\"]", "json = [\"media\", \"options\", \"x\"]", "\"/x/…\" is not in `fields`"),
        ("json = [\"media\", \"options\"]", "json = [\"media\"]", "add it to `json`"),
        ("json = [\"media\", \"options\"]", "json = [\"media\", \"media\"]", "is there twice"),
        ("json = [\"media\", \"options\"]", "json = [\"media\", \"options\", \"photo\"]", "a file or JSON, not both"),
        ("files = [\"photo\"]", "files = [\"photo\", \"x\"]", "\"/x\" is not in `fields`"),
        (parts, "fields = [\"/chat_id\", \"/photo/x\", \"/media/*/kind\", \"/caption\"]", "add it to `json`"),
        ("text = \"/caption\"", "text = \"/photo\"", "is a file, which cannot be compared"),
    ] {
        let error = error(&bot_with(line, with));
        assert!(error.contains(expected), "{with}\n{error}");
    }
}

#[test]
fn what_names_a_conversation_is_compared_with_the_actions() {
    let edit = "url = \"{config:api}/channels/{channel}/messages/{message}\"";
    let send = "conversation = [\"/chat_id\"]\nthread";
    for (line, with, expected) in [
        (send, "thread", "goes to the conversation of the action; say where it stands"),
        (send, "conversation = []\nthread", "goes to the conversation of the action; say where it stands"),
        (send, "conversation = [\"/chat\"]\nthread", "\"/chat\" is not in `fields`"),
        (send, "conversation = [\"$chat\"]\nthread", "the URL has no variable \"chat\""),
        (send, "conversation = [\"chat\"]\nthread", "is neither a field of the body"),
        (send, "conversation = [\"/chat_id\", \"/chat_id\"]\nthread", "is compared as `conversation` already"),
        ("thread = \"/thread_id\"", "thread = \"/chat_id\"", "is compared as `conversation` already"),
        ("reply-to = \"/reply/id\"", "reply-to = \"/text\"", "is compared as `reply-to` already"),
        ("reply-to = \"/reply/id\"", "reply-to = \"/reply/strict\"", "\"/reply/strict\" is not in `fields`"),
        ("text = \"/text\"", "text = \"$silent\"", "is not a pointer"),
        ("text = \"/text\"", "message = \"/text\"", "`message` is for \"edit\" and \"react\""),
        ("text = \"/text\"", "reference = \"/text\"", "`reference` is for \"fetch\""),
        ("text = \"/text\"", "emoji = \"/text\"", "`emoji` is for \"react\""),
        (
            "spoken = [\"/entities/*/url\"]",
            "spoken = [\"/entities/*/link\"]",
            "\"/entities/*/link\" is not in `fields`",
        ),
        ("spoken = [\"/entities/*/url\"]", "spoken = [\"/text\"]", "is compared as `text` already"),
        ("spoken = [\"/entities/*/url\"]", "spoken = [\"$silent\"]", "is not a pointer"),
        ("spoken = [\"/entities/*/url\"]", "spoken = \"/entities/*/url\"", "expected a sequence"),
        ("emoji = \"/emoji/*/name\"", "emoji = \"/smile\"", "\"/smile\" is not in `fields`"),
        ("emoji = \"/emoji/*/name\"", "emoji = \"$message\"", "is compared as `message` already"),
        ("text = \"/caption\"", "text = \"/caption\"\nspoken = [\"/photo\"]", "is a file, which cannot be compared"),
        ("for = [\"call\"]", "for = [\"call\"]\nspoken = [\"/q\"]", "`spoken` is for \"send\" and \"edit\""),
        ("download = true", "", "Only a GET with variables and download = true can do without"),
        ("download = true", "download = false", "Only a GET with variables and download = true can do without"),
        ("download = true", "download = \"yes\"", "expected a boolean"),
        ("download = true", "download = true\nmax-bytes = 9", "a download has the limit of files"),
        ("sent = \"/result/message_id\"", "sent = \"/id\"\ndownload = true", "the limit of files"),
        ("max-bytes = 1048576", "download = true", "a file names no message"),
        ("text = \"/text\"", "buttons = \"/text\"", "expected { at = \"/rows/*/*\", label = \"/text\""),
        ("for = [\"send\", \"typing\"]", "for = [\"send\", \"handle\"]", "make two endpoints of it"),
        ("for = [\"send\", \"typing\"]", "for = [\"send\", \"fetch\"]", "make two endpoints of it"),
        ("for = [\"send\", \"typing\"]", "for = [\"handle\"]", "conversation: \"handle\" is about no conversation"),
        ("for = [\"send\", \"typing\"]", "for = [\"fetch\"]", "conversation: \"fetch\" is about no conversation"),
        ("for = [\"send\", \"typing\"]", "for = [\"send\", \"send\"]", "\"send\" is there twice"),
        ("for = [\"send\", \"typing\"]", "for = [\"history\"]", "does not know the action \"history\" yet"),
        ("for = [\"send\", \"typing\"]", "for = [\"poke\"]", "is nothing that an endpoint can be for"),
        ("for = [\"send\", \"typing\"]", "for = []", "say what it is for"),
        ("for = [\"send\", \"typing\"]", "for = [\"typing\"]", "`reply-to` is for \"send\""),
        ("for = [\"handle\"]", "for = [\"react\"]", "goes to the conversation of the action"),
        ("for = [\"call\"]", "for = [\"call\"]\nthread = \"/q\"", "a thread is part of a conversation"),
        ("for = [\"call\"]", "for = [\"call\"]\nsent = \"/id\"", "`sent` is for \"send\""),
        ("for = [\"call\"]", "for = [\"fetch\"]", "say where its reference stands"),
        ("for = [\"handle\"]", "for = [\"fetch\"]", "say where its reference stands"),
        (edit, "url = \"{config:api}/channels/{channel}-{x}/{message}\"", "shares its part of the URL"),
        (edit, "url = \"{config:api}/{message}?c={channel}.{x}\"", "shares its part of the URL"),
        (edit, "url = \"{config:api}/{message}/{channel*}\"", "an id is one"),
        ("message = \"$message\"", "message = \"$channel\"", "is compared as `conversation` already"),
        ("may-set = [\"X-Trace\"]", "may-set = [\"Authorization\"]", "`headers`"),
        ("may-set = [\"X-Trace\"]", "may-set = [\"x-a\", \"X-A\"]", "\"x-a\" is there twice"),
        ("may-set = [\"X-Trace\"]", "may-set = [\"Cookie\"]", "says who asks"),
        ("may-set = [\"X-Trace\"]", "may-set = [\"Content-Type\"]", "the host itself writes"),
        (
            "headers = { authorization = \"Bot {secret:other}\" }",
            "headers = { x-trace = \"1\" }",
            "the host writes it; take it out here or there",
        ),
        ("sent = \"/result/message_id\"", "sent = \"result\"", "is not a pointer"),
        ("sent = \"/result/message_id\"", "sent = { items = \"/a\", id = \"/b\" }", "elements of one array"),
        ("sent = \"/result/message_id\"", "sent = { items = \"/a/*\" }", "write \"/result/message_id\", or"),
        ("max-bytes = 1048576", "max-bytes = 0", "from 1 to 33554432"),
        ("max-bytes = 1048576", "max-bytes = 33554433", "from 1 to 33554432"),
        ("name = \"me\"", "name = \"send\"", "\"send\" is there twice"),
        ("method = \"PATCH\"", "method = \"TRACE\"", "unknown variant `TRACE`"),
    ] {
        let error = error(&bot_with(line, with));
        assert!(error.contains(expected), "{with}\n{error}");
    }
    parse(&bot_with(
        "url = \"{config:api}/file/bot{secret:token}/{path*}\"",
        "url = \"{config:api}/{path*}\"\nreference = \"$path\"",
    ))
    .unwrap();
}
