#!/usr/bin/env bash
# A conversation over Telegram with the real Claude Code client, offline, against the real binary:
#
#     rig_telegram.sh RIG BINARY FAKE [CLAUDE]
#
# RIG is the directory of the claude-rig, BINARY is sluicegate, FAKE is fake-telegram, CLAUDE is the client (the rig's
# own if it is left out). Everything happens in a throw-away home and in a network namespace with nothing but loopback,
# in which the fake runs too. Prints one line for each check and at the end 'N passed, N failed'; ends with 0 only if
# none failed. Needs root, tmux, python3 and curl.
set -uo pipefail

. "$(dirname "${BASH_SOURCE[0]}")/rig_common.sh"
prepare "$1" "$2" "${4:-}"
fake=$(realpath "$3")
. "$here/rig_bot.sh"

lines() { paste -sd, "$1"; }

# The tools are those of the official plugin: their names, what they need and what they take.
official_surface() {
    wire '"tools": \[' --ev s2c | python3 -c '
import json, sys
official = {
    "reply": (["chat_id", "text"], ["reply_to", "files", "format"]),
    "react": (["chat_id", "message_id", "emoji"], []),
    "edit_message": (["chat_id", "message_id", "text"], ["format"]),
    "download_attachment": (["file_id"], []),
}
tools = {tool["name"]: tool for tool in json.load(sys.stdin)["result"]["tools"]}
assert set(tools) == set(official), list(tools)
for name, (required, optional) in official.items():
    schema = tools[name]["inputSchema"]
    assert sorted(schema["required"]) == sorted(required), schema
    assert set(schema["properties"]) - {"thread_id"} == set(required + optional), schema
assert tools["reply"]["_meta"]["anthropic/alwaysLoad"] is True'
}

# The attributes that the model sees of a message of Alice's.
of_alice() { # MESSAGE-IDS
    local ids
    case $1 in *,*) ids="message_id=\"${1##*,}\" message_ids=\"$1\"" ;; *) ids="message_id=\"$1\"" ;; esac
    printf '(channel="telegram" )?chat_id="%s" %s user="alice" user_id="%s" %s' "$alice" "$ids" "$alice" "$time"
}

stranger_gets_a_code() {
    alice=$(telegram user Alice) && telegram say "$alice" 'who is there' &&
        code=$(telegram answer "$alice" 'sluicegate pair ([0-9a-f]{6})$')
}

pairs() {
    sluicegate pair "$code" --yes && telegram answer "$alice" '^You are in'
}

# A message of Alice's, the tag, and the mock's answer in her chat.
round_trip() { # WORDS
    local id
    id=$(telegram say "$alice" "$1") &&
        tag "$(of_alice "$id")" "$1" &&
        wire "\"name\": \"reply\".*mock-reply to: $1\"" --ev c2s --method tools/call &&
        telegram answer "$alice" "^mock-reply to: $1\$"
}

# What a stranger said never reaches Claude, not even once they are in.
nothing_before() { [ "$(ccrig channels "$run" | grep -c '^<channel')" = 1 ]; }

types() { telegram call sendChatAction "(?=.*\"typing\").*\"$alice\""; }

# Reads a tag: each of these attributes is a path in the inbox to the same bytes as that file.
same_bytes() { # ATTRIBUTE=FILE…
    python3 -c '
import html, re, sys
tag, inbox = sys.stdin.read(), sys.argv[1]
for attribute, file in (pair.split("=", 1) for pair in sys.argv[2:]):
    path = html.unescape(re.search(" %s=\"([^\"]+)\"" % attribute, tag)[1])
    assert path.startswith(inbox), path
    assert open(path, "rb").read() == open(file, "rb").read(), path' "$home/inbox/telegram/" "$@"
}

# A PNG file of that grey, larger than the thumbnails that Telegram makes.
picture() { # FILE GREY
    python3 -c '
import struct, sys, zlib
width, height = 640, 480
chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
lines = (b"\0" + bytes([int(sys.argv[2])]) * width) * height
open(sys.argv[1], "wb").write(
    b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b""))' "$@"
}

