//! Where requests go: scheme, authority and the beginning of the path, and the proof that they stay so.

use url::{Host, Url};

use super::setting;
use crate::{
    egress::{Values, request::Denial},
    manifest::{Base, excerpt},
};

/// What URLs of a template begin with.
pub(super) struct Start {
    url: Url,
    /// It is a setting that the user made.
    pub(super) by_user: bool,
}

/// Reads the base of a template.
///
/// # Errors
/// [`Denial`] if the setting is missing, or is no URL that requests may begin with. Values of settings do not appear
/// in it.
pub(super) fn base(base: &Base, values: &Values) -> Result<Start, Denial> {
    match base {
        Base::Fixed { host, port } => {
            let port = port.map(|port| format!(":{port}")).unwrap_or_default();
            let url = Url::parse(&format!("https://{host}{port}/")).ok();
            let url = url.filter(|url| url.host() == Some(Host::Domain(host)) && is_bare(url) && url.path() == "/");
            let url = url.ok_or_else(|| Denial::new(format!("its host `{}` is no plain name", excerpt(host, 80))))?;
            Ok(Start { url, by_user: false })
        }
        Base::Config(name) => {
            let by_user = values.by_user.contains(name);
            let refused = |what: &str| Denial::new(format!("the setting `{}` {what}", excerpt(name, 40)));
            let text = setting(name, values)?;
            let form = "is no URL that requests can begin with: set it like https://host.example, without user \
                        information, query and fragment";
            // What the parser would drop or read as something else.
            let is_odd = |c: char| c.is_whitespace() || matches!(c, '\\' | '@');
            let has_authority = text.split_once("://").is_some_and(|(_, below)| !below.starts_with('/'));
            if text.contains(is_odd) || !has_authority {
                return Err(refused(form));
            }
            let url = Url::parse(text).ok().filter(is_bare).ok_or_else(|| refused(form))?;
            match url.scheme() {
                "https" => Ok(Start { url, by_user }),
                "http" if by_user => Ok(Start { url, by_user }),
                "http" => Err(refused("is plain http, which only the user may choose: set it in config.toml")),
                _ => Err(refused(form)),
            }
        }
    }
}

/// It has an authority, and no user information, query and fragment.
fn is_bare(url: &Url) -> bool {
    url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
}

impl Start {
    /// The beginning of all paths, without a `/` at its end.
    pub(super) fn prefix(&self) -> String {
        self.url.path().trim_end_matches('/').to_owned()
    }

    /// The whole URL: scheme and authority of this one, with exactly that path and query.
    ///
    /// # Errors
    /// [`Denial`] if a URL parser, which is what servers and proxies have too, reads anything else from it.
    pub(super) fn with(&self, path: &str, query: Option<&str>) -> Result<Url, Denial> {
        let (scheme, host) = (self.url.scheme(), self.url.host_str().unwrap_or_default());
        let port = self.url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let tail = query.map(|query| format!("?{query}")).unwrap_or_default();
        let url = Url::parse(&format!("{scheme}://{host}{port}{path}{tail}")).ok();
        let as_meant = |url: &Url| {
            url.scheme() == scheme
                && url.host() == self.url.host()
                && url.port_or_known_default() == self.url.port_or_known_default()
                && url.username().is_empty()
                && url.password().is_none()
                && url.path() == path
                && url.query() == query
                && url.fragment().is_none()
        };
        url.filter(as_meant).ok_or_else(|| {
            Denial::new("the URL would not be read as it is meant; give plain segments, without `.` and `..`")
        })
    }
}
