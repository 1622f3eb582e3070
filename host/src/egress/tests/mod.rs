//! The client against real servers on loopback.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod addresses;
mod exchanges;
mod files;
mod prompts;
mod server;
mod tls;
mod way;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use url::Url;

use super::{
    Prepared, PreparedBody,
    address::Named,
    answer::{Downloaded, Response},
    client::{Client, Exchange, TransportError},
    connect::{Resolve, SystemResolver},
    scrub::Scrubber,
    tls::Tls,
};
use crate::{manifest::Method, signature::Secret};

const TOKEN: &str = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";

/// A deadline that no test waits for.
const LONG: Duration = Duration::from_secs(60);
/// More than any answer of the tests but those that are too large.
const MUCH: u64 = 100 * 1024 * 1024;

fn scrubber() -> Scrubber {
    Scrubber::new(&[Secret::new(TOKEN.into()).unwrap()])
}

fn request(method: Method, url: &Url, body: PreparedBody) -> Prepared {
    Prepared { method, url: url.clone(), by_user: true, headers: Vec::new(), body }
}

fn get(url: &Url) -> Prepared {
    request(Method::Get, url, PreparedBody::Empty)
}

fn post(url: &Url, text: &'static str) -> Prepared {
    let bytes = Bytes::from_static(text.as_bytes());
    request(Method::Post, url, PreparedBody::Bytes { content_type: "application/json", bytes })
}

/// A client whose user named this URL.
fn client(url: &Url) -> Client {
    Client::new([url].into_iter().collect::<Named>())
}

fn with_resolver(named: Named, resolver: impl Resolve) -> Client {
    Client::with(named, &Tls::system(), &(Arc::new(resolver) as Arc<dyn Resolve>))
}

async fn send(client: &Client, prepared: Prepared) -> Result<Response, TransportError> {
    client.send(prepared, &Exchange { deadline: LONG, max_bytes: MUCH, scrubber: &scrubber() }).await
}

/// What the server answers to a request of ours, through a client of its own.
async fn answered(url: &Url) -> Result<Response, TransportError> {
    send(&client(url), get(url)).await
}
