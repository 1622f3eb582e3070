use std::{
    io,
    net::IpAddr,
    pin::Pin,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{
    server::{Server, Then, ok},
    *,
};

/// Public by the rule, but of a range that IANA has not allocated: should a check fail, the tests still reach nobody.
const NOBODY: &str = "3000::1";

/// Answers with the first list, then with the second, and so on; the last one stays.
#[derive(Clone)]
struct Scripted {
    answers: Arc<Mutex<Vec<Vec<IpAddr>>>>,
    asked: Arc<AtomicUsize>,
}

impl Scripted {
    fn new(answers: &[&[&str]]) -> Self {
        let answers = answers.iter().map(|list| list.iter().map(|ip| ip.parse().unwrap()).collect()).collect();
        Self { answers: Arc::new(Mutex::new(answers)), asked: Arc::default() }
    }
}

impl Resolve for Scripted {
    fn resolve(&self, _: String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
        Box::pin(async move { Ok(answer) })
    }
}

fn at(server: &Server, scheme: &str, host: &str) -> Url {
    Url::parse(&format!("{scheme}://{host}:{}/", server.url.port().unwrap())).unwrap()
}

#[tokio::test]
async fn a_private_address_is_reached_only_where_the_user_names_it() {
    let mut server = Server::saying(ok("here"), Then::Next).await;
    for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0x7f.1", "2130706433", "0.0.0.0"] {
        for scheme in ["http", "https"] {
            let url = at(&server, scheme, host);
            let error = send(&Client::new(Named::none()), get(&url)).await.unwrap_err();
            assert!(matches!(error, TransportError::Refused(_)) && error.is_unsent(), "{url}: {error:?}");
        }
    }
    // The user named another port, or the request is not the user's.
    let other = Url::parse("http://127.0.0.1:1/").unwrap();
    assert!(matches!(send(&client(&other), get(&server.url)).await, Err(TransportError::Refused(_))));
    let not_by_user = Prepared { by_user: false, ..get(&server.url) };
    assert!(matches!(send(&client(&server.url), not_by_user).await, Err(TransportError::Refused(_))));
    assert!(server.taken.try_recv().is_err(), "nothing arrived");

    assert_eq!(answered(&server.url).await.unwrap().body, b"here");
    assert_eq!(answered(&at(&server, "http", "localhost")).await.unwrap().body, b"here");
}

#[tokio::test]
async fn a_connection_of_the_users_is_no_way_in_for_other_requests() {
    let server = Server::saying(ok("here"), Then::Next).await;
    let client = client(&server.url);
    send(&client, get(&server.url)).await.unwrap();
    let not_by_user = Prepared { by_user: false, ..get(&server.url) };
    assert!(matches!(send(&client, not_by_user).await, Err(TransportError::Refused(_))));
}

