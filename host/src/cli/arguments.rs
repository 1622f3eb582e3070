//! What can be typed after `sluicegate`, and what `--help` teaches about it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::{demo::DemoOptions, name::AdapterName};

/// Runs Claude Code channel adapters as sandboxed WebAssembly components.
#[derive(Debug, Parser)]
#[command(name = "sluicegate", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "\
First steps:
  sluicegate demo               try it: no account, no token, no Claude
  sluicegate allow fakechat     let the bundled chat page run
  sluicegate setup --write      add Sluicegate to this project's .mcp.json

Everything Sluicegate keeps is in SLUICEGATE_HOME, else in your configuration directory.")]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Serve a Claude Code session over standard input and output (Claude Code starts this by itself)
    Serve {
        /// Serve only this adapter; may be given several times
        #[arg(long, value_name = "NAME")]
        only: Vec<AdapterName>,
    },
    /// Try it without Claude: a chat page whose messages are shown here as Claude would see them
    Demo(DemoOptions),
    /// Show the adapters: what runs, what waits for you, what is broken
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show in plain words what an adapter asks for
    #[command(after_help = "Nothing of the adapter runs except its manifest(), without any import.")]
    Inspect {
        /// A file, or the name of an adapter
        target: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Let an adapter run, pinned to its digest, with exactly what it asks for
    Allow(AllowOptions),
    /// Take a grant back; the adapter stops at once
    Revoke {
        /// The adapter
        name: AdapterName,
        /// Delete what it kept as well: state, timers, files, secrets and its list of senders
        #[arg(long)]
        forget: bool,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Show who asks to be let in with this code, and admit them
    Pair {
        /// The code that the sender got
        code: String,
        /// Let them approve what Claude does on this machine as well
        #[arg(long)]
        approver: bool,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Turn away whoever asks to be let in with this code
    Deny {
        /// The code that the sender got
        code: String,
    },
    /// Print a one-time code: whoever sends it to the adapter directly within ten minutes is admitted
    Invite {
        /// The adapter
        name: AdapterName,
        /// Let whoever redeems it approve what Claude does on this machine as well
        #[arg(long)]
        approver: bool,
        /// Void all of its open invitations instead
        #[arg(long, conflicts_with = "approver")]
        revoke: bool,
    },
    /// Show or change who may speak through an adapter
    Access {
        /// The adapter
        name: AdapterName,
        #[command(subcommand)]
        change: Option<AccessChange>,
    },
    /// Show which secrets an adapter needs and which are set, or keep one where only you can read it
    Secret {
        /// The adapter
        name: AdapterName,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(subcommand)]
        change: Option<SecretChange>,
    },
    /// Take over what Claude Code's official channel plugins keep: who may speak, settings, tokens
    #[command(after_help = "\
The plugins' directory is only read. What you have here stays: lists are joined, and a setting or a
secret of yours is not replaced. Without --yes, --json only shows what would be taken over.

The plugins let every allowed sender approve what Claude does. Here only approvers do, and you are
asked whether they shall be some; --yes alone makes nobody one.")]
    Import {
        /// Only this channel, such as telegram; also if no adapter of that name is here yet
        name: Option<AdapterName>,
        /// The directory with one directory for each plugin [default: ~/.claude/channels]
        #[arg(long, value_name = "DIR")]
        from: Option<PathBuf>,
        /// Let every sender whom the plugin allows directly approve what Claude does here too
        #[arg(long)]
        approvers: bool,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show what runs, what was delivered, refused and dropped, and which events failed for good
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Try events again that failed for good
    Retry {
        /// Their numbers from `sluicegate status`; all, if none is given
        ids: Vec<i64>,
    },
    /// Show the log, or with --permissions which tools Claude asked for and who decided
    #[command(after_help = "\
With --permissions, each request of Claude Code's is shown with who was asked, what was decided, by whom
and by which evidence (typed or pressed, the message, the event, the rule that read it), and why other
attempts were refused. This record is kept for ever. Its lines are chained by hashes: a line that was
changed, moved or removed is named at the end, and the exit code is 1.

Whoever can write journal.db could calculate the whole chain anew. So the log has a line `permission
recorded` for each, with the first 16 digits of its hash; keep a copy of it elsewhere if that matters.")]
    Log {
        /// Go on showing what comes
        #[arg(long, short)]
        follow: bool,
        /// Only what this adapter is about
        #[arg(long, value_name = "NAME", conflicts_with = "permissions")]
        adapter: Option<AdapterName>,
        /// How many lines; with --permissions, how many requests
        #[arg(long, short = 'n', default_value_t = 50)]
        lines: usize,
        /// Show the record of permissions instead
        #[arg(long)]
        permissions: bool,
        /// Print each line of that record as JSON: its id, its hash and its entry
        #[arg(long, requires = "permissions")]
        json: bool,
    },
    /// Look for what is wrong, and say how to mend it
    Doctor {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print, or write, the entry for this project's .mcp.json and the command that starts Claude with it
    Setup {
        /// The server's name in .mcp.json; it becomes the source of every event
        #[arg(long, default_value = "sluicegate")]
        name: String,
        /// Write .mcp.json in this directory
        #[arg(long)]
        write: bool,
        /// Serve only this adapter; may be given several times
        #[arg(long, value_name = "NAME")]
        only: Vec<AdapterName>,
    },
    /// Print a completion script for your shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Args)]
pub(super) struct AllowOptions {
    /// The adapter's name, or a file in the adapters' directory
    pub(super) target: String,
    /// Do not ask
    #[arg(long, short)]
    pub(super) yes: bool,
    /// Trust the identity rules that it brings like those of a profile: they may then admit and decide
    #[arg(long)]
    pub(super) vet: bool,
    /// If it replaces another component of its name: what becomes of the old one's state, senders, files and secrets
    #[arg(long, value_enum)]
    pub(super) data: Option<Data>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Data {
    /// The new component takes it over
    Keep,
    /// It is deleted first
    Delete,
}

#[derive(Debug, Subcommand)]
pub(super) enum AccessChange {
    /// Show who may speak (also without any word)
    Show {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Let a sender speak
    Allow {
        /// The platform's id of the sender
        #[arg(allow_negative_numbers = true)]
        id: String,
    },
    /// No longer let a sender speak
    Remove {
        /// The platform's id of the sender
        #[arg(allow_negative_numbers = true)]
        id: String,
    },
    /// What happens to strangers: pairing (they get a code), allowlist (silence), disabled (nobody speaks)
    Policy {
        /// pairing, allowlist or disabled
        policy: String,
    },
    /// Groups that may be heard
    #[command(subcommand)]
    Group(GroupChange),
    /// Who may approve what Claude does on this machine
    #[command(subcommand, after_help = APPROVERS)]
    Approver(ApproverChange),
    /// Change a setting: ackReaction, replyToMode, textChunkLimit, chunkMode, mentionPatterns, verdicts
    Set {
        /// The setting
        key: String,
        /// Its value; mentionPatterns takes a JSON list, verdicts any (the default) or buttons (typed ones do not count)
        value: String,
    },
}

/// What `access NAME approver --help` teaches.
const APPROVERS: &str = "\
An approver is asked in the chat when Claude wants to use a tool that needs permission. With their
yes the tool runs on this machine, as you: name only people whom you would let sit at your keyboard.
The terminal asks as well, and whoever answers first decides.

Nobody approves whom you did not name: here, with `pair --approver` or with `invite --approver`.
Whoever may no longer speak approves nothing either. Groups never approve: only what an approver
says in their direct conversation counts.

What is never relayed, what needs two approvers and when nobody is asked stands in config.toml:

  [permissions]
  never = [\"mcp__bank__*\", \"Write\"]
  two-approvers = [\"Bash\"]
  quiet = [\"22:00-07:00\"]
  expiry-minutes = 30";

#[derive(Debug, Subcommand)]
pub(super) enum ApproverChange {
    /// Let somebody who may speak directly approve what Claude does
    Add {
        /// The platform's id of the sender; page for whoever has fakechat's page open
        #[arg(allow_negative_numbers = true)]
        id: String,
    },
    /// No longer let somebody approve; they may still speak
    #[command(alias = "rm")]
    Remove {
        /// The platform's id of the sender
        #[arg(allow_negative_numbers = true)]
        id: String,
    },
    /// Show who may approve what Claude does
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum GroupChange {
    /// Hear a group
    Add {
        /// The platform's id of the group, such as -1001654782309
        #[arg(allow_negative_numbers = true)]
        id: String,
        /// Hear everything, not only what mentions the adapter
        #[arg(long)]
        no_mention: bool,
        /// Hear only these senders; may be given several times
        #[arg(long, value_name = "ID", value_delimiter = ',', allow_hyphen_values = true)]
        allow: Vec<String>,
    },
    /// No longer hear a group
    #[command(alias = "rm")]
    Remove {
        /// The platform's id of the group, such as -1001654782309
        #[arg(allow_negative_numbers = true)]
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum SecretChange {
    /// Keep a secret, read from standard input or asked for; never given as an argument
    Set {
        /// The variable's name, such as TELEGRAM_BOT_TOKEN
        key: String,
        /// Keep it in the system's keychain instead of a file
        #[arg(long)]
        keychain: bool,
    },
    /// Forget a secret, wherever it is kept
    #[command(alias = "rm")]
    Remove {
        /// The variable's name
        key: String,
    },
    /// Show which secrets it needs and which are set, never their values (also without any word)
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_commands_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn ids_may_begin_with_a_dash() {
        for line in [
            "access telegram allow -100123",
            "access telegram allow -- -x",
            "access telegram remove -100123",
            "access telegram group add -1001654782309",
            "access telegram group add --no-mention -1001654782309 --allow -5,6",
            "access telegram group rm -1001654782309",
            "access telegram group add --no-mention -- --no-mention",
            "access telegram approver add -100123",
            "access telegram approver rm -- -x",
        ] {
            let parsed = Cli::try_parse_from(["sluicegate"].into_iter().chain(line.split(' ')));
            assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
        }
        let parsed =
            Cli::try_parse_from(["sluicegate", "access", "t", "group", "add", "--allow", "-5,6", "-7"]).unwrap();
        let Command::Access { change: Some(AccessChange::Group(GroupChange::Add { id, allow, .. })), .. } =
            parsed.command
        else {
            panic!()
        };
        assert_eq!((id.as_str(), allow), ("-7", vec!["-5".to_owned(), "6".into()]));
    }

    #[test]
    fn approvers_are_made_by_a_flag_that_goes_with_letting_in() {
        for line in ["pair a1b2c3 --approver --yes", "invite telegram --approver", "import telegram --approvers"] {
            assert!(Cli::try_parse_from(["sluicegate"].into_iter().chain(line.split(' '))).is_ok(), "{line}");
        }
        assert!(Cli::try_parse_from(["sluicegate", "invite", "telegram", "--approver", "--revoke"]).is_err());
        assert!(Cli::try_parse_from(["sluicegate", "access", "telegram", "approver"]).is_err());
    }

    #[test]
    fn a_secret_is_never_an_argument() {
        assert!(Cli::try_parse_from(["sluicegate", "secret", "x", "set", "KEY", "value"]).is_err());
        assert!(Cli::try_parse_from(["sluicegate", "secret", "x", "set", "KEY", "--keychain", "value"]).is_err());
    }

    #[test]
    fn secrets_are_shown_with_and_without_a_word() {
        for line in ["secret x", "secret x --json", "secret x list", "secret x list --json", "secret x rm KEY"] {
            assert!(Cli::try_parse_from(["sluicegate"].into_iter().chain(line.split(' '))).is_ok(), "{line}");
        }
    }
}
