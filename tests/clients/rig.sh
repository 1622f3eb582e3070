#!/usr/bin/env bash
# The real Claude Code client, offline, against the real binary:
#
#     rig.sh RIG BINARY [CLAUDE]
#
# RIG is the directory of the claude-rig, BINARY is sluicegate, CLAUDE is the client (the rig's own if it is left out).
# Everything happens in throw-away homes and in a network namespace with nothing but loopback. Prints one line for each
# check and at the end 'N passed, N failed'; ends with 0 only if none failed. Needs root, tmux, python3 and curl.
set -uo pipefail

. "$(dirname "${BASH_SOURCE[0]}")/rig_common.sh"
prepare "$@"
server=hook
port=8788 # in a namespace of its own, so it is always free
secret=throw-away
environment=("SLUICEGATE_HOME=$home" "WEBHOOK_SECRET=$secret")

page() { inside python3 "$here/page_client.py" "$home" $port "$@"; }

# A home in which these bundled adapters are allowed.
new_home() {
    home_with "listen = \"127.0.0.1:$port\"
[adapters.webhook.credentials.ci]
scheme = \"bearer\"
secret = { env = \"WEBHOOK_SECRET\" }" "$@"
}

posts() { # BODY
    local status
    status=$(inside curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $secret" \
        -H 'Content-Type: application/json' -d "$1" "http://127.0.0.1:$port/webhook/ci") && [ "$status" = 200 ]
}

someone='message_id="[^"]+" user="page" user_id="page"'

page_round_trip() { # WORDS
    page say "$1" --answer "^mock-reply to: $1\$" &&
        tag "(channel=\"fakechat\" )?chat_id=\"web\" $someone $time" "$1"
}

uploads() {
    printf 'bytes of the file\n' >"$work/notes.txt"
    page upload "$work/notes.txt" 'see the notes' &&
        tag "(channel=\"fakechat\" )?chat_id=\"web\" $someone $time [^>]*file_path=\"[^\"]+\"[^>]*" 'see the notes' |
        python3 -c '
import html, re, sys
path = html.unescape(re.search(r"file_path=\"([^\"]+)\"", sys.stdin.read())[1])
assert open(path).read() == "bytes of the file\n", path'
}

webhook_arrives() {
    posts '{"build":"failed","branch":"main"}' &&
        tag "channel=\"webhook\" chat_id=\"ci\" message_id=\"[^\"]+\" user=\"ci\" user_id=\"ci\" $time [^>]*text_by=\"adapter\"[^>]*" \
            '[^<]*build: failed[^<]*'
}

# The words come through a channel and make the mock call that tool first.
calls() { # TOOL ARGUMENTS-AS-JSON
    page say "call tool: mcp__hook__$1 $2" --answer '^mock-reply' && succeeds "\"name\": \"$1\""
}

edits() { # an answer of Claude's, by the id that `reply` gave back
    local sent
    sent=$(wire 'sent \(message_id: ' --ev s2c | grep -o 'message_id: [^)]*' | head -1 | cut -d' ' -f2) || return 1
    calls edit_message "{$channel\"chat_id\": \"web\", \"message_id\": \"$sent\", \"text\": \"better words\"}"
}

reacts() {
    local said
    said=$(ccrig channels "$run" | grep -o 'message_id="[^"]*"' | head -1 | cut -d'"' -f2) || return 1
    calls react "{$channel\"chat_id\": \"web\", \"message_id\": \"$said\", \"emoji\": \"👍\"}"
}

# A call that hangs is cancelled with Escape; the server lives on. It hangs because the server is held meanwhile.
cancels() {
    local server
    server=$(python3 -c 'import json,sys; print(json.loads(open(sys.argv[1]).readline())["child_pid"])' "$run/stdio-hook.jsonl")
    ccrig wait-idle "$run" && kill -STOP "$server" || return 1
    ccrig type "$run" "call tool: mcp__hook__react {$channel\"chat_id\": \"web\", \"message_id\": \"held\", \"emoji\": \"👍\"}" &&
        wire '"held"' --ev c2s --method tools/call &&
        ccrig keys "$run" Escape &&
        wire '' --ev c2s --method notifications/cancelled
    local outcome=$?
    kill -CONT "$server"
    [ $outcome = 0 ] && ccrig wait-idle "$run"
}

first_session_alone() {
    page_round_trip 'only one of you' && posts '{"only":"one"}' && tag 'channel="webhook" [^>]*' '[^<]*only: one[^<]*'
}

# Whether `reply` asks for the channel.
reply_has_channel() { # yes|no
    wire '"tools": \[' --ev s2c | python3 -c '
import json, sys
tools = {tool["name"]: tool for tool in json.load(sys.stdin)["result"]["tools"]}
reply = tools["reply"]
assert reply["_meta"]["anthropic/alwaysLoad"] is True
assert ("channel" in reply["inputSchema"]["properties"]) == (sys.argv[1] == "yes"), reply' "$1"
}

# With --ask-reply the user is asked before `reply` may be used.
asks() {
    page say 'may I' &&
        ccrig wait-screen "$run" 'Do you want to (proceed|use)' &&
        ccrig keys "$run" Enter &&
        wire 'sent \(message_id: ' --ev s2c
}

echo "== fakechat and webhook"
channel='"channel": "fakechat", '
check "a home with both" new_home fakechat webhook
check "the client registers the channel" start
check "a message from the page arrives as a tag, and the answer reaches the page" page_round_trip 'hello from the page'
check "an uploaded file arrives with its path and its bytes" uploads
check "a signed webhook arrives as a tag" webhook_arrives
check "reply asks for the channel" reply_has_channel yes
check "edit_message works" edits
check "react works" reacts
check "a second session answers and takes nothing" second_session first_session_alone
check "a call can be cancelled" cancels
check "and the next message is answered" page_round_trip 'after the cancelled call'
check "the wire is clean" clean_wire
check "/exit ends the server, and nothing is left" stop

echo "== fakechat alone, with the client's own tool search"
channel=''
check "a home with one" new_home fakechat
check "the client registers the channel" start --tool-search ''
check "the channel argument is gone" reply_has_channel no
check "a message from the page arrives as a tag, and the answer reaches the page" page_round_trip 'hello again'
check "reply was there without a search" no_tool_search
check "the wire is clean" clean_wire
check "/exit ends the server, and nothing is left" stop

echo "== both again, with the client's own tool search, on the same home as a session before"
channel='"channel": "fakechat", '
check "a second adapter is allowed" env SLUICEGATE_HOME="$home" "$binary" allow webhook --yes
check "the client registers the channel" start --tool-search ''
check "a message from the page arrives as a tag, and the answer reaches the page" page_round_trip 'and again'
check "a signed webhook arrives as a tag" webhook_arrives
check "/exit ends the server, and nothing is left" stop

echo "== reply needs the user's permission"
check "a home with one" new_home fakechat
check "the client registers the channel" start --ask-reply
check "the user is asked, and the answer goes out" asks
check "/exit ends the server, and nothing is left" stop

summary
