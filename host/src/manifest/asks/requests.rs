//! What polls, endpoints and secrets are, in plain words.

use std::collections::BTreeSet;

use url::Url;

use crate::manifest::{
    Action, Base, Endpoint, Manifest, Platform, Poll, SecretItem, UrlTemplate, Use, plain::excerpt, value::quoted,
};

/// The most characters of a URL that a line shows; all of it is in the detail.
const URL_CHARS: usize = 160;

/// The endpoints that calls of this adapter may request, those for one purpose beside each other.
pub(super) fn within_reach<'a>(manifest: &Manifest, platform: &'a Platform) -> Vec<&'a Endpoint> {
    let reached = |purpose: &Use| match purpose {
        Use::Handle => true,
        Use::Action(action) => manifest.actions.contains(action),
        Use::Call => !manifest.tools.is_empty(),
    };
    let mut endpoints: Vec<_> =
        platform.endpoints.iter().filter(|endpoint| endpoint.uses.iter().any(reached)).collect();
    endpoints.sort_by_key(|endpoint| &endpoint.uses);
    endpoints
}

/// "asks api.example.org for `updates`, again and again, with your secret `token`"
pub(super) fn poll_text(poll: &Poll, platform: &Platform) -> String {
    let secrets = poll.secrets();
    let with = match secrets.len() {
        0 => String::new(),
        1 => format!(", with your secret {}", names(&secrets)),
        _ => format!(", with your secrets {}", names(&secrets)),
    };
    format!("asks {} for `{}`, again and again{with}", whom(&poll.url, platform), poll.name)
}

/// Whom a request is for.
fn whom(url: &UrlTemplate, platform: &Platform) -> String {
    let authority =
        |host: &str, port: Option<u16>| port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    match &url.base {
        Base::Fixed { host, port } => authority(host, *port),
        Base::Config(name) => {
            let default = platform.config.get(name).and_then(|item| Url::parse(item.default.as_deref()?).ok());
            match default.as_ref().and_then(|url| Some((url.host_str()?, url.port()))) {
                Some((host, port)) => format!("{} (or where your setting `{name}` says)", authority(host, port)),
                None => format!("the address in your setting `{name}`"),
            }
        }
    }
}

/// "may request POST {config:api}/sendMessage to send messages; only to the conversation that is answered", or "may
/// download with GET {config:api}/{path*} …"
pub(super) fn endpoint_text(endpoint: &Endpoint) -> String {
    let mut parts = endpoint.url.text.split("{secret:");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, after) = part.split_once('}').unwrap_or((part, ""));
        shown.extend(["<secret ", name, ">", after]);
    }
    let purposes: Vec<&str> = endpoint.uses.iter().copied().map(purpose_text).collect();
    let free = endpoint.free_variables();
    let limits = if endpoint.is_bound() && free.is_empty() {
        "; only to the conversation that is answered".to_owned()
    } else if endpoint.is_bound() {
        format!("; only to the conversation that is answered; it chooses {}", names(&free))
    } else if endpoint.reference.is_some() {
        "; only for the attachment that is fetched".to_owned()
    } else if endpoint.uses.contains(&Use::Action(Action::Fetch)) {
        format!("; it chooses what it fetches there ({})", names(&free))
    } else if free.is_empty() && endpoint.fields.is_empty() && endpoint.may_set.is_empty() {
        String::new()
    } else {
        "; it chooses what it says there".to_owned()
    };
    let (method, shown) = (endpoint.method.as_str(), excerpt(&shown, URL_CHARS));
    let may = if endpoint.download { "may download with" } else { "may request" };
    format!("{may} {method} {shown} {}{limits}", purposes.join(" and "))
}

const fn purpose_text(purpose: Use) -> &'static str {
    match purpose {
        Use::Handle => "while it reads what comes in",
        Use::Call => "for its own tools",
        Use::Action(action) => match action {
            Action::Send => "to send messages",
            Action::Edit => "to edit messages",
            Action::React => "to react to messages",
            Action::Typing => "to show that an answer is being written",
            Action::Ask => "to carry permission prompts",
            Action::Fetch => "to fetch attachments",
            Action::History => "to read earlier messages",
        },
    }
}

/// "needs your secret `token` (TELEGRAM_BOT_TOKEN): Bot token"
pub(super) fn secret_text(name: &str, item: &SecretItem) -> String {
    let summary = item.summary.as_ref().map(|summary| format!(": {summary}")).unwrap_or_default();
    format!("needs your secret `{name}` ({}){summary}", item.env)
}

/// The TOML form of a secret.
pub(super) fn secret_detail(name: &str, item: &SecretItem) -> String {
    let mut text = format!("[secrets.{name}]\nenv = {}\n", quoted(&item.env));
    for (key, value) in [("summary", item.summary.as_deref()), ("pattern", item.pattern.as_ref().map(|it| it.as_str()))]
    {
        if let Some(value) = value {
            text.push_str(&format!("{key} = {}\n", quoted(value)));
        }
    }
    text
}

fn names(names: &BTreeSet<&str>) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