#[tokio::test]
async fn names_of_local_things_are_refused_before_they_are_looked_up() {
    let resolver = Scripted::new(&[&[NOBODY]]);
    let client = with_resolver(Named::none(), resolver.clone());
    for host in
        ["localhost", "a.localhost", "LOCALHOST.", "printer.local", "x.internal", "intranet", "router.home.arpa"]
    {
        let url = Url::parse(&format!("https://{host}/")).unwrap();
        assert!(matches!(send(&client, get(&url)).await, Err(TransportError::Refused(_))), "{host}");
    }
    assert_eq!(resolver.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_name_that_leads_to_any_private_address_is_refused_each_time() {
    let mut server = Server::saying(ok("here"), Then::Next).await;
    let url = at(&server, "https", "rebinding.example");
    for answers in [
        &[&["127.0.0.1"][..]][..],
        &[&[NOBODY, "127.0.0.1"]],
        &[&["127.0.0.1", NOBODY]],
        &[&[NOBODY, "::ffff:127.0.0.1"]],
        &[&[NOBODY, NOBODY, NOBODY, NOBODY, NOBODY, NOBODY, NOBODY, "169.254.169.254"]],
        &[&["64:ff9b::7f00:1"]],
    ] {
        let client = with_resolver(Named::none(), Scripted::new(answers));
        for by_user in [true, false] {
            let error = send(&client, Prepared { by_user, ..get(&url) }).await.unwrap_err();
            assert!(matches!(error, TransportError::Refused(_)), "{answers:?}: {error:?}");
            assert!(!error.to_string().contains("127.0"), "the adapter learns no address: {error}");
        }
    }
    assert!(server.taken.try_recv().is_err());
}

#[tokio::test]
async fn a_name_is_looked_up_once_and_the_checked_address_is_connected_to() {
    let mut server = Server::saying(ok("here"), Then::Next).await;
    let url = at(&server, "http", "platform.example");
    // A second look-up would lead to where nobody listens.
    let resolver = Scripted::new(&[&["127.0.0.1"], &["127.0.0.9"]]);
    let client = with_resolver([&url].into_iter().collect(), resolver.clone());
    for _ in 0..2 {
        assert_eq!(send(&client, get(&url)).await.unwrap().body, b"here");
        assert_eq!(
            server.taken.recv().await.unwrap().header("host"),
            [&url[url::Position::BeforeHost..url::Position::AfterPort]]
        );
    }
    assert_eq!(resolver.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_next_address_is_tried_when_one_does_not_answer() {
    let server = Server::saying(ok("here"), Then::Next).await;
    let url = at(&server, "http", "platform.example");
    let named: Named = [&url].into_iter().collect();
    let client = with_resolver(named.clone(), Scripted::new(&[&["127.0.0.9", "::1", "127.0.0.1"]]));
    assert_eq!(send(&client, get(&url)).await.unwrap().body, b"here");
    for nowhere in [&["127.0.0.9"][..], &[]] {
        let client = with_resolver(named.clone(), Scripted::new(&[nowhere]));
        let error = send(&client, get(&url)).await.unwrap_err();
        assert!(matches!(error, TransportError::Unreachable(_)) && error.is_unsent(), "{error:?}");
        assert!(!error.to_string().contains("127.0") && !error.to_string().contains("platform"), "{error}");
    }
}

#[tokio::test]
async fn plain_http_needs_a_name_of_the_users() {
    let client = with_resolver(Named::none(), Scripted::new(&[&[NOBODY]]));
    let error = send(&client, get(&Url::parse("http://platform.example/").unwrap())).await.unwrap_err();
    assert!(matches!(&error, TransportError::Refused(reason) if reason.contains("https")), "{error:?}");
}

#[tokio::test]
async fn urls_of_another_kind_are_refused() {
    let client = Client::new(Named::none());
    for url in [
        "ftp://platform.example/",
        "file:///etc/passwd",
        "data:x",
        "https://user@platform.example/",
        "https://:password@platform.example/",
    ] {
        let error = send(&client, get(&Url::parse(url).unwrap())).await.unwrap_err();
        assert!(matches!(error, TransportError::Refused(_)), "{url}: {error:?}");
    }
}

/// Never answers.
struct Silent;

impl Resolve for Silent {
    fn resolve(&self, _: String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> {
        Box::pin(std::future::pending())
    }
}

/// Knows no name, and says which.
struct Unknowing;

impl Resolve for Unknowing {
    fn resolve(&self, host: String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> {
        Box::pin(async move { Err(io::Error::other(format!("{host} is not known"))) })
    }
}

#[tokio::test]
async fn a_resolver_that_does_not_answer_counts_into_the_deadline() {
    let url = Url::parse("https://platform.example/").unwrap();
    let (client, scrubber) = (with_resolver(Named::none(), Silent), scrubber());
    let exchange = Exchange { deadline: Duration::from_millis(20), max_bytes: 0, scrubber: &scrubber };
    assert!(matches!(client.send(get(&url), &exchange).await, Err(TransportError::TimedOut)));
    let error = send(&with_resolver(Named::none(), Unknowing), get(&url)).await.unwrap_err();
    assert!(matches!(&error, TransportError::Unreachable(reason) if !reason.contains("platform")), "{error:?}");
}

#[tokio::test]
async fn the_systems_resolver_knows_this_machine() {
    let addresses = SystemResolver.resolve("localhost".into()).await.unwrap();
    assert!(!addresses.is_empty() && addresses.iter().all(IpAddr::is_loopback), "{addresses:?}");
}
