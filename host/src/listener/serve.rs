//! One request, from its target to its answer.
//!
//! The checks stand in the order in which they are made; nothing of a body is read before all that can be
//! decided without it is decided, and no adapter runs before all of them have passed.

use std::{
    net::SocketAddr,
    sync::{Arc, PoisonError, RwLock},
    time::Instant,
};

use hyper::{HeaderMap, Response, StatusCode, body, header::HeaderName, http::request::Parts, upgrade::OnUpgrade};
use tokio::sync::watch;

use super::{
    Bounds, DenialLog, answer,
    body::Budget,
    connections::Connections,
    credential::{authenticate, event_id, once, unsigned},
    denial::{Denial, Denied, Reports},
    intake::{Answer, Caller, Incoming, Intake, PAGE, Request, Socket},
    page::{Admission, KEY, PARAMETER, PageToken, Visit, refuse_embedded},
    stream::Body,
    table::{Found, Mounted, RouteTable},
    target::{Host, Names, origin_form},
    upload, websocket,
};
use crate::{
    clock::now_ms,
    manifest::{self, BodyKind, PathMatch, Route, RouteAuth},
    name::AdapterName,
};

/// Headers that adapters do not see: secrets, and what belongs to the connection.
const UNSEEN: [&str; 13] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "x-gitlab-token",
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "expect",
    "content-length",
];

/// What all connections share.
pub(super) struct Shared {
    pub(super) names: Names,
    pub(super) token: PageToken,
    pub(super) bounds: Bounds,
    pub(super) routes: RwLock<Arc<RouteTable>>,
    pub(super) connections: Arc<Connections>,
    pub(super) budget: Budget,
    pub(super) reports: Reports,
    pub(super) log: Option<DenialLog>,
    pub(super) stop: watch::Sender<bool>,
}

