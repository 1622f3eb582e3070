#!/usr/bin/env bash
# Permission requests of the real Claude Code client, answered over Telegram and at the terminal, offline, against the
# real binary:
#
#     rig_permissions.sh RIG BINARY FAKE [CLAUDE]
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
alice=6123456789
carol=6123456790
patience=(--timeout 60)

prompt() { inside python3 "$here/prompt_client.py" "$url" "$@"; }

# A member of a kept prompt.
of_prompt() { # MARK MEMBER
    python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$work/$1" "$2"
}

# Alice speaks to the bot, and answers what Claude asks.
home_with_an_approver() {
    new_home && SLUICEGATE_HOME=$home "$binary" access telegram allow $alice &&
        SLUICEGATE_HOME=$home "$binary" access telegram approver add $alice
}

# Alice and Carol have Telegram, too. More switches of `ccrig up` may follow.
begins() { start_with_fake : --timeout 120 "$@" && telegram user Alice $alice && telegram user Carol $carol; }

declares_the_relay() {
    wire '"claude/channel/permission": \{' --ev s2c | python3 -c '
import json, sys
assert json.load(sys.stdin)["result"]["capabilities"]["experimental"]["claude/channel/permission"] == {}'
}

says() { # WORDS
    telegram say "$alice" "$1" && answered "$1"
}

# Claude's turn went on: the mock answers what Alice wrote.
answered() { # REGEX
    wire "\"name\": \"reply\".*mock-reply to: $1" --ev c2s --method tools/call "${patience[@]}" &&
        telegram answer "$alice" "^mock-reply to: $1"
}

# Alice has Claude run a command that makes a file of that name: Claude Code asks at the terminal, and the prompt is in
# her chat; it is kept as $work/MARK.
wants() { # MARK [WHAT-FOLLOWS]
    telegram say "$alice" "run bash: touch $1${2:+ $2}" && prompt open "$alice" "$1\\b" >"$work/$1" && asked "$1"
}

asked() { # MARK
    ccrig wait-screen "$run" 'Do you want to proceed' "${patience[@]}" && did_not_run "$1" &&
        cat "$work/$1" && of_prompt "$1" code >>"$work/codes"
}

ran() { [ -e "$run/proj/$1" ]; }
did_not_run() { [ ! -e "$run/proj/$1" ]; }

# The prompt that is kept has these buttons and no others.
has() { # MARK LABEL…
    python3 -c '
import json, sys
labels = [label.split()[-1] if "See" not in label else label for label, _ in json.load(open(sys.argv[1]))["buttons"]]
assert labels == sys.argv[2:], labels' "$work/$1" "${@:2}"
}

# What the client was told of the request with that mark: nothing, allow or deny.
verdict_on() { # MARK
    python3 - "$run/stdio-$server.jsonl" "$1" <<'PY'
import json, re, sys
asked, said = {}, []
for event in (json.loads(line) for line in open(sys.argv[1]) if line.endswith('\n')):
    message = event.get('msg') or {}
    if message.get('method') == 'notifications/claude/channel/permission_request' and event['ev'] == 'c2s':
        asked[message['params']['request_id']] = message['params']['input_preview']
    if message.get('method') == 'notifications/claude/channel/permission' and event['ev'] == 's2c':
        said.append((message['params']['request_id'], message['params']['behavior']))
assert all(request in asked for request, _ in said), said
of_mark = [request for request, preview in asked.items() if re.search(r'\b%s\b' % sys.argv[2], preview)]
assert len(of_mark) == 1, asked
print(' '.join(behavior for request, behavior in said if request == of_mark[0]))
PY
}

is_verdict() { # MARK allow|deny|''
    local verdict
    verdict=$(verdict_on "$1") && echo "the verdict: $verdict" && [ "$verdict" = "$2" ]
}

is_allowed() { # MARK
    prompt closed "$work/$1" "You allowed it at .*$1" && answered "run bash: touch $1" && ran "$1" &&
        is_verdict "$1" allow && result_of "$1" False '^((?!Denied).)*$'
}

is_denied() { # MARK
    prompt closed "$work/$1" "You denied it at .*$1" && answered "run bash: touch $1" && did_not_run "$1" &&
        is_verdict "$1" deny && result_of "$1" True "Denied via channel $server"
}

