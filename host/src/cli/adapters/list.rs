//! `sluicegate list`.

use serde::Serialize;

use super::{Workshop, candidates::target_of, reload, settings};
use crate::{
    adapters::{Candidate, Entry, Standing},
    cli::screen::{self, BAD, BOLD, Cell, DIM, GOOD, Table, WAITS, paint, say, visible},
    config::Config,
    control::{AdapterState, AdapterStatus, RouteStatus, Status, local_base},
    home::Home,
    manifest::Contract,
    name::AdapterName,
};

/// What `list --json` prints.
#[derive(Debug, Serialize)]
struct Listing {
    /// The process id of the sluicegate that runs adapters; `null` if none does.
    running_in: Option<u32>,
    /// One entry for each component, and for each grant whose component is gone.
    adapters: Vec<Row>,
}

/// One adapter in `list --json`.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    /// Its name; `null` if the component cannot be used.
    name: Option<AdapterName>,
    /// Its version.
    version: Option<String>,
    /// What it is.
    summary: Option<String>,
    /// `"bundled"`, or the file's name; `null` if the component is gone.
    origin: Option<String>,
    /// The component's digest, `sha256:` and 64 digits.
    digest: Option<String>,
    /// `running`, `starting`, `quarantined`, `stopped`, `allowed` (and nothing runs it now), `waiting`, `changed`,
    /// `replacement`, `broken`, `gone`.
    state: &'static str,
    /// Why, where there is more to say.
    reason: Option<String>,
    /// The command that leads on, if one does.
    next: Option<String>,
    /// The address of its page, with the token that opens it: a key.
    page: Option<String>,
    /// Where it takes requests.
    routes: Vec<Address>,
}

/// Where requests can be sent, in `list --json`.
#[derive(Debug, Serialize)]
pub(super) struct Address {
    /// Methods that it takes.
    methods: Vec<String>,
    /// The address, with `{credential}` in it if no credential is configured.
    url: String,
    /// The credential by which requests are checked.
    credential: Option<String>,
    /// How they are signed.
    scheme: Option<&'static str>,
}

/// Runs the command.
pub(in crate::cli) fn list(home: &Home, json: bool) -> anyhow::Result<i32> {
    let config = settings(home)?;
    let workshop = Workshop::open(home)?;
    let (entries, gone) = workshop.survey();
    let status = reload::status(home);
    let token = (json || screen::is_watched()).then(|| home.page_token()).transpose()?;
    let mut rows: Vec<Row> = entries.iter().map(|entry| row(entry, &entries, status.as_ref())).collect();
    for (row, entry) in rows.iter_mut().zip(&entries) {
        if let (Ok(said), Standing::Granted(_)) = (&entry.candidate.said, &entry.standing) {
            (row.page, row.routes) = addresses(&said.contract, &config, status.as_ref(), token.as_deref());
        }
    }
    rows.extend(gone.into_iter().map(|name| Row::gone(name, home)));
    if json {
        screen::json(&Listing { running_in: status.map(|status| status.pid), adapters: rows })?;
        return Ok(0);
    }
    let mut table = Table::new(&["NAME", "VERSION", "FROM", "STATE", ""]);
    for row in &rows {
        table.row(row.cells());
    }
    say!("{table}")?;
    for row in &rows {
        show_addresses(row)?;
    }
    if status.is_none() && rows.iter().any(|row| row.state == "allowed") {
        say!("\nNothing runs now: Claude Code starts Sluicegate by itself. `sluicegate setup` shows how.")?;
    }
    Ok(0)
}

/// Shows where an adapter is reached. An address that holds the token is shown only on a terminal.
pub(super) fn show_addresses(row: &Row) -> anyhow::Result<()> {
    let Some(name) = row.name.as_ref().filter(|_| row.page.is_some() || !row.routes.is_empty()) else { return Ok(()) };
    say!("\n{}", paint(BOLD, name))?;
    if let Some(page) = &row.page {
        say!("  open {page}")?;
        if page.contains("?token=") {
            say!("       {}", paint(DIM, "This address is your key: do not share it."))?;
        } else {
            say!("       (`sluicegate list` on a terminal, or with --json, shows the address with its key)")?;
        }
    }
    for address in &row.routes {
        let by = match (&address.credential, address.scheme) {
            (Some(credential), Some(scheme)) => format!("signed by {credential:?}, {scheme}"),
            _ => "no credential yet: `sluicegate doctor` shows how".into(),
        };
        say!("  {} {}  {}", address.methods.join(", "), address.url, paint(DIM, format!("({by})")))?;
    }
    Ok(())
}