photo_arrives() {
    local id
    picture "$work/look.png" 1
    id=$(telegram photo "$alice" "$work/look.png" 'look at this') &&
        tag "$(of_alice "$id") attachment_kind=\"photo\" [^>]*image_path=\"[^\"]+\"[^>]*" 'look at this' |
        same_bytes "image_path=$work/look.png"
}

# A call in the words of a message: the mock calls that tool first and then answers.
calls() { # TOOL ARGUMENTS-AS-JSON [REGEX, of the recorded call]
    local id
    id=$(telegram say "$alice" "call tool: mcp__telegram__$1 $2") &&
        tag "$(of_alice "$id")" "call tool: mcp__telegram__$1 .*" >/dev/null &&
        succeeds "\"name\": \"$1\".*${3:-}"
}

document_is_fetched() {
    local id reference
    printf 'bytes of the report\n' >"$work/report.txt"
    id=$(telegram document "$alice" "$work/report.txt" 'the report') &&
        reference=$(tag "$(of_alice "$id") attachment_kind=\"document\" attachment_name=\"report.txt\" attachment_mime=\"text/plain\" attachment_size=\"20\" attachment_file_id=\"[^\"]+\"" 'the report' |
            grep -o 'attachment_file_id="[^"]*"' | cut -d'"' -f2) &&
        calls download_attachment "{\"file_id\": \"$reference\"}" "\"file_id\": \"$reference\"" >"$work/fetched" &&
        python3 -c '
import json, sys
path = json.load(open(sys.argv[1]))["result"]["content"][0]["text"].strip()
assert path.startswith(sys.argv[2]), path
assert open(path, "rb").read() == open(sys.argv[3], "rb").read(), path' "$work/fetched" "$home/inbox/telegram/" "$work/report.txt"
}

reacts() {
    local id
    id=$(telegram say "$alice" 'well done') && tag "$(of_alice "$id")" 'well done' &&
        calls react "{\"chat_id\": \"$alice\", \"message_id\": \"$id\", \"emoji\": \"👍\"}" "\"message_id\": \"$id\"" &&
        telegram call setMessageReaction "(?=.*👍).*\"message_id\", \"$id\""
}

edits() { # an answer of Claude's, by the id that `reply` gave back
    local sent
    sent=$(succeeds '"name": "reply".*mock-reply to: hello from Telegram"' | grep -o 'message_id: [0-9]*' | cut -d' ' -f2) &&
        [ "$sent" = "$(telegram answer "$alice" '^mock-reply to: hello from Telegram$')" ] &&
        calls edit_message "{\"chat_id\": \"$alice\", \"message_id\": \"$sent\", \"text\": \"better *words*\"}" "\"message_id\": \"$sent\"" &&
        [ "$(telegram answer "$alice" '^better words$')" = "$sent" ]
}

# Tags that bear one of these ids.
tags_of() { # MESSAGE-IDS, with commas
    ccrig channels "$run" | grep -cE "message_ids?=\"([0-9]+,)*(${1//,/|})(,[0-9]+)*\""
}

album_is_one_tag() {
    local file ids
    for file in 2 3 4; do picture "$work/album$file.png" $file; done
    telegram album "$alice" 'our holidays' "$work"/album{2,3,4}.png >"$work/ids" && ids=$(lines "$work/ids") &&
        tag "$(of_alice "$ids") [^>]*" 'our holidays' |
        same_bytes "image_path=$work/album2.png" "attachment_2_image_path=$work/album3.png" "attachment_3_image_path=$work/album4.png" &&
        round_trip 'after the album' && [ "$(tags_of "$ids")" = 1 ]
}

