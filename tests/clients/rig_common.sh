# What the scripts of the rig share: a throw-away home and directory, the client, checks and the recorded wire.
# Sourced; then `prepare RIG BINARY [CLAUDE]`, checks, and `summary` at the end.
#
# Variables for the scripts:
#     server       the server's name in .mcp.json, and the source of its tags
#     environment  NAME=VALUE…, what the server gets
#     here work run home binary

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
environment=()
passed=0
failed=0
up=0

# Everything happens in a directory and a home of its own, which go at the end.
prepare() { # RIG BINARY [CLAUDE]
    rig=$(realpath "$1")/ccrig.py
    binary=$(realpath "$2")
    claude=()
    [ -n "${3:-}" ] && claude=(--claude "$(realpath "$3")")
    # Short, because the path of tmux's socket has a limit.
    work=$(mktemp -d /tmp/sg-rig.XXXXXX)
    run=$work/run
    home=$work/home
    trap finish EXIT
    trap 'exit 130' INT TERM
}

finish() {
    [ "$up" = 1 ] && ccrig down "$run" >/dev/null 2>&1
    rm -rf "$work"
}

ccrig() { local command=$1; shift; python3 "$rig" "$command" "$@"; }
inside() { ccrig ns "$run" -- "$@"; }
# Waits for a recorded line that matches; more switches narrow it.
wire() { local expression=$1; shift; ccrig wait-stdio "$run" "$expression" "$@"; }

# Tries a command again until it succeeds, for some 20 s.
soon() {
    for _ in $(seq 400); do "$@" && return; sleep 0.05; done
    return 1
}

check() {
    local name=$1; shift
    if "$@" >"$work/out" 2>&1; then
        passed=$((passed + 1)); echo "ok    $name"
    else
        failed=$((failed + 1)); echo "FAILED $name"; tail -c 6000 "$work/out" | sed 's/^/      | /'
    fi
}

summary() {
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ]
}

# An empty home with that configuration, in which these bundled adapters are allowed.
home_with() { # CONFIGURATION ADAPTER…
    rm -rf "$home"
    mkdir -m 700 "$home"
    printf '%s\n' "$1" >"$home/config.toml"
    shift
    local adapter
    for adapter in "$@"; do
        SLUICEGATE_HOME=$home "$binary" allow "$adapter" --yes >/dev/null || return 1
    done
}

# Starts the client with the server in it; more switches of `ccrig up` may follow.
start() {
    local variable variables=()
    for variable in "${environment[@]}"; do variables+=(--env "$variable"); done
    up=1
    ccrig up "$run" --name "$server" "${variables[@]}" "${claude[@]}" "$@" -- "$binary" serve
}

# Claude Code kills what is left half a second after /exit: the server must have ended by itself before.
ended_by_itself() {
    python3 - "$run/stdio-$server.jsonl" <<'PY'
import json, sys
ends = [event for event in map(json.loads, open(sys.argv[1])) if event['ev'] == 'exit']
assert [end['rc'] for end in ends] == [0], 'the server ended with %r' % ends
PY
}

# Takes the namespace down, with the client if it still runs. No process may be left in it.
down() {
    up=0
    ccrig down "$run" >"$work/down" 2>&1
    local outcome=$?
    cat "$work/down"
    [ $outcome = 0 ] && ! grep -q leftover "$work/down"
}

# /exit must end the server by itself and leave nothing behind.
stop() { down && grep -q '^claude exited' "$work/down" && ended_by_itself; }

# What the recorded wire must be: nothing but JSON-RPC, one answer for each request at most, one process.
clean_wire() {
    python3 - "$run/stdio-$server.jsonl" <<'PY'
import json, sys
events = [json.loads(line) for line in open(sys.argv[1])]
assert sum(event['ev'] == 'start' for event in events) == 1, 'the server was started more than once'
answered = set()
for event in events:
    if event['ev'] == 's2c':
        assert event.get('msg', {}).get('jsonrpc') == '2.0', 'not JSON-RPC: %r' % event
        name = event['msg'].get('id')
        if name is not None and 'method' not in event['msg']:
            assert name not in answered, 'two answers to %r' % name
            answered.add(name)
PY
}

time='ts="[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z"'

tag() { # ATTRIBUTES CONTENT, both regular expressions: the model saw exactly such a tag
    ccrig wait-channel "$run" "^<channel source=\"$server\" $1>\n$2\n</channel>\$"
}

# A tool was called with parameters that match, and said that it succeeded; prints the answer.
succeeds() { # REGEX
    wire "$1" --ev c2s --method tools/call >"$work/call" &&
        wire "\"id\": $(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["id"])' "$work/call"), \"result\": .*\"isError\": false" --ev s2c
}

# The client offered the tools without being asked for them.
no_tool_search() { ! grep -q '"name": "ToolSearch", "input"' "$run/api.jsonl"; }

# A second session on the same home answers the client and gets no event, while that command gets what it waits for.
second_session() { # COMMAND…
    mkfifo "$work/second"
    inside env "${environment[@]}" "$binary" serve <"$work/second" >"$work/second.out" 2>&1 &
    local process=$! outcome
    # Its input stays open until the first session got the event and a while more.
    exec 9>"$work/second"
    printf '%s\n' '{"jsonrpc":"2.0","id":"p","method":"server/discover","params":{}}' \
        '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"second","version":"1"}}}' \
        '{"jsonrpc":"2.0","method":"notifications/initialized"}' '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' >&9
    soon grep -q '"id":1' "$work/second.out"
    "$@"
    outcome=$?
    exec 9>&-
    wait $process || outcome=1
    cat "$work/second.out"
    grep -q '"tools":\[\]' "$work/second.out" && grep -q '"id":0,"result"' "$work/second.out" || outcome=1
    ! grep -q 'claude/channel"[^:]' "$work/second.out" || outcome=1
    return $outcome
}
