//! The events: small signed webhooks, as a build service would send them.

use anyhow::{Context as _, Result};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::measure::Target;

/// A text that no other run has, to stand before the numbers of its events.
pub(crate) fn fresh_marker() -> Result<String> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    Ok(format!("sgb-{:x}-{:x}-", std::process::id(), now.as_millis()))
}

/// Builds the requests of one run.
#[derive(Debug)]
pub(crate) struct Events {
    marker: String,
    host: String,
    path: String,
    key: Hmac<Sha256>,
}

impl Events {
    /// Events for this target, with a marker that no other run has.
    pub(crate) fn new(target: &Target) -> Result<Self> {
        Ok(Self {
            marker: fresh_marker()?,
            host: target.address.to_string(),
            path: target.path.clone(),
            key: Hmac::new_from_slice(target.secret.as_bytes()).context("the secret cannot be a key")?,
        })
    }

    /// What stands before the eight digits of each event's number in its body.
    pub(crate) fn marker(&self) -> &str {
        &self.marker
    }

    /// The whole HTTP/1.1 request of event `number`, signed as GitHub does
    /// (`X-Hub-Signature-256`: HMAC-SHA256 of the body, in hexadecimal).
    pub(crate) fn request(&self, number: usize) -> Vec<u8> {
        let body = format!(
            "{{\"action\":\"created\",\"issue\":{{\"number\":{number},\"title\":\"Lost update under load\",\
             \"state\":\"open\"}},\"comment\":{{\"body\":\"Seen again, trace {}{number:08}\",\
             \"html_url\":\"https://github.com/acme/gateway/issues/{number}#issuecomment-1\"}},\
             \"repository\":{{\"full_name\":\"acme/gateway\"}},\"sender\":{{\"login\":\"octocat\"}}}}",
            self.marker,
        );
        let signature = hex::encode(self.key.clone().chain_update(&body).finalize().into_bytes());
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: GitHub-Hookshot/bench\r\nAccept: */*\r\n\
             Content-Type: application/json\r\nX-GitHub-Event: issue_comment\r\nX-GitHub-Delivery: {}{number:08}\r\n\
             X-Hub-Signature-256: sha256={signature}\r\nContent-Length: {}\r\n\r\n",
            self.path,
            self.host,
            self.marker,
            body.len(),
        );
        [head, body].concat().into_bytes()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The example of GitHub's documentation on validating webhook deliveries.
    #[test]
    fn the_signature_is_githubs() {
        let key = Hmac::<Sha256>::new_from_slice(b"It's a Secret to Everybody").unwrap();
        let signature = hex::encode(key.chain_update("Hello, World!").finalize().into_bytes());
        assert_eq!(signature, "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
    }

    #[test]
    fn a_request_has_the_stated_length_and_its_own_marker() {
        let target = Target { address: crate::arguments::loopback(1), path: "/ci".to_owned(), secret: "s".to_owned() };
        let events = Events::new(&target).unwrap();
        let request = String::from_utf8(events.request(7)).unwrap();
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}", body.len())));
        assert!(body.contains(&format!("{}00000007", events.marker())));
        assert!((250..400).contains(&body.len()), "{} bytes", body.len());
        let value: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(value["issue"]["number"], 7);
    }
}
