//! The load: the first event, events one after another, and many at once.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use tokio::task::JoinSet;

use crate::arrivals::Arrivals;
use crate::connection::Connection;
use crate::figures::Account;

/// How long one event may take before the run fails.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pause after 503, by which a server says that it has taken nothing and that the sender is to repeat.
const PAUSE_WHEN_BUSY: Duration = Duration::from_millis(5);

/// Sends `request` until a server listens and answers it with 2xx, and returns when it did.
/// 404 and 503 are repeated like a refused connection: the route may not stand yet.
pub(crate) async fn first_served(address: SocketAddr, request: &[u8]) -> Result<Instant> {
    let end = Instant::now() + PATIENCE;
    loop {
        let status = match Connection::open(address).await {
            Ok(mut connection) => {
                let answer = tokio::time::timeout(PATIENCE, connection.send(request)).await;
                Some(answer.context("the first event was not answered")??)
            }
            Err(_) => None,
        };
        match status {
            Some(200..300) => return Ok(Instant::now()),
            None | Some(404 | 503) if Instant::now() < end => tokio::time::sleep(Duration::from_micros(500)).await,
            None => bail!("nothing listened on {address} within {PATIENCE:?}"),
            Some(status) => bail!("the first event was answered with status {status}"),
        }
    }
}

/// Sends each of the requests, which are the events from `first` on, when the one before has been
/// answered and seen. Returns the times from before sending to the sight of the notification.
pub(crate) async fn one_after_another(
    address: SocketAddr,
    requests: &[Vec<u8>],
    first: usize,
    arrivals: &Arrivals,
) -> Result<Vec<Duration>> {
    let mut connection = Connection::open(address).await?;
    let mut latencies = Vec::with_capacity(requests.len());
    for (number, request) in (first..).zip(requests) {
        let sent = Instant::now();
        let answer = tokio::time::timeout(PATIENCE, connection.send(request)).await;
        let status = answer.with_context(|| format!("event {number} was not answered"))??;
        ensure!((200..300).contains(&status), "event {number} was answered with status {status}");
        let seen = arrivals.wait_for(number, PATIENCE);
        let seen = seen.with_context(|| format!("event {number} was answered with {status} but never notified"))?;
        latencies.push(seen.saturating_duration_since(sent));
    }
    Ok(latencies)
}

/// Sends all requests over `connections` keep-alive connections, each of which takes the next
/// request when its last one is answered. Notes what became of them in `account`, and returns when
/// the last answer was there.
pub(crate) async fn many_at_once(
    address: SocketAddr,
    requests: Arc<Vec<Vec<u8>>>,
    connections: usize,
    account: &mut Account,
) -> Result<Instant> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut senders = JoinSet::new();
    for _ in 0..connections {
        let mut connection = Connection::open(address).await?;
        let (requests, next) = (Arc::clone(&requests), Arc::clone(&next));
        senders.spawn(async move {
            let mut account = Account::default();
            while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                send(&mut connection, request, &mut account).await;
            }
            account
        });
    }
    while let Some(sender) = senders.join_next().await {
        account.add(&sender?);
    }
    Ok(Instant::now())
}

/// Sends one request and notes its end; one that the server was too busy for is sent again.
async fn send(connection: &mut Connection, request: &[u8], account: &mut Account) {
    let end = Instant::now() + PATIENCE;
    account.events += 1;
    loop {
        match tokio::time::timeout(PATIENCE, connection.send(request)).await {
            Ok(Ok(200..300)) => return account.answered += 1,
            Ok(Ok(503)) if Instant::now() < end => {
                account.repeated += 1;
                tokio::time::sleep(PAUSE_WHEN_BUSY).await;
            }
            Ok(Ok(_)) => return account.refused += 1,
            Ok(Err(_)) | Err(_) => {
                connection.reset();
                return account.broken += 1;
            }
        }
    }
}
