//! Who may see pages: the user, in a browser at this machine, with the page's token.
//!
//! Three things are needed, and none can be had by a web page of another site: the request names this listener
//! in `Host` (see [`super::target`]); the browser says that no other site is behind it; and it carries the token.
//! The token comes once in the address that `sluicegate list` prints, and is then a cookie. The cookie holds
//! only a digest, another one for each adapter.
//!
//! Browsers send cookies to every port of a machine, so whoever listens on another one can learn it. What must not be
//! done with the cookie alone needs the page's key besides: the first visit leads to an address whose fragment has it,
//! which no server is sent, and the page keeps it where no other port reads it.

use std::{fmt, net::SocketAddr};

use hmac::{Hmac, KeyInit, Mac};
use hyper::{
    HeaderMap, Method,
    header::{COOKIE, ORIGIN},
};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{body::pairs, denial::Denial, target::Host};
use crate::{manifest::is_plain, name::AdapterName};

/// The query parameter that carries the token.
pub(super) const PARAMETER: &str = "token";

/// The query parameter that carries the key.
pub(super) const KEY: &str = "key";

/// Digits of a key, in hexadecimal: 128 bits.
const KEY_DIGITS: usize = 32;

/// What a request for a page may be for (Fetch, "request destination"): a window of its own, or what a page loads into
/// itself and runs under its own policy. Anything else, and what is not known yet, could become a window or a worker
/// that shares the origin of all pages.
const DESTINATIONS: [&str; 12] = [
    "document",
    "empty",
    "script",
    "json",
    "style",
    "image",
    "font",
    "audio",
    "video",
    "track",
    "manifest",
    "websocket",
];

/// Headers that proxies add. A proxy at this machine would make everybody look local.
const FORWARDING: [&str; 7] =
    ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "cf-connecting-ip", "true-client-ip"];

/// The secret that opens pages.
#[derive(Clone)]
pub struct PageToken(String);

impl PageToken {
    /// Takes the token of a home. An empty one opens nothing.
    #[must_use]
    pub fn new(token: String) -> Self {
        Self(token)
    }

    /// Whether this is the token, in a time that does not depend on where they differ.
    fn is(&self, shown: &str) -> bool {
        let (expected, shown) = (Sha256::digest(self.0.as_bytes()), Sha256::digest(shown.as_bytes()));
        !self.0.is_empty() && bool::from(expected.as_slice().ct_eq(shown.as_slice()))
    }

    /// What the cookie of one adapter's pages holds.
    fn cookie(&self, adapter: &AdapterName) -> String {
        let digest = Sha256::new()
            .chain_update(b"sluicegate page cookie\0")
            .chain_update(adapter.as_str())
            .chain_update(b"\0")
            .chain_update(self.0.as_bytes());
        hex::encode(digest.finalize())
    }

    /// The key of one adapter's pages.
    fn key(&self, adapter: &AdapterName) -> Option<String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_bytes()).ok().filter(|_| !self.0.is_empty())?;
        mac.update(b"sluicegate page key ");
        mac.update(adapter.as_str().as_bytes());
        let mut key = hex::encode(mac.finalize().into_bytes());
        key.truncate(KEY_DIGITS);
        Some(key)
    }
}

impl fmt::Debug for PageToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PageToken(hidden)")
    }
}

/// A request for a page.
pub(super) struct Visit<'a> {
    pub(super) peer: SocketAddr,
    pub(super) port: u16,
    pub(super) host: &'a Host,
    pub(super) method: &'a Method,
    pub(super) headers: &'a HeaderMap,
    pub(super) path: &'a str,
    pub(super) query: Option<&'a str>,
    pub(super) adapter: &'a AdapterName,
    /// It opens a WebSocket.
    pub(super) websocket: bool,
}

/// How a visitor is received.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// With the page.
    Admitted {
        /// They have the page's key.
        keyed: bool,
    },
    /// With the cookie, and sent to the address without the token.
    First {
        /// Path and query without the token, and the key in the fragment.
        location: String,
        /// The value of `Set-Cookie`.
        cookie: String,
    },
}

