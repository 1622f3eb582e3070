//! A browser in which the user has opened an adapter's page with its token.

use crate::{
    Home,
    http::get,
    sign::Headers,
    websocket::{self, Socket},
};

/// What such a browser has from then on.
#[derive(Debug)]
pub struct Visitor {
    port: u16,
    adapter: String,
    /// The cookie, as it is sent.
    pub cookie: String,
    /// The page's key, which the browser keeps for this origin alone.
    pub key: String,
}

impl Visitor {
    /// Opens the page of that adapter.
    ///
    /// # Panics
    /// If it does not open.
    pub fn of(home: &Home, adapter: &str) -> Self {
        Self::open(home.port(), &format!("/{adapter}/?token={}", home.page_token()))
    }

    /// Opens the page at that target.
    ///
    /// # Panics
    /// If it does not open.
    pub fn open(port: u16, target: &str) -> Self {
        let first = get(target).send(port);
        assert_eq!(first.status, 303, "{}", first.text());
        let location = first.header("location").expect("it leads to the page");
        let (path, key) = location.split_once("#key=").unwrap_or((location, ""));
        let cookie = first.header("set-cookie").expect("it gives a cookie").split(';').next().unwrap_or_default();
        let adapter = path.trim_matches('/').to_owned();
        Self { port, adapter, cookie: cookie.to_owned(), key: key.to_owned() }
    }

    /// What the page's own script sends with every request.
    pub fn headers(&self) -> Headers {
        let origin = format!("http://127.0.0.1:{}", self.port);
        vec![("Origin".to_owned(), origin), ("Cookie".to_owned(), self.cookie.clone())]
    }

    /// Opens the page's socket with the key.
    ///
    /// # Panics
    /// If it does not open.
    pub fn socket(&self) -> Socket {
        self.socket_with(&self.key).expect("the page opens its socket")
    }

    /// Opens the page's socket with another key.
    ///
    /// # Errors
    /// The status of the refusal.
    pub fn socket_with(&self, key: &str) -> Result<Socket, u16> {
        websocket::open(self.port, &format!("/{}/socket?key={key}", self.adapter), self.headers())
    }

    /// Opens the page's socket with the cookie alone.
    ///
    /// # Panics
    /// If it does not open.
    pub fn socket_without(&self) -> Socket {
        let target = format!("/{}/socket", self.adapter);
        websocket::open(self.port, &target, self.headers()).expect("the page opens its socket")
    }
}
