//! What a contract asks for, in plain words for the user who grants it.

mod requests;

use std::fmt;

use super::{Action, Answer, BodyKind, Contract, Route, RouteAuth, Tool};

/// How much a user should think about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// What any adapter does.
    Normal,
    /// What gives the adapter more trust than an adapter needs.
    Notable,
}

/// One thing that a contract asks for. [`fmt::Display`] gives `text`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// A phrase that follows "it": "may send messages".
    pub text: String,
    /// How much to think about it.
    pub severity: Severity,
    /// The thing itself, in full, on demand: the text of a rule, the parameters of a tool.
    pub detail: Option<String>,
    /// What it is about: two contracts' asks with one subject are versions of one thing.
    subject: String,
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// How what a contract asks for differs from an older one. [`fmt::Display`] says it in plain words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The old one did not ask for this.
    Gained(Ask),
    /// The old one asked for this, and the new one does not.
    GaveUp(Ask),
    /// Both ask for it, in another way.
    Altered {
        /// What the old one asked for.
        from: Ask,
        /// What the new one asks for.
        to: Ask,
    },
}

impl Change {
    /// How much to think about it: giving something up is always normal.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Gained(ask) | Self::Altered { to: ask, .. } => ask.severity,
            Self::GaveUp(_) => Severity::Normal,
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gained(ask) => write!(f, "new: {ask}"),
            Self::GaveUp(ask) => write!(f, "no longer: {ask}"),
            Self::Altered { from, to } if from.text == to.text => write!(f, "changed: {to}, in another way"),
            Self::Altered { from, to } => write!(f, "changed: {to} (before: {from})"),
        }
    }
}

impl Contract {
    /// Everything that the contract asks for, in the order in which a user should read it. An empty list asks for nothing.
    #[must_use]
    pub fn asks(&self) -> Vec<Ask> {
        let manifest = &self.manifest;
        let mut asks = Vec::new();
        let mut ask = |subject: String, severity, text: String, detail| {
            asks.push(Ask { text, severity, detail, subject });
        };
        use Severity::{Normal, Notable};
        if let Some(profile) = &manifest.profile {
            let text = format!("speaks for {profile}, by the host's own description of it");
            ask("profile".into(), Normal, text, None);
        }
        for rule in self.platform.identities.iter().filter(|_| !self.from_profile) {
            let text = format!(
                "decides by itself who is speaking (its own rule `{}`, which the host has not vetted)",
                rule.name
            );
            ask(format!("identity {}", rule.name), Notable, text, Some(rule.to_string()));
        }
        for route in &self.platform.routes {
            let (severity, text) = route_text(manifest.name.as_str(), route);
            ask(format!("route {}", route.name), severity, text, None);
        }
        for poll in &self.platform.polls {
            let secret = !poll.secrets().is_empty();
            let severity = if secret && !self.from_profile { Notable } else { Normal };
            let text = requests::poll_text(poll, &self.platform);
            ask(format!("poll {}", poll.name), severity, text, Some(poll.to_string()));
        }
        for timer in &self.platform.timers {
            let text = match timer.every_ms {
                Some(every) => format!("runs by itself {} (timer `{}`)", interval(every), timer.name),
                None => format!("may wake itself up later (timer `{}`)", timer.name),
            };
            ask(format!("timer {}", timer.name), Normal, text, None);
        }
        for action in &manifest.actions {
            ask(format!("action {}", action.as_str()), Normal, action_text(*action).into(), None);
        }
        for tool in &manifest.tools {
            let place = if tool.place { ", for a conversation" } else { "" };
            let text = format!("gives Claude a tool `{}`{place}: {}", tool.name, tool.summary);
            ask(format!("tool {}", tool.name), Notable, text, Some(tool_text(tool)));
        }
        // What its platform has for actions that it does not do, it cannot request.
        for endpoint in requests::within_reach(manifest, &self.platform) {
            // Its own words about where something goes; with a secret, or with what people said.
            let severity = if self.from_profile { Normal } else { Notable };
            let text = requests::endpoint_text(endpoint);
            ask(format!("endpoint {}", endpoint.name), severity, text, Some(endpoint.to_string()));
        }
        for (name, item) in &self.platform.secrets {
            let severity = if self.from_profile { Normal } else { Notable };
            let detail = requests::secret_detail(name, item);
            ask(format!("secret {name}"), severity, requests::secret_text(name, item), Some(detail));
        }
        for key in &manifest.meta {
            ask(
                format!("meta {key}"),
                Normal,
                format!("may add the attribute `{key}` to messages, in its own words"),
                None,
            );
        }
        if manifest.composes {
            let text = "may put words of its own in place of a message's text, marked as its own";
            ask("composes".into(), Notable, text.into(), None);
        }
        for (name, item) in &self.platform.config {
            let summary = item.summary.as_ref().map(|summary| format!(": {summary}")).unwrap_or_default();
            let default = item
                .default
                .as_ref()
                .map_or_else(|| " (you must set it)".to_owned(), |default| format!(" ({default:?} unless you set it)"));
            let text = format!("has a setting `{name}`{summary}{default}");
            ask(format!("config {name}"), Normal, text, None);
        }
        if let Some(hint) = &manifest.hint {
            ask("hint".into(), Normal, format!("tells Claude: “{hint}”"), None);
        }
        asks
    }