burst_is_one_tag() {
    local ids
    telegram say "$alice" 'wait' 'one more thing' >"$work/ids" && ids=$(lines "$work/ids") &&
        tag "$(of_alice "$ids")" $'wait\none more thing' &&
        round_trip 'after the burst' && [ "$(tags_of "$ids")" = 1 ]
}

# Nobody but the first session has polled: the fake has told no one of a conflict.
no_conflict() {
    telegram seen | python3 -c '
import json, sys
seen = json.load(sys.stdin)
assert seen["conflicts"] == 0 and seen["is_polled"], seen'
}

alone() { round_trip 'only one of you' && no_conflict; }

# Typed at the terminal, after all that the mock must answer by itself: it counts replies.
sends_a_photo() {
    local id
    picture "$run/proj/chart.png" 5
    ccrig wait-idle "$run" &&
        ccrig type "$run" "call tool: mcp__telegram__reply {\"chat_id\": \"$alice\", \"text\": \"the chart\", \"files\": [\"$run/proj/chart.png\"]}" &&
        succeeds '"name": "reply".*chart\.png' &&
        id=$(telegram answer "$alice" '^the chart$') &&
        telegram file "$alice" "$id" photo >"$work/sent.png" && cmp "$work/sent.png" "$run/proj/chart.png"
}

# Neither the client nor the model gets to see the token, and it is in no log.
token_is_nowhere() {
    local found
    found=$(grep -rlF "${token#*:}" "$run" "$home" | grep -v '/secrets/telegram\.env$')
    echo "$found"
    [ -z "$found" ]
}

# The last poll ended with the server: none waits, none follows, and the next one who polls is alone.
polls_no_more() {
    local before after
    telegram unpolled && before=$(telegram seen) && telegram poll && after=$(telegram seen) && python3 -c '
import json, sys
before, after = map(json.loads, sys.argv[1:])
assert not after["is_polled"] and after["polls"] == before["polls"] + 1, (before, after)
assert after["conflicts"] == 0, after' "$before" "$after"
}

new_home_with_alice() {
    alice=6123456789
    new_home && SLUICEGATE_HOME=$home "$binary" access telegram allow $alice
}

alice_writes_early() { telegram user Alice $alice && telegram say $alice 'are you there' >"$work/early"; }

early_is_answered() {
    tag "$(of_alice "$(cat "$work/early")")" 'are you there' && telegram answer $alice '^mock-reply to: are you there$'
}

echo "== telegram alone"
check "a home with telegram, and the token in it" new_home
check "the client registers the channel, and the bot waits for updates" start_with_fake :
check "the channel argument is gone: the tools are those of the official plugin" official_surface
check "a stranger writes and gets a code from the bot" stranger_gets_a_code
check "sluicegate pair lets them in, and the bot says so" pairs
check "the next message arrives as a tag, and the answer reaches the chat" round_trip 'hello from Telegram'
check "what was said before that was not heard" nothing_before
check "the bot shows that it writes" types
check "a photo arrives with its path and its bytes" photo_arrives
check "a document is fetched with its bytes" document_is_fetched
check "react works" reacts
check "edit_message works" edits
check "an album is one tag with all pictures" album_is_one_tag
check "two quick messages are one tag" burst_is_one_tag
check "a second session answers, takes nothing and does not poll" second_session alone
check "and the first one still listens" round_trip 'still there'
check "reply sends a photo with its bytes" sends_a_photo
check "the wire is clean" clean_wire
check "the token is nowhere" token_is_nowhere
check "/exit ends the server" leaves
check "nobody polls any more" polls_no_more
check "nothing is left" nothing_left

echo "== telegram alone, with the client's own tool search"
check "a home with telegram, and Alice may speak" new_home_with_alice
check "the client registers the channel" start_with_fake alice_writes_early --tool-search ''
check "what was said before the session arrives as a tag, and the answer reaches the chat" early_is_answered
check "reply was there without a search" no_tool_search
check "the wire is clean" clean_wire
check "/exit ends the server" leaves
check "nobody polls any more" polls_no_more
check "nothing is left" nothing_left

summary
