#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use proptest::prelude::*;

use super::*;

const TOKEN: &str = "0123456789abcdef0123456789abcdef0123456789abcdef";
const HOST: &str = "127.0.0.1:8788";

struct Asked {
    peer: &'static str,
    host: Host,
    method: Method,
    headers: Vec<(&'static str, String)>,
    path: &'static str,
    query: Option<String>,
    websocket: bool,
}

fn get() -> Asked {
    let (path, host) = ("/fakechat/", Host::Page(HOST.into()));
    Asked { peer: "127.0.0.1:5", host, method: Method::GET, headers: vec![], path, query: None, websocket: false }
}

fn token() -> PageToken {
    PageToken::new(TOKEN.into())
}

fn cookie_of(adapter: &str) -> String {
    format!("sluicegate-8788={}", token().cookie(&AdapterName::new(adapter).unwrap()))
}

fn key_of(adapter: &str) -> String {
    token().key(&AdapterName::new(adapter).unwrap()).unwrap()
}

impl Asked {
    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
    fn cookie(self) -> Self {
        let cookie = cookie_of("fakechat");
        self.with("cookie", &cookie)
    }
    fn query(mut self, query: &str) -> Self {
        self.query = Some(query.to_owned());
        self
    }
    fn post(mut self) -> Self {
        self.method = Method::POST;
        self
    }
    fn socket(mut self) -> Self {
        self.websocket = true;
        self
    }
    fn peer(mut self, peer: &'static str) -> Self {
        self.peer = peer;
        self
    }
    fn host(mut self, host: Host) -> Self {
        self.host = host;
        self
    }

