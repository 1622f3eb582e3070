//! Which hosts a manifest or a profile may name: public names. Everything else only the user can name.

use url::{Host, Url};

use crate::manifest::{error::Malformed, plain::excerpt};

/// Top-level names of the machine itself and of private networks (RFC 6761, 6762, 8375; ICANN reserved `internal`).
const PRIVATE: [&str; 5] = ["localhost", "local", "internal", "home.arpa", "localdomain"];

/// Whether a name, in lower case and without a dot at its end, leads into this machine or its network, whatever a
/// resolver makes of it: it has no dot, or is within a name of [`PRIVATE`]. The one rule for templates and for what is
/// looked up.
pub(crate) fn is_private_name(name: &str) -> bool {
    let within = |suffix: &str| name.strip_suffix(suffix).is_some_and(|left| left.is_empty() || left.ends_with('.'));
    !name.contains('.') || PRIVATE.into_iter().any(within)
}

/// Checks that a host is a public domain name in its one canonical form.
///
/// # Errors
/// [`Malformed`] for addresses of any notation, for names of private networks, and for what is no name.
pub(super) fn public_host(host: &str) -> Result<(), Malformed> {
    let shown = excerpt(host, 80);
    let by_user = |what: &str| Malformed::new(format!("{shown:?} is {what}; let the user name it: {{config:NAME}}"));
    let name = match Host::parse(host) {
        Ok(Host::Domain(name)) => name,
        Ok(_) => return Err(by_user("an address, and might be of a private network")),
        Err(_) => return Err(Malformed::new(format!("{shown:?} is no name of a host"))),
    };
    if name != host {
        return Err(Malformed::new(format!("write the host in its plain form: {:?}", excerpt(&name, 80))));
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
    };
    if host.len() > 253 || !host.split('.').all(label) {
        return Err(Malformed::new(format!("{shown:?} is no name of a host")));
    }
    if is_private_name(host) {
        return Err(by_user("a name of this machine or of a private network"));
    }
    Ok(())
}

/// Checks the default of a setting that is the base of URLs: what the user has not chosen is `https` and public.
///
/// # Errors
/// [`Malformed`] says what is wrong with it.
pub(in crate::manifest) fn base_url(text: &str) -> Result<(), Malformed> {
    const FORM: &str = "a URL begins with it, so it is written like \"https://api.example.org\", without user \
         information, query and fragment";
    let url = Url::parse(text).map_err(|_| Malformed::new(FORM))?;
    if url.scheme() == "http" {
        return Err(Malformed::new(
            "a URL begins with it, and plain http is for the user to choose; take https, or take the default out",
        ));
    }
    let bare =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    if url.scheme() != "https" || !bare {
        return Err(Malformed::new(FORM));
    }
    public_host(url.host_str().unwrap_or_default())?;
    if url.as_str().trim_end_matches('/') != text.trim_end_matches('/') {
        return Err(Malformed::new(format!("write the URL in its plain form: {:?}", excerpt(url.as_str(), 120))));
    }
    Ok(())
}
