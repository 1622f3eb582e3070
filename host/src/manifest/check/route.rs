//! The checks of routes and timers.

use std::ops::Range;

use toml::Spanned;

use super::{BODY_BYTES, Checked, MANY, elements, twice};
use crate::manifest::{
    Answer, BodyKind, Method, Route, RouteAuth, Timer,
    document::{List, RouteTable, TimerTable},
    error::Fault,
};

/// The largest body of an upload, in bytes.
const UPLOAD_BYTES: u64 = 256 << 20;
/// The shortest and the longest time between two runs of a timer.
const TIMER_MS: Range<u64> = 1000..366 * 24 * 3600 * 1000;

/// Checks a route for itself.
pub(super) fn route(mut table: RouteTable) -> Checked<Route> {
    let auth = *table.auth.get_ref();
    let methods = methods(table.methods.take(), table.websocket, table.name.span())?;
    let has_get = methods.contains(&Method::Get);
    let refuse = |span: Range<usize>, problem: &str| Err(Fault::wrong(span, problem));
    match (auth, table.path.get_ref().credentials()) {
        (RouteAuth::Credential, 1) | (RouteAuth::Page, 0) => {}
        (RouteAuth::Credential, _) => {
            return refuse(table.path.span(), "with auth = \"credential\" the path has `{credential}` exactly once");
        }
        (RouteAuth::Page, _) => {
            return refuse(table.path.span(), "with auth = \"page\" the path has no `{credential}`");
        }
    }
    if let Some(body) = &table.body {
        if table.websocket {
            return refuse(body.span(), "a WebSocket has frames and no body; take `body` out");
        }
        if has_get && *body.get_ref() != BodyKind::None {
            return refuse(body.span(), "a GET has no body; take out GET, or take body = \"none\"");
        }
    } else if !table.websocket && !has_get {
        return refuse(
            table.name.span(),
            "say what a body is: body = \"json\", \"form\", \"form-json:KEY\", \"text\", \"bytes\", \"upload\" or \"none\"",
        );
    }
    let body = table.body.map(Spanned::into_inner).unwrap_or_default();
    if let Some(answer) = &table.answer
        && *answer.get_ref() == Answer::Page
        && (auth != RouteAuth::Page || table.websocket)
    {
        return refuse(
            answer.span(),
            "pages are only for the local user: answer = \"page\" needs auth = \"page\" and no WebSocket",
        );
    }
    if let Some(items) = &table.items
        && !matches!(body, BodyKind::Json | BodyKind::FormJson(_))
    {
        return refuse(items.span(), "only body = \"json\" and \"form-json:KEY\" have an array of items");
    }
    if let Some(max) = &table.max_bytes {
        let most = if body == BodyKind::Upload { UPLOAD_BYTES } else { BODY_BYTES };
        if body == BodyKind::None || *max.get_ref() == 0 || *max.get_ref() > most {
            return Err(Fault::wrong(max.span(), format!("it is for bodies, and from 1 to {most} here")));
        }
    }
    Ok(Route {
        name: table.name.into_inner().0,
        path: table.path.into_inner(),
        methods,
        auth,
        body,
        answer: table.answer.map(Spanned::into_inner).unwrap_or_default(),
        websocket: table.websocket,
        items: table.items.map(Spanned::into_inner),
        max_bytes: table.max_bytes.map(Spanned::into_inner),
    })
}

fn methods(given: Option<Spanned<List>>, websocket: bool, route: Range<usize>) -> Checked<Vec<Method>> {
    if given.is_none() && websocket {
        return Ok(vec![Method::Get]);
    }
    let span = given.as_ref().map_or(route, Spanned::span);
    let mut methods = Vec::new();
    for method in elements::<Method>(given, MANY)? {
        if methods.contains(method.get_ref()) {
            return Err(twice(method.span(), method.get_ref().as_str()));
        }
        methods.push(*method.get_ref());
    }
    if methods.is_empty() {
        return Err(Fault::wrong(span, "say which methods it takes, such as methods = [\"POST\"]"));
    }
    if websocket && methods != [Method::Get] {
        return Err(Fault::wrong(span, "a WebSocket is opened with GET alone"));
    }
    Ok(methods)
}

/// Whether a request could be for both.
pub(super) fn ambiguous(one: &Route, other: &Route) -> bool {
    one.methods.iter().any(|method| other.methods.contains(method)) && one.path.overlaps(&other.path)
}

/// Checks a timer.
pub(super) fn timer(table: TimerTable) -> Checked<Timer> {
    if let Some(every) = &table.every_ms
        && !TIMER_MS.contains(every.get_ref())
    {
        return Err(Fault::wrong(every.span(), "a timer runs every second (1000) at most, and at least once a year"));
    }
    Ok(Timer { name: table.name.into_inner().0, every_ms: table.every_ms.map(Spanned::into_inner) })
}