/// The row of one granted adapter, with its addresses.
pub(super) fn granted_row(
    entry: &Entry,
    contract: &Contract,
    config: &Config,
    status: Option<&Status>,
    token: Option<&str>,
) -> Row {
    let mut row = row(entry, &[], status);
    (row.page, row.routes) = addresses(contract, config, status, token);
    row
}

fn row(entry: &Entry, all: &[Entry], status: Option<&Status>) -> Row {
    let candidate = &entry.candidate;
    let (state, reason) = state(entry, status);
    let manifest = candidate.said.as_ref().ok().map(|said| &said.contract.manifest);
    let shared = all.iter().filter(|other| other.name().is_some() && other.name() == entry.name()).count() > 1;
    Row {
        name: candidate.name().cloned(),
        version: manifest.map(|manifest| manifest.version.clone()),
        summary: manifest.map(|manifest| manifest.summary.clone()),
        origin: Some(candidate.origin.label()),
        digest: candidate.digest.as_ref().map(ToString::to_string),
        state,
        reason,
        next: next(entry, candidate, shared),
        page: None,
        routes: Vec::new(),
    }
}

/// The word for how an entry stands, and why.
fn state(entry: &Entry, status: Option<&Status>) -> (&'static str, Option<String>) {
    match &entry.standing {
        Standing::New => ("waiting", None),
        Standing::Changed(changes) => ("changed", Some(differences(changes.len()))),
        Standing::Replacement(changes) => {
            ("replacement", Some(format!("another component has this name; {}", differences(changes.len()))))
        }
        Standing::Broken(reason) => ("broken", Some(screen::reason(reason, 200))),
        Standing::Granted(_) => {
            let live = entry.name().and_then(|name| reload::status_of(status, name));
            match (live.map(|live| &live.state), status) {
                (Some(state), _) => (state.as_str(), state.reason().map(|reason| screen::reason(reason, 200))),
                (None, Some(status)) => ("allowed", Some(format!("process {} serves other adapters only", status.pid))),
                (None, None) => ("allowed", None),
            }
        }
    }
}

fn differences(count: usize) -> String {
    match count {
        0 => "it asks for the same".into(),
        1 => "it asks for one thing differently".into(),
        count => format!("it asks for {count} things differently"),
    }
}

/// The command that leads on.
fn next(entry: &Entry, candidate: &Candidate, shared: bool) -> Option<String> {
    let name = entry.name()?;
    let target = if shared { shell_word(&target_of(candidate)) } else { name.to_string() };
    match entry.standing {
        Standing::New | Standing::Changed(_) => Some(format!("sluicegate allow {target}")),
        Standing::Replacement(_) => Some(format!("sluicegate inspect {target}")),
        Standing::Granted(_) | Standing::Broken(_) => None,
    }
}

/// A file's name as one word that a shell leaves as it is, and that is no option.
fn shell_word(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "._:-".contains(c));
    let word = if plain { name.to_owned() } else { format!("'{}'", visible(name, 200).replace('\'', r"'\''")) };
    if name.starts_with('-') { format!("-- {word}") } else { word }
}

/// The page and the routes of an adapter.
fn addresses(
    contract: &Contract,
    config: &Config,
    status: Option<&Status>,
    token: Option<&str>,
) -> (Option<String>, Vec<Address>) {
    let listen = reload::listen(status, config.listen);
    let known = AdapterStatus::new(contract, AdapterState::Running, listen);
    let page = known.page.map(|page| match token {
        Some(token) => format!("{page}?token={token}"),
        None => page,
    });
    let mut bases = vec![local_base(listen)];
    bases.extend(config.public_hosts.iter().map(|host| format!("https://{host}")));
    let settings = config.adapter(&contract.manifest.name);
    let mut routes = Vec::new();
    for route in known.routes.iter().filter(|route| route.auth == "credential") {
        for base in &bases {
            if settings.credentials.is_empty() {
                routes.push(Address::of(base, route, None));
            }
            for (name, credential) in &settings.credentials {
                routes.push(Address::of(base, route, Some((name, credential.scheme.name()))));
            }
        }
    }
    (page, routes)
}