# What the model was told of the command with that mark.
result_of() { # MARK IS-ERROR REGEX
    python3 - "$run/api.jsonl" "$@" <<'PY'
import json, re, sys
file, mark, is_error, regex = sys.argv[1:]
calls, results = set(), {}
for line in open(file, errors='replace'):
    body = json.loads(line).get('body') if line.endswith('\n') else None
    for message in body.get('messages', []) if isinstance(body, dict) else []:
        for block in message['content'] if isinstance(message['content'], list) else []:
            if block['type'] == 'tool_use' and re.search(r'\b%s\b' % mark, block['input'].get('command', '')):
                calls.add(block['id'])
            elif block['type'] == 'tool_result':
                results[block['tool_use_id']] = (str(bool(block.get('is_error'))), json.dumps(block['content']))
told = [results.get(call) for call in calls]
assert len(told) == 1 and told[0] and told[0][0] == is_error and re.search(regex, told[0][1]), told
PY
}

presses() { # MARK LABEL
    prompt press "$work/$1" "$2"
}

# Typed in Alice's chat.
types() { # MARK yes|no
    telegram say "$alice" "$2 $(of_prompt "$1" code)"
}

allows_with_a_button() { wants MARK-1 && has MARK-1 Allow Deny && presses MARK-1 Allow && is_allowed MARK-1; }
denies_with_a_button() { wants MARK-2 && has MARK-2 Allow Deny && presses MARK-2 Deny && is_denied MARK-2; }
allows_in_words() { wants MARK-3 && types MARK-3 yes && is_allowed MARK-3; }
denies_in_words() { wants MARK-4 && types MARK-4 no && is_denied MARK-4; }

# So many words behind a comment sign, the last one is the-end.
words() { # COUNT
    python3 -c 'import sys; print("#", " ".join("w%05d" % at for at in range(int(sys.argv[1]))), "the-end")' "$1"
}

# The client is one that sends no more than 200 UTF-16 units of a tool's input, or one that sends 3,500 code points of
# each argument.
is_brief() {
    python3 -c '
import json, sys
version = json.load(open(sys.argv[1]))["version"]
assert version, "which version?"
sys.exit(tuple(map(int, version.split(".")[:3])) >= (2, 1, 200))' "$run/state.json"
}

# What is long: first not all is shown and nothing allows it, then all and it does.
allows_what_is_long() {
    wants MARK-5 "$(words 200)" && has MARK-5 'See more' Deny && types MARK-5 yes &&
        records refused 'the prompt did not show everything' MARK-5 && is_verdict MARK-5 '' && did_not_run MARK-5 &&
        presses MARK-5 'See more' && prompt changed "$work/MARK-5" the-end >"$work/full" && mv "$work/full" "$work/MARK-5" &&
        has MARK-5 Allow Deny && presses MARK-5 Allow && is_allowed MARK-5
}

# What the client itself cuts: nothing allows it, not even in full.
denies_what_was_cut() { # MARK WORDS
    wants "$1" "$(words "$2")" && ! grep -q the-end "$work/$1" && types "$1" yes &&
        records refused 'the prompt did not show everything' "$1" && sees_all_there_is "$1" && has "$1" Deny &&
        types "$1" yes && records refused 'the prompt did not show everything' "$1" 2 && is_verdict "$1" '' &&
        did_not_run "$1" && presses "$1" Deny && is_denied "$1"
}

sees_all_there_is() { # MARK
    if is_brief; then
        has "$1" Deny && grep -q 'incomplete or unclear, so it can only be allowed at the terminal' "$work/$1"
    else
        has "$1" 'See more' Deny && presses "$1" 'See more' &&
            prompt changed "$work/$1" 'left out [0-9,]+ characters, so it can only be allowed at the terminal' \
                >"$work/full" && mv "$work/full" "$work/$1"
    fi
}

# The record's entries about the request with that mark, in their order: what happened, how, by whom.
record_of() { # MARK
    SLUICEGATE_HOME=$home "$binary" log --permissions --json -n 100000 2>/dev/null | python3 -c '
import json, re, sys
entries = [json.loads(line)["entry"] for line in sys.stdin]
mine = {entry["request"] for entry in entries
        if entry["what"] == "requested" and re.search(r"\b%s\b" % sys.argv[1], entry["preview"])}
assert len(mine) == 1, mine
for entry in entries:
    if entry["request"] in mine:
        by = entry.get("by", {})
        print(*[word for word in (entry["what"], entry.get("verdict"), by.get("how"), by.get("sender") or entry.get("sender"),
                                  entry.get("why")) if word])' "$1"
}

