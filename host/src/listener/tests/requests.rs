//! What the intake gets of a request that is taken.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::*;

const JSON: &str = "content-type: application/json\r\n";

#[tokio::test]
async fn a_request_arrives_as_it_was_sent_and_without_its_secrets() {
    let mut running = Running::new().await;
    let headers = format!("{JSON}X-Event: push\r\nCookie: a=b\r\nX-Gitlab-Token: t\r\nConnection: keep-alive\r\n");
    let request = bearer("PUT", "/chat/ci/hook/a%20b?x=1&x=2&token=mine", &headers, "{\"a\": 1}");
    assert_eq!(running.ask(&request).await.status, 200);
    let got = running.next_request().await;
    assert_eq!((&*got.route.name, &*got.method, &*got.caller.credential), ("hook", "PUT", "ci"));
    assert_eq!((&*got.caller.path, &got.caller.matches[..]), ("/ci/hook/a%20b", &["a b".to_owned()][..]));
    let pairs = [("x", "1"), ("x", "2"), ("token", "mine")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(got.caller.query, pairs);
    assert_eq!(&got.body[..], b"{\"a\": 1}");
    let names: Vec<&str> = got.caller.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["host", "content-type", "x-event"]);
    assert!(!format!("{got:?}").contains(BEARER));
    assert!(got.once.is_none() && got.signed.len() == 32 && got.received_ms > 0);
}

#[tokio::test]
async fn connections_are_kept_and_serve_one_request_after_the_other() {
    let mut running = Running::new().await;
    let mut stream = running.connect().await;
    for n in 0..3 {
        let request = bearer("POST", "/chat/ci/hook/x", JSON, &n.to_string());
        assert_eq!(running.ask_on(&mut stream, request).await.status, 200);
        assert_eq!(running.next_request().await.body, n.to_string());
    }
}

#[tokio::test]
async fn bodies_in_pieces_are_put_together() {
    let mut running = Running::new().await;
    let auth = format!("authorization: Bearer {BEARER}\r\n");
    let request = format!(
        "POST /chat/ci/hook/x HTTP/1.1\r\nhost: HOST\r\n{auth}{JSON}transfer-encoding: chunked\r\n\r\n2\r\n[1\r\n3\r\n,2]\r\n0\r\n\r\n"
    );
    assert_eq!(running.ask(request).await.status, 200);
    assert_eq!(running.next_request().await.body, "[1,2]");
    let large = format!("\"{}\"", "x".repeat(90_000));
    assert_eq!(running.ask(bearer("POST", "/chat/ci/hook/x", JSON, &large)).await.status, 200);
    assert_eq!(running.next_request().await.body, large);
}

#[tokio::test]
async fn a_form_with_json_becomes_that_json_and_text_stays_text() {
    let mut running = Running::new().await;
    let form = "content-type: application/x-www-form-urlencoded\r\n";
    assert_eq!(running.ask(bearer("POST", "/chat/ci/form", form, "payload=%7B%22a%22%3A1%7D")).await.status, 200);
    assert_eq!(running.next_request().await.body, "{\"a\":1}");
    assert_eq!(running.ask(bearer("POST", "/chat/ci/text", "", "größe")).await.status, 200);
    assert_eq!(running.next_request().await.body, "größe");
}

#[tokio::test]
async fn a_public_name_and_a_tunnel_lead_to_credential_routes() {
    let running = Running::new().await;
    let request =
        bearer("GET", "/chat/ci/ping", "x-forwarded-for: 192.0.2.1\r\n", "").replace("HOST", "hooks.example.com");
    assert_eq!(running.ask(request).await.status, 200);
}

fn signed(path: &str, body: &str, more: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let signature = hex::encode(mac.finalize().into_bytes());
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: HOST\r\n{JSON}{more}x-hub-signature-256: sha256={signature}\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

#[tokio::test]
async fn a_repetition_is_known_by_what_the_signature_covers_alone() {
    let mut running = Running::new().await;
    let mut ask = async |request: String| {
        assert_eq!(running.ask(request).await.status, 200);
        let got = running.next_request().await;
        (got.once.unwrap(), got.signed)
    };
    let first = ask(signed("/chat/gh/hook/x", "{}", "x-github-delivery: 1\r\n")).await;
    // Nothing that the signature does not cover makes it another event.
    assert_eq!(ask(signed("/chat/gh/hook/x", "{}", "x-github-delivery: 2\r\n")).await, first);
    assert_eq!(ask(signed("/chat/gh/hook/other?a=b", "{}", "idempotency-key: 3\r\n")).await, first);
    assert_ne!(ask(signed("/chat/gh/hook/x", "{ }", "x-github-delivery: 1\r\n")).await, first);
    // On another route it may be another event.
    assert_ne!(ask(signed("/chat/gh/text", "{}", "").replace("application/json", "text/plain")).await.0, first.0);
}

#[tokio::test]
async fn who_holds_a_token_may_name_the_event_for_itself_alone() {
    let mut running = Running::new().await;
    let mut id = async |headers: &str| {
        running.ask(bearer("POST", "/chat/ci/hook/x", &format!("{JSON}{headers}"), "{}")).await;
        let got = running.next_request().await;
        assert!(got.once.is_none());
        got.signed
    };
    assert_eq!(id("idempotency-key: k1\r\n").await, "ci/key:k1");
    assert_ne!(id("").await, id("").await);
}

#[tokio::test]
async fn routes_come_and_go_as_a_whole() {
    let running = Running::new().await;
    let ping = bearer("GET", "/chat/ci/ping", "", "");
    assert_eq!(running.ask(&ping).await.status, 200);
    running.listener.set_routes(Arc::default());
    assert_eq!(running.ask(&ping).await.status, 404);
    running.listener.set_routes(Arc::new(running.table(routes())));
    assert_eq!(running.ask(&ping).await.status, 200);
}

#[tokio::test]
async fn stopping_lets_a_request_that_has_begun_end() {
    let mut running = Running::new().await;
    let mut idle = running.connect().await;
    assert_eq!(running.ask_on(&mut idle, bearer("GET", "/chat/ci/ping", "", "")).await.status, 200);
    running.next_request().await;
    let half =
        running.fill(b"POST /chat/ci/text HTTP/1.1\r\nhost: HOST\r\nexpect: 100-continue\r\ncontent-length: 2\r\n");
    let mut begun = running.connect().await;
    begun.write_all(&half).await.unwrap();
    begun.write_all(format!("authorization: Bearer {BEARER}\r\n\r\n").as_bytes()).await.unwrap();
    // The listener asks for the body, so the request has begun.
    assert_eq!(Reply::read(&mut begun).await.status, 100);
    let stopping = async {
        running.stop().await;
    };
    let ending = async {
        assert_eq!(idle.read(&mut [0; 1]).await.unwrap(), 0, "an idle connection is closed at once");
        begun.write_all(b"hi").await.unwrap();
        Reply::read(&mut begun).await.status
    };
    let ((), status) = tokio::join!(stopping, ending);
    assert_eq!(status, 200);
}

#[tokio::test]
async fn an_address_in_use_is_told_with_its_mend() {
    let running = Running::new().await;
    let settings = Settings {
        public_hosts: vec![],
        page_token: PageToken::new(TOKEN.into()),
        bounds: Bounds::default(),
        denied: None,
    };
    let error = Listener::bind(running.listener.address(), settings).await.unwrap_err().to_string();
    assert!(error.contains("set another `listen`"), "{error}");
}