impl Address {
    fn of(base: &str, route: &RouteStatus, credential: Option<(&str, &'static str)>) -> Self {
        let path = match credential {
            Some((name, _)) => route.path.replace("{credential}", name),
            None => route.path.clone(),
        };
        Self {
            methods: route.methods.clone(),
            url: format!("{base}{path}"),
            credential: credential.map(|(name, _)| name.to_owned()),
            scheme: credential.map(|(_, scheme)| scheme),
        }
    }
}

impl Row {
    fn gone(name: AdapterName, home: &Home) -> Self {
        Self {
            next: Some(format!("sluicegate revoke {name}")),
            name: Some(name),
            version: None,
            summary: None,
            origin: None,
            digest: None,
            state: "gone",
            reason: Some(format!("its component is no longer in {}", home.adapters().display())),
            page: None,
            routes: Vec::new(),
        }
    }

    /// The cells of its line in the table.
    fn cells(&self) -> [Cell; 5] {
        let style = match self.state {
            "running" => GOOD,
            "starting" | "waiting" | "changed" | "replacement" => WAITS,
            "quarantined" | "stopped" | "broken" | "gone" => BAD,
            _ => anstyle::Style::new(),
        };
        let more = match (&self.reason, &self.next) {
            (Some(reason), Some(next)) => format!("{reason}: {next}"),
            (Some(reason), None) => reason.clone(),
            (None, Some(next)) => next.clone(),
            (None, None) => String::new(),
        };
        [
            self.name.as_ref().map_or("?".into(), |name| Cell::new(BOLD, name)),
            self.version.as_deref().unwrap_or("").into(),
            visible(self.origin.as_deref().unwrap_or(""), 60).into(),
            Cell::new(style, self.state),
            more.into(),
        ]
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::adapters::Said;

    const OWN: &str = "name = \"hook\"\nversion = \"1\"\nsummary = \"Takes posts\"\n\
        [[route]]\nname = \"post\"\npath = \"/{credential}\"\nmethods = [\"POST\"]\nauth = \"credential\"\nbody = \"json\"\n\
        [[identity]]\nname = \"post\"\nsource = \"post\"\nevent = \"/id\"\nsender = \"$credential\"\n\
        conversation = \"$credential\"\ndirect = { const = true }\n";

    fn config(text: &str) -> Config {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn addresses_name_each_credential_and_each_public_host() {
        let said = Said::parse(OWN.into()).unwrap();
        let urls = |text: &str| -> BTreeMap<String, Option<String>> {
            let (page, routes) = addresses(&said.contract, &config(text), None, Some("key"));
            assert_eq!(page, None);
            routes.into_iter().map(|route| (route.url, route.credential)).collect()
        };
        assert_eq!(urls(""), BTreeMap::from([("http://127.0.0.1:8788/hook/{credential}".into(), None)]));
        let text = "listen = \"127.0.0.1:99\"\npublic-hosts = [\"example.com\"]\n\
            [adapters.hook.credentials.ci]\nscheme = \"github\"\nsecret = { env = \"X\" }\n";
        assert_eq!(
            urls(text),
            BTreeMap::from([
                ("http://127.0.0.1:99/hook/ci".into(), Some("ci".into())),
                ("https://example.com/hook/ci".into(), Some("ci".into())),
            ])
        );
    }

    #[test]
    fn a_page_carries_the_token_only_where_one_is_given() {
        let manifest = "name = \"chat\"\nversion = \"1\"\nsummary = \"A chat\"\nprofile = \"fakechat\"\n";
        let said = Said::parse(manifest.into()).unwrap();
        let page = |token| addresses(&said.contract, &config(""), None, token).0.unwrap();
        assert_eq!(page(None), "http://127.0.0.1:8788/chat/");
        assert_eq!(page(Some("key")), "http://127.0.0.1:8788/chat/?token=key");
    }

    #[test]
    fn names_of_files_are_words_for_a_shell() {
        for (name, word) in [
            ("chat.wasm", "chat.wasm"),
            ("bundled:chat", "bundled:chat"),
            ("a b.wasm", "'a b.wasm'"),
            ("-x.wasm", "-- -x.wasm"),
            ("$(x).wasm", "'$(x).wasm'"),
        ] {
            assert_eq!(shell_word(name), word);
        }
    }
}
