//! `sluicegate demo`: the whole path without an account, a token or Claude. The terminal takes Claude's place.

use std::{io::IsTerminal as _, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context as _, anyhow};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::{
    actions,
    gate::Gate,
    grants::{Grant, Grants},
    home::Home,
    host::{Host, Options},
    listener::PAGE,
    logging,
    mcp::{JsonObject, tools::Reply},
    name::AdapterName,
    outbox::{Format, Limits, Link, Wire},
    relay::{self, Relay},
    serve,
};

/// The adapter that the demo shows.
const ADAPTER: &str = "fakechat";

/// For the last event to be shown when the demo ends.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// How the demo is run.
#[derive(Debug, clap::Args)]
pub struct DemoOptions {
    /// Where the page is served; another free port is taken if this one is in use
    #[arg(long, default_value = "127.0.0.1:8787")]
    pub listen: SocketAddr,
}

/// Runs the demo until it is interrupted; gives the exit code.
///
/// # Errors
/// What kept it from starting.
pub fn run(options: &DemoOptions) -> anyhow::Result<i32> {
    // Its home is thrown away: the demo changes nothing of the user's.
    let directory = tempfile::Builder::new().prefix("sluicegate-demo-").tempdir()?;
    let home = Home::at(directory.path())?;
    std::fs::write(home.config(), format!("listen = \"{}\"\n", options.listen))?;
    let _log = logging::init(&home, logging::Role::Demo)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(demo(home));
    runtime.shutdown_background();
    result
}

async fn demo(home: Home) -> anyhow::Result<i32> {
    let name = AdapterName::new(ADAPTER)?;
    let here = std::env::current_dir().context("the working directory is gone")?;
    let options = Options { only: [name.clone()].into(), directory: here, any_port: true, relay: Relay::new() };
    let lead = home.lead()?;
    say("Preparing the sandbox …");
    let host = Host::open(home, lead, options).await?;
    allow(&host, &name).await?;
    let link = Link::default();
    let format = Format::Tags { source: "sluicegate".into() };
    let wire = Wire::start(std::io::stdout(), format, link.backlog(), link.offering(), 0, Limits::default())?;
    link.open(&host.journal, &wire);
    wire.release();
    let ended = serve::ended()?;
    Gate::open(host.home.access(&name)).with_page(Some(PAGE)).approver_add(PAGE)?;
    tokio::spawn(Arc::clone(&host).run());
    tokio::spawn(relay::desk(Arc::clone(&host), wire.clone()));

    let token = host.home.page_token()?;
    say(&format!(
        "\nOpen this page and say something:\n\n  http://{}/{ADAPTER}/?token={token}\n\n\
         What you write there appears here exactly as Claude would see it.\n\
         What you type here goes back as Claude's reply. Begin a line with ! to ask for a command as Claude Code\n\
         would, such as `!npm test`: the page asks you, and your verdict appears here. Ctrl-C ends the demo.\n",
        host.address()
    ));
    tokio::select! {
        () = ended => {}
        () = replies(&host, &name) => {}
    }
    wire.close(LAST_WORDS).await;
    host.stop();
    Ok(0)
}

/// Grants the bundled adapter what it asks for.
async fn allow(host: &Host, name: &AdapterName) -> anyhow::Result<()> {
    let candidates = host.candidates().await;
    let found = candidates.into_iter().find(|candidate| candidate.name() == Some(name));
    let candidate = found.ok_or_else(|| anyhow!("{name} is not bundled with this build"))?;
    let (Some(digest), Ok(said)) = (candidate.digest, candidate.said) else {
        return Err(anyhow!("{name} cannot be used"));
    };
    let grant = Grant {
        digest,
        bundled: true,
        file: None,
        granted: jiff::Timestamp::now().to_string(),
        vetted: false,
        manifest: said.text,
    };
    Grants::update(&host.home, |grants| grants.insert(name.clone(), grant))?;
    Ok(())
}

/// Sends each line that is typed as a reply, or asks for a command. Ends when a terminal's input ends; other inputs may
/// end early.
async fn replies(host: &Host, name: &AdapterName) {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut asked = 0_u32;
    while let Ok(Some(line)) = lines.next_line().await {
        if line.trim().is_empty() {
            continue;
        }
        if let Some(command) = line.strip_prefix('!') {
            asked += 1;
            host.relay().requested(request(asked, command.trim()));
            continue;
        }
        let reply = Reply {
            channel: name.clone(),
            chat_id: "web".into(),
            thread_id: None,
            text: line,
            format: crate::text::Format::default(),
            reply_to: None,
            files: Vec::new(),
        };
        match actions::reply(host, reply).await {
            Ok(sent) => say(&format!("({sent})")),
            Err(error) => say(&format!("(not sent: {error})")),
        }
    }
    if !std::io::stdin().is_terminal() {
        std::future::pending().await
    }
}

/// What Claude Code asks before it runs a command.
fn request(number: u32, command: &str) -> JsonObject {
    let texts = [
        ("request_id", format!("demo-{number}")),
        ("tool_name", "Bash".into()),
        ("description", "A command that was typed into the demo".into()),
        ("input_preview", json!({ "command": command }).to_string()),
    ];
    texts.into_iter().map(|(name, text)| (name.to_owned(), text.into())).collect()
}

/// Speaks to the user beside the events, which have standard output for themselves.
fn say(text: &str) {
    anstream::eprintln!("{text}");
}