impl Visit<'_> {
    /// Decides whether the visitor sees the page.
    pub(super) fn admit(&self, token: &PageToken) -> Result<Admission, Denial> {
        self.local_host()?;
        let reads = self.method == Method::GET && !self.websocket;
        self.same_site(reads)?;
        if reads && let Some(shown) = self.parameter(PARAMETER, || Denial::PageToken { shown: true })? {
            return if token.is(&shown) { Ok(self.first(token)) } else { Err(Denial::PageToken { shown: true }) };
        }
        self.has_cookie(token)?;
        self.has_key(token).map(|keyed| Admission::Admitted { keyed })
    }

    /// The host by which pages are asked for, once it is clear that it is one and that the browser runs here.
    pub(super) fn local_host(&self) -> Result<&str, Denial> {
        let Host::Page(host) = self.host else {
            return Err(Denial::NotLocal);
        };
        let proxied = FORWARDING.iter().any(|name| self.headers.contains_key(*name));
        if proxied || !self.peer.ip().to_canonical().is_loopback() {
            return Err(Denial::NotLocal);
        }
        Ok(host)
    }

    /// Refuses what another site caused. Browsers say so in `Sec-Fetch-Site` and in `Origin`, which they send with
    /// everything that changes something and with every WebSocket.
    fn same_site(&self, reads: bool) -> Result<(), Denial> {
        let host = self.local_host()?;
        for value in self.headers.get_all("sec-fetch-site") {
            if !matches!(value.as_bytes(), b"same-origin" | b"none") {
                return Err(Denial::CrossSite("Sec-Fetch-Site"));
            }
        }
        let mut origins = self.headers.get_all(ORIGIN).iter();
        match (origins.next(), origins.next()) {
            (None, None) if reads => Ok(()),
            (None, None) => Err(Denial::CrossSite("there is no Origin")),
            (Some(origin), None) if origin.as_bytes().strip_prefix(b"http://") == Some(host.as_bytes()) => Ok(()),
            _ => Err(Denial::CrossSite("Origin")),
        }
    }

    /// The value of that name in the query; `twice` is what is wrong if it has several.
    fn parameter(&self, name: &str, twice: impl FnOnce() -> Denial) -> Result<Option<String>, Denial> {
        let mut shown = pairs(self.query.unwrap_or_default().as_bytes())
            .ok_or(Denial::Malformed("the query is not UTF-8"))?
            .filter(|(found, _)| found == name)
            .map(|(_, value)| value.into_owned());
        match (shown.next(), shown.next()) {
            (Some(value), None) => Ok(Some(value)),
            (None, _) => Ok(None),
            _ => Err(twice()),
        }
    }

    /// Whether the key was given. A wrong one is refused: whoever guesses is not let in without one.
    fn has_key(&self, token: &PageToken) -> Result<bool, Denial> {
        let Some(shown) = self.parameter(KEY, || Denial::PageKey)? else { return Ok(false) };
        let expected = token.key(self.adapter).ok_or(Denial::PageKey)?;
        if bool::from(shown.as_bytes().ct_eq(expected.as_bytes())) { Ok(true) } else { Err(Denial::PageKey) }
    }

    fn first(&self, token: &PageToken) -> Admission {
        let is_ours = |pair: &str| {
            pairs(pair.as_bytes()).is_some_and(|mut pair| pair.any(|(name, _)| name == PARAMETER || name == KEY))
        };
        let rest: Vec<&str> =
            self.query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty() && !is_ours(pair)).collect();
        let mark = if rest.is_empty() { "" } else { "?" };
        let key = token.key(self.adapter).map_or_else(String::new, |key| format!("#{KEY}={key}"));
        let (name, value, adapter) = (self.cookie_name(), token.cookie(self.adapter), self.adapter);
        Admission::First {
            location: format!("{}{mark}{}{key}", self.path, rest.join("&")),
            cookie: format!("{name}={value}; HttpOnly; SameSite=Strict; Path=/{adapter}/"),
        }
    }

    /// Cookies do not know ports, so the name does.
    fn cookie_name(&self) -> String {
        format!("sluicegate-{}", self.port)
    }

    fn has_cookie(&self, token: &PageToken) -> Result<(), Denial> {
        let (name, expected) = (self.cookie_name(), token.cookie(self.adapter));
        let mut shown = false;
        for cookie in
            self.headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(';'))
        {
            if let Some((key, value)) = cookie.trim().split_once('=')
                && key == name
            {
                shown = true;
                if !token.0.is_empty() && bool::from(value.as_bytes().ct_eq(expected.as_bytes())) {
                    return Ok(());
                }
            }
        }
        Err(Denial::PageToken { shown })
    }
}

/// Refuses what would become a frame, a worker or a plugin's: browsers say what a request is for in `Sec-Fetch-Dest`, and
/// of the script of a service worker in `Service-Worker`.
pub(super) fn refuse_embedded(headers: &HeaderMap) -> Result<(), Denial> {
    if headers.contains_key("service-worker") {
        return Err(Denial::Embedded("serviceworker".into()));
    }
    let mut destinations = headers.get_all("sec-fetch-dest").iter();
    match destinations.find(|value| !DESTINATIONS.iter().any(|known| value.as_bytes() == known.as_bytes())) {
        Some(value) => {
            let shown = String::from_utf8_lossy(value.as_bytes());
            Err(Denial::Embedded(shown.chars().filter(|c| is_plain(*c)).take(32).collect()))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