# Waits until the record says so.
records() { # COMMAND…
    soon "$@" || {
        SLUICEGATE_HOME=$home "$binary" log --permissions -n 3
        return 1
    }
}

# The record says that often that an attempt on that request counted for nothing.
refused() { # WHY MARK [TIMES]
    [ "$(record_of "$2" | grep -c "^refused .*$1")" = "${3:-1}" ]
}

# The record says so of a message, whatever it belongs to.
message_refused() { # WHY MESSAGE
    SLUICEGATE_HOME=$home "$binary" log --permissions --json -n 100000 2>/dev/null | python3 -c '
import json, sys
entries = [json.loads(line)["entry"] for line in sys.stdin]
sys.exit(not any(entry["what"] == "refused" and sys.argv[1] in entry["why"] and entry["by"]["message"] == sys.argv[2]
                 for entry in entries))' "$1" "$2"
}

# The terminal answers first. Claude Code tells nobody: its next tool call shows it.
yes_at_the_terminal() {
    wants MARK-7 && ccrig keys "$run" Enter && answered 'run bash: touch MARK-7' && ran MARK-7 &&
        prompt closed "$work/MARK-7" 'nothing can be decided here any more.*MARK-7' >"$work/MARK-7.closed" &&
        is_verdict MARK-7 ''
}

no_at_the_terminal() {
    wants MARK-8 && ccrig keys "$run" Escape && ccrig wait-idle "$run" "${patience[@]}" &&
        ccrig type "$run" 'something else then' && answered 'run bash: touch MARK-8' && did_not_run MARK-8 &&
        prompt closed "$work/MARK-8" 'nothing can be decided here any more.*MARK-8' >"$work/MARK-8.closed" &&
        is_verdict MARK-8 ''
}

# What a forged client does later: press a button that is gone, and type the code.
late_answers() { # MARK
    prompt late "$work/$1" Allow && records refused 'it was decided before' "$1" &&
        types "$1" yes && records refused 'it was decided before' "$1" 2 &&
        telegram answer "$alice" 'decided already' && is_verdict "$1" '' && prompt still "$work/$1.closed"
}

# A group in which Claude hears everything, and what is said there.
group_is_heard() {
    group=$(prompt group Friends $alice $carol) && sluicegate access telegram group add "$group" --no-mention &&
        prompt post "{\"from\": $alice, \"chat\": $group, \"message\": {\"text\": \"good morning all\"}}" &&
        tag "(channel=\"telegram\" )?chat_id=\"$group\" [^>]*" 'good morning all' &&
        wire '"name": "reply".*mock-reply to: good morning all' --ev c2s --method tools/call "${patience[@]}"
}

another_code() { # CODE
    if [ "$1" = abcde ]; then echo edcba; else echo abcde; fi
}

# A message that reads like a verdict on MARK-9 and is none.
counts_for_nothing() { # WHY MEMBERS-AS-JSON
    local message
    message=$(prompt post "$2") && records message_refused "$1" "$message" && prompt still "$work/MARK-9" &&
        is_verdict MARK-9 '' && did_not_run MARK-9
}

wrong_code() {
    local wrong
    wants MARK-9 && wrong=$(another_code "$(of_prompt MARK-9 code)") && echo "$wrong" >>"$work/codes" &&
        counts_for_nothing 'no request that waits has this code' "{\"from\": $alice, \"message\": {\"text\": \"yes $wrong\"}}" &&
        telegram answer "$alice" 'reads like an answer to a permission prompt, and none waits for it'
}

forwarded_code() {
    counts_for_nothing 'not the sender'\''s own new message' \
        "{\"from\": $alice, \"forwarded_from\": $carol, \"message\": {\"text\": \"yes $(of_prompt MARK-9 code)\"}}"
}

code_in_a_group() {
    counts_for_nothing 'not said in a direct conversation' \
        "{\"from\": $alice, \"chat\": $group, \"message\": {\"text\": \"yes $(of_prompt MARK-9 code)\"}}"
}