    fn ask(&self, token: &PageToken) -> Result<Admission, Denial> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            headers.append(*name, value.parse().unwrap());
        }
        Visit {
            peer: self.peer.parse().unwrap(),
            port: 8788,
            host: &self.host,
            method: &self.method,
            headers: &headers,
            path: self.path,
            query: self.query.as_deref(),
            adapter: &AdapterName::new("fakechat").unwrap(),
            websocket: self.websocket,
        }
        .admit(token)
    }

    fn outcome(&self) -> &'static str {
        match self.ask(&token()) {
            Ok(Admission::Admitted { keyed: false }) => "in",
            Ok(Admission::Admitted { keyed: true }) => "in with the key",
            Ok(Admission::First { .. }) => "first",
            Err(Denial::NotLocal) => "not local",
            Err(Denial::CrossSite(_)) => "cross-site",
            Err(Denial::PageKey) => "wrong key",
            Err(Denial::PageToken { shown: true }) => "wrong token",
            Err(Denial::PageToken { shown: false }) => "no token",
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn only_the_user_at_this_machine_sees_pages() {
    let same = "http://127.0.0.1:8788";
    for (what, asked, outcome) in [
        ("the cookie", get().cookie(), "in"),
        ("from here by IPv6", get().cookie().peer("[::1]:5"), "in"),
        ("from here by IPv4 in IPv6", get().cookie().peer("[::ffff:127.0.0.1]:5"), "in"),
        ("as browsers ask", get().cookie().with("origin", same).with("sec-fetch-site", "same-origin"), "in"),
        ("an address typed in", get().cookie().with("sec-fetch-site", "none"), "in"),
        ("a post of the page", get().post().cookie().with("origin", same), "in"),
        ("a socket of the page", get().socket().cookie().with("origin", same), "in"),
        ("among other cookies", get().with("cookie", &format!("a=b; {};c=d", cookie_of("fakechat"))), "in"),
        ("nothing", get(), "no token"),
        ("another machine", get().cookie().peer("192.0.2.7:5"), "not local"),
        ("another name of this machine", get().cookie().host(Host::Local), "not local"),
        ("a tunnel", get().cookie().host(Host::Public), "not local"),
        ("a proxy", get().cookie().with("x-forwarded-for", "192.0.2.7"), "not local"),
        ("a proxy that says so", get().cookie().with("forwarded", "for=192.0.2.7"), "not local"),
        ("a post of another site", get().post().cookie().with("origin", "https://evil.example"), "cross-site"),
        ("a post of another port", get().post().cookie().with("origin", "http://127.0.0.1:3000"), "cross-site"),
        ("a post of another scheme", get().post().cookie().with("origin", "https://127.0.0.1:8788"), "cross-site"),
        ("a post of another name", get().post().cookie().with("origin", "http://localhost:8788"), "cross-site"),
        ("a post of a sandbox", get().post().cookie().with("origin", "null"), "cross-site"),
        ("a post of nobody", get().post().cookie(), "cross-site"),
        ("a socket of another site", get().socket().cookie().with("origin", "https://evil.example"), "cross-site"),
        ("a socket of nobody", get().socket().cookie(), "cross-site"),
        ("a get of another site", get().cookie().with("origin", "https://evil.example"), "cross-site"),
        ("two origins", get().cookie().with("origin", same).with("origin", same), "cross-site"),
        ("an image on another site", get().cookie().with("sec-fetch-site", "cross-site"), "cross-site"),
        ("an image on another port", get().cookie().with("sec-fetch-site", "same-site"), "cross-site"),
        ("the cookie of another adapter", get().with("cookie", &cookie_of("webhook")), "wrong token"),
        ("the token as the cookie", get().with("cookie", &format!("sluicegate-8788={TOKEN}")), "wrong token"),
        ("an empty cookie", get().with("cookie", "sluicegate-8788="), "wrong token"),
        (
            "the cookie of another port",
            get().with("cookie", &cookie_of("fakechat").replace("8788", "8789")),
            "no token",
        ),
        ("the first visit", get().query(&format!("token={TOKEN}")), "first"),
        ("a visit once more", get().cookie().query(&format!("token={TOKEN}")), "first"),
        ("a wrong token", get().query("token=guess"), "wrong token"),
        ("a wrong token with the cookie", get().cookie().query("token=guess"), "wrong token"),
        ("an empty token", get().query("token="), "wrong token"),
        ("two tokens", get().query(&format!("token={TOKEN}&token={TOKEN}")), "wrong token"),
        (
            "the token from another site",
            get().query(&format!("token={TOKEN}")).with("sec-fetch-site", "cross-site"),
            "cross-site",
        ),
        ("a post with the token", get().post().query(&format!("token={TOKEN}")).with("origin", same), "no token"),
        ("a socket with the token", get().socket().query(&format!("token={TOKEN}")).with("origin", same), "no token"),
    ] {
        assert_eq!(asked.outcome(), outcome, "{what}");
    }
}

#[test]
fn the_first_visit_sets_the_cookie_and_takes_the_token_out_of_the_address() {
    for (query, location) in [
        (format!("token={TOKEN}"), "/fakechat/"),
        (format!("a=b&token={TOKEN}&c=%20d"), "/fakechat/?a=b&c=%20d"),
        (format!("%74oken={TOKEN}&x"), "/fakechat/?x"),
        (format!("key=0&token={TOKEN}&%6bey=1"), "/fakechat/"),
    ] {
        let expected = Admission::First {
            location: format!("{location}#key={}", key_of("fakechat")),
            cookie: format!("{}; HttpOnly; SameSite=Strict; Path=/fakechat/", cookie_of("fakechat")),
        };
        assert_eq!(get().query(&query).ask(&token()).ok(), Some(expected), "{query}");
    }
}

#[test]
fn a_home_without_a_token_opens_nothing() {
    let none = PageToken::new(String::new());
    let cookie = format!("sluicegate-8788={}", none.cookie(&AdapterName::new("fakechat").unwrap()));
    assert!(get().query("token=").ask(&none).is_err());
    assert!(get().with("cookie", &cookie).ask(&none).is_err());
    assert_eq!(none.key(&AdapterName::new("fakechat").unwrap()), None);
}

#[test]
fn the_key_is_known_to_those_alone_who_had_the_address_with_the_token() {
    let (same, own) = ("http://127.0.0.1:8788", key_of("fakechat"));
    let socket = |query: &str| get().socket().cookie().with("origin", same).query(query);
    for (what, asked, outcome) in [
        ("a socket with the key", socket(&format!("key={own}")), "in with the key"),
        ("among others", socket(&format!("a=b&%6bey={own}&c")), "in with the key"),
        ("a page with the key", get().cookie().query(&format!("key={own}")), "in with the key"),
        ("a socket without", socket("a=b"), "in"),
        ("an empty one", socket("key="), "wrong key"),
        ("a part of it", socket(&format!("key={}", &own[..31])), "wrong key"),
        ("more than it", socket(&format!("key={own}0")), "wrong key"),
        ("the key of another adapter", socket(&format!("key={}", key_of("webhook"))), "wrong key"),
        ("the token", socket(&format!("key={TOKEN}")), "wrong key"),
        ("the cookie", socket(&format!("key={}", cookie_of("fakechat").split_once('=').unwrap().1)), "wrong key"),
        ("twice", socket(&format!("key={own}&key={own}")), "wrong key"),
        ("without the cookie", get().socket().with("origin", same).query(&format!("key={own}")), "no token"),
        (
            "from another site",
            get().socket().cookie().with("origin", "http://127.0.0.1:3000").query(&format!("key={own}")),
            "cross-site",
        ),
    ] {
        assert_eq!(asked.outcome(), outcome, "{what}");
    }
    assert_eq!(own.len(), 32);
    // RFC 2104: what an independent implementation gives.
    assert_eq!(own, "d143d4a4315403baed257d1ed24f1dd5");
    assert!(!cookie_of("fakechat").contains(&own));
}

#[test]
fn nothing_is_a_part_of_another_page() {
    let refused = |headers: &[(&'static str, &str)]| {
        let pairs = headers.iter().map(|(name, value)| ((*name).parse().unwrap(), value.parse().unwrap()));
        refuse_embedded(&HeaderMap::from_iter(pairs)).is_err()
    };
    for fine in DESTINATIONS {
        assert!(!refused(&[("sec-fetch-dest", fine)]), "{fine}");
    }
    assert!(!refused(&[]), "what is no browser does not say");
    for part in [
        "iframe",
        "frame",
        "embed",
        "object",
        "fencedframe",
        "serviceworker",
        "sharedworker",
        "worker",
        "audioworklet",
        "paintworklet",
        "report",
        "xslt",
        "webidentity",
        "Document",
        "document, iframe",
        "",
        "yet-unknown",
    ] {
        assert!(refused(&[("sec-fetch-dest", part)]), "{part}");
        assert!(refused(&[("sec-fetch-dest", "empty"), ("sec-fetch-dest", part)]), "{part}");
    }
    for value in ["script", ""] {
        assert!(refused(&[("service-worker", value), ("sec-fetch-dest", "empty")]), "{value}");
    }
}

#[test]
fn debug_does_not_show_the_token() {
    assert_eq!(format!("{:?}", token()), "PageToken(hidden)");
    assert!(!cookie_of("fakechat").contains(TOKEN));
}

proptest! {
    #[test]
    fn no_guess_opens_a_page(guess in "[0-9a-f]{0,64}", value in "\\PC{0,40}") {
        prop_assume!(guess != TOKEN);
        let query: String = form_urlencoded::Serializer::new(String::new()).append_pair("token", &value).finish();
        prop_assert_eq!(get().query(&query).outcome(), "wrong token");
        prop_assert_eq!(get().query(&format!("token={guess}")).outcome(), "wrong token");
        prop_assert_eq!(get().with("cookie", &format!("sluicegate-8788={guess}")).outcome(), "wrong token");
        prop_assert_eq!(get().cookie().query(&format!("key={guess}")).outcome(), "wrong key");
    }
}