impl Shared {
    fn table(&self) -> Arc<RouteTable> {
        Arc::clone(&self.routes.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Tells the user's log why something was refused, unless the log is being flooded.
    pub(super) fn report(
        &self,
        peer: Option<SocketAddr>,
        adapter: Option<&AdapterName>,
        route: Option<&str>,
        denial: &Denial,
    ) {
        let Some(unreported) = self.reports.admit(Instant::now()) else { return };
        let denied = Denied { peer, adapter, route, denial, unreported };
        match &self.log {
            Some(log) => log(&denied),
            // A field that is not there is left out.
            None => tracing::warn!(
                peer = denied.peer.map(display),
                adapter = denied.adapter.map(display),
                route = denied.route,
                "{denied}"
            ),
        }
    }
}

/// Resolves when the listener stops.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // That the sender is gone means the same.
    let _: Result<_, _> = stop.wait_for(|stop| *stop).await;
}

/// Where a request leads.
struct Place {
    host: Host,
    mounted: Arc<Mounted>,
    route: Arc<Route>,
    matched: PathMatch,
}

/// Answers one request.
pub(super) async fn serve<I: Intake>(
    shared: &Arc<Shared>,
    intake: &Arc<I>,
    peer: SocketAddr,
    request: hyper::Request<body::Incoming>,
) -> Response<Body> {
    let (mut parts, body) = request.into_parts();
    let place = match locate(shared, &parts, peer) {
        Ok(Ok(place)) => place,
        Ok(Err(answer)) => return answer,
        Err(denial) => {
            shared.report(Some(peer), None, None, &denial);
            return answer::denied(&denial, false);
        }
    };
    match admitted(shared, intake, peer, &place, &mut parts, body).await {
        Ok(answer) => answer,
        Err(denial) => {
            shared.report(Some(peer), Some(&place.mounted.adapter), Some(&place.route.name), &denial);
            answer::denied(&denial, !place.route.websocket && parts.method == hyper::Method::GET)
        }
    }
}

/// Finds the route, by the request's head alone.
fn locate(shared: &Shared, parts: &Parts, peer: SocketAddr) -> Result<Result<Place, Response<Body>>, Denial> {
    let (path, query) = origin_form(&parts.method, &parts.uri)?;
    refuse_embedded(&parts.headers)?;
    let host = shared.names.host(&parts.headers)?;
    match shared.table().find(parts.method.as_str(), path) {
        Found::Route { mounted, route, matched } => Ok(Ok(Place { host, mounted, route, matched })),
        Found::Unslashed => {
            let query = query.map_or_else(String::new, |query| format!("?{query}"));
            match (&host, peer.ip().to_canonical().is_loopback()) {
                (Host::Page(_), true) => Ok(Err(answer::redirect(&format!("{path}/{query}"), None))),
                _ => Err(Denial::NotLocal),
            }
        }
        Found::Methods(allowed) => Err(Denial::Method { allowed }),
        Found::Nothing => Err(Denial::NoRoute),
    }
}

async fn admitted<I: Intake>(
    shared: &Arc<Shared>,
    intake: &Arc<I>,
    peer: SocketAddr,
    place: &Place,
    parts: &mut Parts,
    body: body::Incoming,
) -> Result<Response<Body>, Denial> {
    let Place { host, mounted, route, matched } = place;
    let adapter = &mounted.adapter;
    let is_page = route.auth == RouteAuth::Page;
    let (mut page_host, mut keyed) = (None, false);
    if is_page {
        let visit = Visit {
            peer,
            port: shared.names.port(),
            host,
            method: &parts.method,
            headers: &parts.headers,
            path: parts.uri.path(),
            query: parts.uri.query(),
            adapter,
            websocket: route.websocket,
        };
        match visit.admit(&shared.token)? {
            Admission::Admitted { keyed: has_key } => keyed = has_key,
            Admission::First { location, cookie } => return Ok(answer::redirect(&location, Some(&cookie))),
        }
        page_host = Some(visit.local_host()?.to_owned());
    }
    if intake.is_full(adapter) {
        return Err(Denial::Full);
    }
    if route.websocket {
        return open_socket(shared, intake, place, parts, keyed);
    }
    let max = largest(mounted, route);
    super::body::refuse_unread(&parts.headers, &body, max)?;

    let received_ms = now_ms();
    let (item, verified, credential, uploaded) = if route.body == BodyKind::Upload {
        let (verified, credential) = unsigned(mounted, matched, is_page, &parts.headers)?;
        super::body::check_media_type(&route.body, &parts.headers)?;
        let store = mounted.files.as_ref().ok_or(Denial::Body("this adapter has no inbox"))?;
        let (item, uploaded) = tokio::time::timeout(
            shared.bounds.upload_time,
            upload::read(&parts.headers, body, max, shared.bounds.body_time, store),
        )
        .await
        .unwrap_or(Err(Denial::Slow))?;
        (item, verified, credential, Some(uploaded))
    } else {
        let held = super::body::read(body, max, shared.bounds.body_time, &shared.budget).await?;
        let (verified, credential) = if is_page {
            (None, PAGE.to_owned())
        } else {
            let (verified, credential) = authenticate(mounted, matched, &parts.headers, &held.bytes)?;
            (Some(verified), credential)
        };
        if !held.bytes.is_empty() || route.body != BodyKind::Text {
            super::body::check_media_type(&route.body, &parts.headers)?;
        }
        (super::body::item(&route.body, &held.bytes)?, verified, credential, None)
    };
    let signed = event_id(verified.as_ref(), &credential)?;
    let once = verified.and_then(|verified| verified.covered).map(|covered| once(adapter, route, &covered));
    let files = uploaded.map(upload::Uploaded::keep).unwrap_or_default();
    let ids: Vec<String> = files.iter().map(|upload| upload.file.id.clone()).collect();
    let request = Request {
        route: Arc::clone(route),
        caller: caller(place, parts, credential, keyed)?,
        method: parts.method.to_string(),
        body: item,
        once,
        signed,
        files,
        received_ms,
    };
    let answer = intake.accept(adapter, Incoming::Request(Box::new(request))).await;
    if !matches!(answer, Answer::Stored | Answer::Page(_))
        && let Some(store) = &mounted.files
    {
        ids.iter().for_each(|id| store.remove(id));
    }
    match answer {
        Answer::Page(page) if route.answer == manifest::Answer::Page && page_host.is_some() => {
            Ok(answer::page(page, adapter, page_host.as_deref().unwrap_or_default()).await)
        }
        Answer::Stored | Answer::Repeated | Answer::Page(_) => Ok(answer::status(StatusCode::OK)),
        Answer::Refused(reason) => Err(Denial::refused(&reason)),
        Answer::Failed => Err(Denial::Failed),
        Answer::Busy => Err(Denial::Full),
    }
}

/// The largest body that the route takes, in bytes.
fn largest(mounted: &Mounted, route: &Route) -> u64 {
    let usual = match route.body {
        BodyKind::None => 0,
        BodyKind::Upload => mounted.limits.file_mib.saturating_mul(1024 * 1024).saturating_mul(upload::FILES),
        _ => mounted.limits.body_kib.saturating_mul(1024),
    };
    route.max_bytes.map_or(usual, |max| max.min(usual))
}

/// Turns the connection into a WebSocket.
fn open_socket<I: Intake>(
    shared: &Arc<Shared>,
    intake: &Arc<I>,
    place: &Place,
    parts: &mut Parts,
    keyed: bool,
) -> Result<Response<Body>, Denial> {
    let Place { mounted, route, matched, .. } = place;
    let accept = websocket::handshake(parts)?;
    let (_, credential) = unsigned(mounted, matched, route.auth == RouteAuth::Page, &parts.headers)?;
    let upgrade = parts.extensions.remove::<OnUpgrade>().ok_or(Denial::NotWebSocket("it cannot be upgraded"))?;
    let caller = Arc::new(caller(place, parts, credential, keyed)?);
    let seat = shared.connections.seat(mounted, &route.name, &caller.credential);
    let seat = seat.ok_or(Denial::Crowded("so many WebSockets of one adapter"))?;
    // The routes may have been replaced before the seat was taken, and after its route was found.
    if !shared.table().still_opens(mounted, &route.name, &caller.credential) {
        return Err(Denial::NoRoute);
    }
    let opening = websocket::Opening {
        upgrade,
        socket: Socket { route: Arc::clone(route), caller, connection: seat.number() },
        seat,
        adapter: mounted.adapter.clone(),
        max_frame: mounted.limits.frame_kib.saturating_mul(1024),
        stop: shared.stop.subscribe(),
    };
    tokio::spawn(websocket::attend(Arc::clone(shared), Arc::clone(intake), opening));
    Ok(websocket::switching(&accept))
}

fn caller(place: &Place, parts: &Parts, credential: String, keyed: bool) -> Result<Caller, Denial> {
    let is_page = place.route.auth == RouteAuth::Page;
    let query = super::body::pairs(parts.uri.query().unwrap_or_default().as_bytes())
        .ok_or(Denial::Malformed("the query is not UTF-8"))?
        .filter(|(name, _)| !(is_page && [PARAMETER, KEY].contains(&&**name)))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let path = parts.uri.path().get(1 + place.mounted.adapter.as_str().len()..).unwrap_or_default();
    Ok(Caller {
        credential,
        path: path.to_owned(),
        keyed,
        query,
        headers: seen(&parts.headers),
        matches: place.matched.wildcards.clone(),
    })
}

fn seen(headers: &HeaderMap) -> Vec<(String, String)> {
    let is_seen = |name: &HeaderName| !UNSEEN.contains(&name.as_str()) && !name.as_str().starts_with("sec-websocket-");
    headers
        .iter()
        .filter(|(name, _)| is_seen(name))
        .filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), std::str::from_utf8(value.as_bytes()).ok()?.to_owned()))
        })
        .collect()
}