# All of that came before: what follows it is heard, and it is not.
then_denied() {
    types MARK-9 no && is_denied MARK-9 &&
        prompt post "{\"from\": $alice, \"chat\": $group, \"message\": {\"text\": \"good night all\"}}" &&
        tag "(channel=\"telegram\" )?chat_id=\"$group\" [^>]*" 'good night all' && says 'still there'
}

# Neither the codes nor Claude Code's own names of the requests are where they do not belong.
nothing_shown() {
    python3 - "$run" "$server" "$work/codes" >"$work/requests" <<'PY'
import json, re, sys
run, server, codes = sys.argv[1:]
codes = [code for code in open(codes).read().split() if code != 'None']
assert len(codes) > 5, codes
# What the model saw.
seen = open(run + '/api.jsonl', errors='replace').read()
shown = [code for code in codes if re.search(r'(?i)\b%s\b' % code, seen)]
assert not shown, 'the model saw %r' % shown
events = (json.loads(line) for line in open('%s/stdio-%s.jsonl' % (run, server)) if line.endswith('\n'))
requests = [event['msg']['params']['request_id'] for event in events
            if (event.get('msg') or {}).get('method') == 'notifications/claude/channel/permission_request']
assert len(requests) >= len(codes) - 1 and not set(codes) & set(requests), (codes, requests)
print(*requests)
PY
    [ $? = 0 ] && prompt nowhere $(cat "$work/requests")
}

# Escape closes the client's dialog, of which nobody is told; then it ends.
leaves_an_open_prompt() {
    wants MARK-10 && ccrig keys "$run" Escape && prompt still "$work/MARK-10" && leaves
}

# By the session that ends, or by the next one.
is_closed_in_the_end() {
    local is_closed=(prompt closed "$work/MARK-10" 'nothing can be decided here any more.*MARK-10')
    "${is_closed[@]}" 0 || served_again "${is_closed[@]}"
}

# A session of its own on the same home, beside the fake, while that command waits.
served_again() { # COMMAND…
    rm -f "$work/again"
    mkfifo "$work/again"
    inside env "${environment[@]}" "$binary" serve <"$work/again" >"$work/again.out" 2>&1 &
    local process=$! outcome
    exec 9>"$work/again"
    printf '%s\n' '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"next","version":"1"}}}' \
        '{"jsonrpc":"2.0","method":"notifications/initialized"}' >&9
    "$@"
    outcome=$?
    exec 9>&-
    wait $process || outcome=1
    cat "$work/again.out"
    return $outcome
}

is_recorded() { # MARK LINE…
    local mark=$1; shift
    record_of "$mark" >"$work/record" && cat "$work/record" && printf '%s\n' requested "asked $alice" "$@" | diff - "$work/record"
}

record_is_as_it_was() {
    local over='ended Claude Code went on, so it was answered at the terminal or in another channel'
    local late=("refused pressed $alice it was decided before" "refused typed $alice it was decided before")
    local incomplete="refused typed $alice the prompt did not show everything, so it offered no Allow"
    is_recorded MARK-1 "decided allow pressed $alice" && is_recorded MARK-2 "decided deny pressed $alice" &&
        is_recorded MARK-3 "decided allow typed $alice" && is_recorded MARK-4 "decided deny typed $alice" || return 1
    if is_brief; then
        is_recorded MARK-5 "$incomplete" "$incomplete" "decided deny pressed $alice" || return 1
    else
        is_recorded MARK-5 "$incomplete" "decided allow pressed $alice" || return 1
    fi
    is_recorded MARK-6 "$incomplete" "$incomplete" "decided deny pressed $alice" &&
        is_recorded MARK-7 "$over" "${late[@]}" && is_recorded MARK-8 "$over" &&
        is_recorded MARK-9 \
            "refused typed $alice it is not the sender's own new message: edited, forwarded, sent by way of a bot, or below a picture" \
            "refused typed $alice it was not said in a direct conversation" "decided deny typed $alice" &&
        is_recorded MARK-10 'ended the session ended'
}

# For people: every request, and at the end that nothing is missing.
record_is_whole() {
    SLUICEGATE_HOME=$home "$binary" log --permissions >"$work/shown" && cat "$work/shown" || return 1
    local mark
    for mark in $(seq 10); do grep -q "MARK-$mark\\b" "$work/shown" || return 1; done
    tail -1 "$work/shown" | grep -q '^The record is whole: '
}

