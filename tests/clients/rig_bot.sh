# What the scripts of the rig share that have the fake Telegram: it runs in the rig's namespace, beside the server.
# Sourced after rig_common.sh; `fake` must be fake-telegram, and `prepare` was called.
#
# Variables for the scripts:
#     port url     where the fake is
#     token        the bot's

server=telegram
port=8081 # in a namespace of its own, so it is always free
url=http://127.0.0.1:$port
environment=("SLUICEGATE_HOME=$home")

telegram() { inside python3 "$here/telegram_client.py" "$url" "$@"; }
sluicegate() { inside env "${environment[@]}" "$binary" "$@"; }

# The token is kept as a user would do it; every fake-telegram has the same.
new_home() {
    token=$("$fake" 0 </dev/null | python3 -c 'import json, sys; print(json.load(sys.stdin)["token"])') &&
        home_with "[adapters.telegram.config]
api = \"$url\"" telegram &&
        printf '%s' "$token" | SLUICEGATE_HOME=$home "$binary" secret telegram set TELEGRAM_BOT_TOKEN
}

# The fake is there as soon as the namespace is, before the client starts the server, and lives until its input ends.
# Meanwhile that command is run; more switches of `ccrig up` may follow it.
start_with_fake() { # COMMAND
    local meanwhile=$1; shift
    rm -rf "$run" "$work"/fake.*
    mkfifo "$work/fake.in"
    exec 8<>"$work/fake.in"
    (
        soon [ -e "$run/ns.ready" ] || exit
        # The rig's own notes of the namespace are being written now and then: whoever reads half of them tries again.
        soon inside "$fake" $port <"$work/fake.in" >"$work/fake.out" 2>&1 &
        soon grep -q '"token"' "$work/fake.out" && "$meanwhile"
        wait
    ) 8>&- &
    fake_process=$!
    start "$@" && waits_for_updates
}

waits_for_updates() { inside curl -sS --fail-with-body -d '{"polled":true}' "$url/fake/wait"; }

# /exit, with the fake still there to see what happens then.
leaves() {
    ccrig wait-idle "$run" && ccrig keys "$run" C-u && ccrig type "$run" /exit && wire '' --ev exit &&
        soon client_is_gone && ended_by_itself
}

client_is_gone() { ! tmux -S "$run/tmux.sock" has-session -t cc 2>/dev/null; }

# The fake ends with its input; then nothing is left.
nothing_left() {
    exec 8>&-
    wait $fake_process
    down
}