    /// What this contract asks for that the old one did not, what it asks for in another way, and what it gave up.
    #[must_use]
    pub fn changes_from(&self, old: &Self) -> Vec<Change> {
        let (before, now) = (old.asks(), self.asks());
        let mut changes = Vec::new();
        for to in &now {
            match before.iter().find(|from| from.subject == to.subject) {
                None => changes.push(Change::Gained(to.clone())),
                Some(from) if from != to => changes.push(Change::Altered { from: from.clone(), to: to.clone() }),
                Some(_) => {}
            }
        }
        let gone = before.into_iter().filter(|from| now.iter().all(|to| to.subject != from.subject));
        changes.extend(gone.map(Change::GaveUp));
        changes
    }
}

fn route_text(adapter: &str, route: &Route) -> (Severity, String) {
    let below = route.path.as_str().replace("{credential}", "<credential>");
    let path = format!("/{adapter}{below}");
    let methods: Vec<&str> = route.methods.iter().map(|method| method.as_str()).collect();
    let methods = methods.join(", ");
    let text = match (route.websocket, route.answer, route.auth) {
        (true, _, RouteAuth::Page) => format!("talks to its page in your browser over a WebSocket at {path}"),
        (true, _, RouteAuth::Credential) => {
            format!("takes WebSocket connections at {path}, from holders of a credential")
        }
        (false, Answer::Page, _) => format!("shows a page at {path} ({methods}), to you alone"),
        (false, Answer::Status, RouteAuth::Page) => {
            format!("receives {} from its page in your browser on {methods} {path}", body_text(&route.body))
        }
        (false, Answer::Status, RouteAuth::Credential) => {
            format!("receives {} on {methods} {path}, from holders of a credential", body_text(&route.body))
        }
    };
    let size = route.max_bytes.map(|max| format!(", up to {} each", size(max))).unwrap_or_default();
    let items = route.items.as_ref().map(|items| format!(", split at {}", items.as_str())).unwrap_or_default();
    // Code of the adapter's runs in the user's browser, outside of the sandbox.
    let severity = if route.answer == Answer::Page { Severity::Notable } else { Severity::Normal };
    (severity, text + &items + &size)
}

fn body_text(body: &BodyKind) -> String {
    match body {
        BodyKind::None => "requests without a body".into(),
        BodyKind::Json => "JSON".into(),
        BodyKind::Form => "forms".into(),
        BodyKind::FormJson(key) => format!("forms with JSON in `{key}`"),
        BodyKind::Text => "text".into(),
        BodyKind::Bytes => "anything".into(),
        BodyKind::Upload => "forms with files".into(),
    }
}

const fn action_text(action: Action) -> &'static str {
    match action {
        Action::Send => "may send messages",
        Action::Edit => "may edit the messages that it sent",
        Action::React => "may react to messages",
        Action::Typing => "may show that an answer is being written",
        Action::Ask => "may carry permission prompts to your approvers",
        Action::Fetch => "may fetch attachments",
        Action::History => "may read earlier messages of a conversation",
    }
}

fn tool_text(tool: &Tool) -> String {
    let mut text = format!("{}: {}\n", tool.name, tool.summary);
    if tool.place {
        text.push_str("  chat_id, thread_id: where (checked by the host)\n");
    }
    for (name, param) in &tool.params {
        let mut line = format!("  {name}: {}", param.kind.as_str());
        line.push_str(if param.required { ", required" } else { "" });
        if !param.one_of.is_empty() {
            line.push_str(&format!(", one of {}", param.one_of.join(", ")));
        }
        if let Some(max) = param.max {
            line.push_str(&format!(", at most {max}"));
        }
        if let Some(summary) = &param.summary {
            line.push_str(&format!(": {summary}"));
        }
        text.push_str(&line);
        text.push('\n');
    }
    text
}

fn interval(ms: u64) -> String {
    let (count, unit) = match ms {
        ms if ms % 86_400_000 == 0 => (ms / 86_400_000, "day"),
        ms if ms % 3_600_000 == 0 => (ms / 3_600_000, "hour"),
        ms if ms % 60_000 == 0 => (ms / 60_000, "minute"),
        ms if ms % 1000 == 0 => (ms / 1000, "second"),
        ms => (ms, "millisecond"),
    };
    if count == 1 { format!("every {unit}") } else { format!("every {count} {unit}s") }
}

fn size(bytes: u64) -> String {
    match bytes {
        bytes if bytes >= 1 << 20 => format!("{} MiB", bytes >> 20),
        bytes if bytes >= 1 << 10 => format!("{} KiB", bytes >> 10),
        bytes => format!("{bytes} bytes"),
    }
}
