//! Where a request is meant to go: the form of its target, and whether its `Host` is a name of this listener.
//!
//! A web page cannot choose the `Host` of a request. If its own name resolves to this machine (DNS rebinding),
//! `Host` is still that name, so a listener that answers only to its own names cannot be reached that way.

use hyper::{HeaderMap, Method, Uri, header::HOST};

use super::denial::Denial;

/// The names that this listener answers to.
#[derive(Debug, Clone)]
pub(super) struct Names {
    port: u16,
    /// In lower case.
    public: Vec<String>,
}

/// What kind of name the client used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Host {
    /// `127.0.0.1` or `localhost` with the port, in lower case: good for pages. Others that mean this machine
    /// are not, because content security policies cannot name them.
    Page(String),
    /// Another name for this machine.
    Local,
    /// A name that the user published: good for credentials alone.
    Public,
}

impl Names {
    pub(super) fn new(port: u16, public: &[String]) -> Self {
        let public = public.iter().map(|name| name.trim().trim_end_matches('.').to_ascii_lowercase()).collect();
        Self { port, public }
    }

    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    /// Reads `Host`, which must be there exactly once.
    pub(super) fn host(&self, headers: &HeaderMap) -> Result<Host, Denial> {
        let mut values = headers.get_all(HOST).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(Denial::Malformed("the header Host must be there exactly once"));
        };
        let Ok(host) = value.to_str() else { return Err(Denial::Malformed("the header Host is not a name")) };
        let host = host.to_ascii_lowercase();
        match self.kind(&host) {
            Some(kind) => Ok(kind),
            None => Err(Denial::WrongHost(host.chars().take(100).collect())),
        }
    }

    fn kind(&self, host: &str) -> Option<Host> {
        // What follows the last colon is the port, unless the colon is within the brackets of an IPv6 address.
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.contains(']') => (name, Some(port)),
            _ => (host, None),
        };
        let own_port = port.map_or(self.port == 80, |port| port == self.port.to_string());
        match name {
            "127.0.0.1" | "localhost" if own_port => return Some(Host::Page(host.to_owned())),
            "[::1]" if own_port => return Some(Host::Local),
            _ => {}
        }
        let bare = name.trim_end_matches('.');
        let published = self.public.iter().any(|public| match port {
            // Tunnels end on the ports of the web.
            None | Some("80" | "443") => public == bare || public == host,
            Some(_) => public == host,
        });
        published.then_some(Host::Public)
    }
}

/// The path and the query of a request in origin form (RFC 9112, section 3.2.1), the only form that is taken.
pub(super) fn origin_form<'a>(method: &Method, uri: &'a Uri) -> Result<(&'a str, Option<&'a str>), Denial> {
    if method == Method::CONNECT || uri.scheme().is_some() || uri.authority().is_some() || !uri.path().starts_with('/')
    {
        return Err(Denial::Target);
    }
    Ok((uri.path(), uri.query()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use hyper::header::HeaderValue;

    use super::*;

    fn kind(host: &str) -> Option<Host> {
        Names::new(8788, &["hooks.example.com".into(), "Alt.example.com:9000".into()]).kind(host)
    }

    #[test]
    fn only_the_listeners_own_names_are_answered_to() {
        for host in ["127.0.0.1:8788", "localhost:8788"] {
            assert_eq!(kind(host), Some(Host::Page(host.into())), "{host}");
        }
        assert_eq!(kind("[::1]:8788"), Some(Host::Local));
        for host in ["hooks.example.com", "hooks.example.com:443", "hooks.example.com.", "alt.example.com:9000"] {
            assert_eq!(kind(host), Some(Host::Public), "{host}");
        }
        for host in [
            "",
            ":8788",
            "localhost",
            "127.0.0.1",
            "[::1]",
            "localhost:80",
            "127.0.0.1:8789",
            "127.0.0.1:08788",
            "localhost:8788:8788",
            "localhost.:8788",
            "evil.example:8788",
            "localhost.evil.example:8788",
            "127.0.0.1.nip.io:8788",
            "0.0.0.0:8788",
            "127.1:8788",
            "2130706433:8788",
            "user@localhost:8788",
            "localhost:8788/",
            "[::ffff:127.0.0.1]:8788",
            "[::1",
            "hooks.example.com:8788",
            "alt.example.com",
            "x.hooks.example.com",
            "hooks.example.com:443:443",
            "127.0.0.1:8788,evil.example",
        ] {
            assert_eq!(kind(host), None, "{host}");
        }
        let web = Names::new(80, &[]);
        assert_eq!(web.kind("localhost"), Some(Host::Page("localhost".into())));
    }

    #[test]
    fn host_is_there_exactly_once() {
        let names = Names::new(8788, &[]);
        let mut headers = HeaderMap::new();
        assert!(matches!(names.host(&headers), Err(Denial::Malformed(_))));
        headers.append(HOST, HeaderValue::from_static("LocalHost:8788"));
        assert_eq!(names.host(&headers).ok(), Some(Host::Page("localhost:8788".into())));
        headers.append(HOST, HeaderValue::from_static("localhost:8788"));
        assert!(matches!(names.host(&headers), Err(Denial::Malformed(_))));
    }

    #[test]
    fn only_paths_are_targets() {
        for target in ["http://localhost:8788/a", "localhost:8788", "*", "https://evil.example/"] {
            assert!(origin_form(&Method::GET, &target.parse().unwrap()).is_err(), "{target}");
        }
        assert!(origin_form(&Method::CONNECT, &"/a".parse().unwrap()).is_err());
        let uri: Uri = "/a//b?c=d".parse().unwrap();
        assert_eq!(origin_form(&Method::GET, &uri).ok(), Some(("/a//b", Some("c=d"))));
    }
}