# On a copy: a line that is taken out is noticed.
a_missing_line_is_noticed() {
    rm -rf "$work/copy"
    cp -a "$home" "$work/copy" && python3 - "$work/copy/journal.db" <<'PY' || return 1
import sqlite3, sys
journal = sqlite3.connect(sys.argv[1])
ids = [row[0] for row in journal.execute('SELECT id FROM permission ORDER BY id')]
journal.execute('DELETE FROM permission WHERE id = ?', (ids[len(ids) // 2],))
journal.commit()
PY
    ! SLUICEGATE_HOME=$work/copy "$binary" log --permissions >"$work/shown" 2>&1 &&
        tail -3 "$work/shown" && grep -q 'is not as it was written' "$work/shown"
}

# With --ask-reply even the answer needs permission. Its prompt is kept as $work/reply.
allows_the_reply() {
    telegram say "$alice" 'may you answer' && prompt open "$alice" mcp__telegram__reply >"$work/reply" &&
        ccrig wait-screen "$run" 'Do you want to (proceed|use)' "${patience[@]}" && cat "$work/reply" || return 1
    if grep -q '"See more"' "$work/reply"; then
        presses reply 'See more' && prompt changed "$work/reply" '' >"$work/full" && mv "$work/full" "$work/reply" || return 1
    fi
    has reply Allow Deny && presses reply Allow && answered 'may you answer' &&
        prompt closed "$work/reply" 'You allowed it at .*mcp__telegram__reply'
}

# The server is killed while a prompt is open, so nothing of it can close it.
killed_with_an_open_prompt() {
    local process
    wants MARK-11 &&
        process=$(python3 -c 'import json,sys; print(json.loads(open(sys.argv[1]).readline())["child_pid"])' "$run/stdio-$server.jsonl") &&
        kill -KILL "$process" && wire '' --ev exit "${patience[@]}" && prompt still "$work/MARK-11"
}

next_session_closes_it() {
    served_again prompt closed "$work/MARK-11" 'nothing can be decided here any more.*MARK-11' && did_not_run MARK-11
}

echo "== an approver in Telegram"
check "a home with telegram, and Alice approves" home_with_an_approver
check "the client registers the channel" begins
check "the relay is declared" declares_the_relay
check "Alice writes and gets an answer" says hello
check "Allow: the tool runs, and the prompt says so" allows_with_a_button
check "Deny: the tool does not run, Claude goes on, and the prompt says so" denies_with_a_button
check "yes and the code: the tool runs" allows_in_words
check "no and the code: the tool does not run" denies_in_words
if is_brief; then
    check "what this client cuts at 200 cannot be allowed, only denied" denies_what_was_cut MARK-5 200
else
    check "what is long is allowed after See more, not before" allows_what_is_long
fi
check "what every client cuts cannot be allowed, only denied" denies_what_was_cut MARK-6 530
check "yes at the terminal: the phone can no longer decide" yes_at_the_terminal
check "a forged press and the code change nothing then" late_answers MARK-7
check "no at the terminal: the phone can no longer decide" no_at_the_terminal
check "a group is heard" group_is_heard
check "a wrong code does nothing, and Alice is told" wrong_code
check "a forwarded code does nothing" forwarded_code
check "a code from a group does nothing" code_in_a_group
check "then it is denied, and what follows is heard" then_denied
check "no code was shown to Claude, and no name of a request left" nothing_shown
check "the wire is clean" clean_wire
check "/exit ends the server while a prompt is open" leaves_an_open_prompt
check "the prompt is closed" is_closed_in_the_end
check "the record has all of it" record_is_as_it_was
check "and shows it, and is whole" record_is_whole
check "a missing line is noticed" a_missing_line_is_noticed
check "nothing is left" nothing_left

echo "== reply needs permission, and a session that is killed"
check "a home with telegram, and Alice approves" home_with_an_approver
check "the client registers the channel" begins --ask-reply
check "Allow: the answer goes out" allows_the_reply
check "the server is killed while a prompt is open" killed_with_an_open_prompt
check "the next session closes it" next_session_closes_it
check "nothing is left" nothing_left

summary
