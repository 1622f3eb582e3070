//! From TOML to a manifest or a platform: the checks that need more than one value.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
};

use serde::de::DeserializeOwned;
use toml::{Spanned, de::DeTable};

use super::{
    Action, Answer, BodyKind, ConfigItem, Manifest, ManifestError, Method, Param, ParamType, Platform, Route,
    RouteAuth, Timer, Tool,
    document::{
        ACTIONS_NOT_YET, ConfigTable, IdentityTable, List, ManifestDocument, NOT_YET, ParamTable, ProfileDocument,
        RouteTable, TimerTable, ToolTable,
    },
    error::{Fault, PROBLEM_CHARS, Place},
    identity,
    plain::excerpt,
    profiles,
    shapes::{Advice, CONFIG_BYTES, KeyName, MetaKey, Named, ToolName},
};

/// The longest manifest, in bytes.
const TEXT_BYTES: usize = 64 * 1024;
/// The most of each kind of table, attributes and conditions.
pub(super) const MANY: usize = 32;
/// The most parameters of a tool, and the most values of one.
const PARAMS: usize = 16;
/// The largest body that a route may take, in bytes: of uploads, and of everything else.
const UPLOAD_BYTES: u64 = 256 << 20;
const BODY_BYTES: u64 = 32 << 20;
/// The shortest and the longest time between two runs of a timer.
const TIMER_MS: Range<u64> = 1000..366 * 24 * 3600 * 1000;
/// Tools that the host has itself.
const HOST_TOOLS: [&str; 5] = ["reply", "react", "edit_message", "download_attachment", "fetch_messages"];
/// Arguments that the host adds to tools.
const HOST_PARAMS: [&str; 3] = ["channel", "chat_id", "thread_id"];

pub(super) type Checked<T> = Result<T, Fault>;

/// Reads a manifest.
pub(super) fn manifest(text: &str) -> Result<Manifest, ManifestError> {
    read(text, manifest_of)
}

/// Reads the profile that is built in under this name.
pub(super) fn profile(name: &str, text: &str) -> Result<Platform, ManifestError> {
    read(text, |document: ProfileDocument| {
        if document.name.get_ref().0 != name {
            return Err(Fault::wrong(document.name.span(), format!("this profile is built in as {name:?}")));
        }
        platform(document.route, document.timer, document.identity, document.config)
    })
}

fn read<D: DeserializeOwned, T>(text: &str, check: impl FnOnce(D) -> Checked<T>) -> Result<T, ManifestError> {
    if text.len() > TEXT_BYTES {
        return Err(ManifestError::TooLarge { bytes: text.len(), most: TEXT_BYTES });
    }
    let table = DeTable::parse(text).map_err(|error| ManifestError::Wrong {
        place: Place::of(text, error.span().map_or(0, |span| span.start)),
        key: String::new(),
        problem: excerpt(&format!("this is not TOML: {}", error.message()), PROBLEM_CHARS),
    })?;
    let located = |fault: Fault| fault.locate(text, table.get_ref());
    for (word, what) in NOT_YET {
        if let Some((key, _)) = table.get_ref().iter().find(|(key, _)| key.get_ref() == word) {
            return Err(located(Fault::not_yet(key.span(), what)));
        }
    }
    let document = D::deserialize(toml::Deserializer::from(table.clone()))
        .map_err(|error| located(Fault::wrong(error.span().unwrap_or(0..0), error.message().to_owned())))?;
    check(document).map_err(located)
}

fn manifest_of(document: ManifestDocument) -> Checked<Manifest> {
    if let Some(profile) = &document.profile {
        let own = [
            document.route.as_ref().map(|it| ("route", it.span())),
            document.timer.as_ref().map(|it| ("timer", it.span())),
            document.identity.as_ref().map(|it| ("identity", it.span())),
            document.config.as_ref().map(|it| ("config", it.span())),
        ];
        if let Some((word, span)) = own.into_iter().flatten().next() {
            return Err(Fault::wrong(
                span,
                format!("a manifest with a profile selects from it; take out `{word}`, or take out `profile`"),
            ));
        }
        if let Err(ManifestError::UnknownProfile { name, known }) = profiles::find(&profile.get_ref().0) {
            let problem = ManifestError::UnknownProfile { name, known }.to_string();
            return Err(Fault::wrong(profile.span(), problem));
        }
    }
    let mut actions = BTreeSet::new();
    for action in elements::<Action>(document.actions, MANY)? {
        let (span, action) = (action.span(), action.into_inner());
        if ACTIONS_NOT_YET.contains(&action) {
            return Err(Fault::not_yet(span, format!("the action {:?}", action.as_str())));
        }
        if !actions.insert(action) {
            return Err(twice(span, action.as_str()));
        }
    }
    let mut meta = Vec::new();
    for key in elements::<Named<MetaKey>>(document.meta, MANY)? {
        let (span, key) = (key.span(), key.into_inner().0);
        if meta.contains(&key) {
            return Err(twice(span, &key));
        }
        meta.push(key);
    }
    let mut tools = Vec::new();
    for table in at_most(document.tool, MANY)? {
        unique(&table.name, |name| &name.0, tools.iter().map(|tool: &Tool| &*tool.name))?;
        // Claude sees it under the adapter's name and its own.
        let shown = format!("{}_{}", document.name, table.name.get_ref().0);
        if HOST_TOOLS.contains(&shown.as_str()) {
            return Err(Fault::wrong(
                table.name.span(),
                format!("Claude would see it as {shown:?}, a tool of the host"),
            ));
        }
        tools.push(tool(table)?);
    }
    Ok(Manifest {
        name: document.name,
        version: document.version.0,
        summary: document.summary.0,
        hint: document.hint.map(|hint| hint.0),
        profile: document.profile.map(|profile| profile.into_inner().0),
        actions,
        meta,
        composes: document.composes,
        tools,
        own: platform(document.route, document.timer, document.identity, document.config)?,
    })
}

fn platform(
    route_tables: Option<Spanned<Vec<RouteTable>>>,
    timer_tables: Option<Spanned<Vec<TimerTable>>>,
    identity_tables: Option<Spanned<Vec<IdentityTable>>>,
    config_tables: Option<Spanned<BTreeMap<Spanned<Named<KeyName>>, ConfigTable>>>,
) -> Checked<Platform> {
    let mut platform = Platform::default();
    for table in at_most(route_tables, MANY)? {
        unique(&table.name, |name| &name.0, platform.routes.iter().map(|route| &*route.name))?;
        let path = table.path.span();
        let route = route(table)?;
        if let Some(other) = platform.routes.iter().find(|other| ambiguous(other, &route)) {
            return Err(Fault::wrong(
                path,
                format!(
                    "a request could be for this route or for {:?} ({}); give them different paths or methods",
                    other.name,
                    other.path.as_str()
                ),
            ));
        }
        platform.routes.push(route);
    }
    for table in at_most(timer_tables, MANY)? {
        unique(&table.name, |name| &name.0, platform.timers.iter().map(|timer| &*timer.name))?;
        platform.timers.push(timer(table)?);
    }
    for table in at_most(identity_tables, MANY)? {
        unique(&table.name, |name| &name.0, platform.identities.iter().map(|rule| &*rule.name))?;
        let rule = identity::rule(table, &platform.routes, &platform.timers)?;
        platform.identities.push(Arc::new(rule));
    }
    if let Some(tables) = config_tables {
        limit(tables.span(), tables.get_ref().len(), MANY)?;
        for (name, table) in tables.into_inner() {
            platform.config.insert(name.into_inner().0, config(table)?);
        }
    }
    Ok(platform)
}

fn route(mut table: RouteTable) -> Checked<Route> {
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

fn ambiguous(one: &Route, other: &Route) -> bool {
    one.methods.iter().any(|method| other.methods.contains(method)) && one.path.overlaps(&other.path)
}

fn timer(table: TimerTable) -> Checked<Timer> {
    if let Some(every) = &table.every_ms
        && !TIMER_MS.contains(every.get_ref())
    {
        return Err(Fault::wrong(every.span(), "a timer runs every second (1000) at most, and at least once a year"));
    }
    Ok(Timer { name: table.name.into_inner().0, every_ms: table.every_ms.map(Spanned::into_inner) })
}

fn config(table: ConfigTable) -> Checked<ConfigItem> {
    let span = table.default.as_ref().map(Spanned::span).unwrap_or_default();
    let item = ConfigItem {
        default: table.default.map(Spanned::into_inner),
        summary: table.summary.map(|line| line.0),
        pattern: table.pattern,
    };
    if item.default.as_ref().is_some_and(|default| !item.takes(default)) {
        let shape =
            format!("one line of at most {CONFIG_BYTES} bytes without invisible characters, that matches `pattern`");
        return Err(Fault::wrong(span, format!("the default is no value that the user could set: {shape}")));
    }
    Ok(item)
}

fn tool(table: ToolTable) -> Checked<Tool> {
    let name = &table.name.get_ref().0;
    if HOST_TOOLS.contains(&&**name) {
        return Err(Fault::wrong(table.name.span(), format!("{name:?} is a tool of the host; choose another name")));
    }
    limit(table.name.span(), table.params.len(), PARAMS)?;
    let mut params = BTreeMap::new();
    for (name, table) in table.params {
        params.insert(param_name(&name)?, param(table)?);
    }
    Ok(Tool { name: table.name.into_inner().0, summary: table.summary.0, place: table.place, params })
}

fn param_name(name: &Spanned<Named<ToolName>>) -> Checked<String> {
    let text = &name.get_ref().0;
    if HOST_PARAMS.contains(&&**text) {
        let problem = format!("{text:?} is an argument of the host's; for a conversation set place = true");
        return Err(Fault::wrong(name.span(), problem));
    }
    Ok(text.clone())
}

fn param(table: Spanned<ParamTable>) -> Checked<Param> {
    let table = table.into_inner();
    let mut one_of = Vec::new();
    if let Some(given) = &table.one_of
        && (table.kind != ParamType::String || given.get_ref().len() == 0)
    {
        return Err(Fault::wrong(given.span(), "`one-of` lists the values of a string, at least one"));
    }
    for value in elements::<Advice<64>>(table.one_of, PARAMS)? {
        let (span, Advice(value)) = (value.span(), value.into_inner());
        if one_of.contains(&value) {
            return Err(twice(span, &value));
        }
        one_of.push(value);
    }
    if let Some(max) = &table.max
        && (table.kind == ParamType::Boolean || !one_of.is_empty())
    {
        return Err(Fault::wrong(max.span(), "`max` is for strings without `one-of`, and for numbers"));
    }
    Ok(Param {
        kind: table.kind,
        summary: table.summary.map(|summary| summary.0),
        required: table.required,
        one_of,
        max: table.max.map(Spanned::into_inner),
    })
}

fn at_most<T>(list: Option<Spanned<Vec<T>>>, most: usize) -> Checked<Vec<T>> {
    let Some(list) = list else { return Ok(Vec::new()) };
    limit(list.span(), list.get_ref().len(), most)?;
    Ok(list.into_inner())
}

fn elements<T: DeserializeOwned>(list: Option<Spanned<List>>, most: usize) -> Checked<Vec<Spanned<T>>> {
    let Some(list) = list else { return Ok(Vec::new()) };
    limit(list.span(), list.get_ref().len(), most)?;
    list.into_inner().read()
}

pub(super) fn limit(span: Range<usize>, count: usize, most: usize) -> Checked<()> {
    if count > most {
        return Err(Fault::wrong(span, format!("there are {count} of it; at most {most} are allowed")));
    }
    Ok(())
}

fn unique<'a, N>(
    name: &Spanned<N>,
    text: impl Fn(&N) -> &String,
    mut others: impl Iterator<Item = &'a str>,
) -> Checked<()> {
    let text = text(name.get_ref());
    if others.any(|other| other == text) { Err(twice(name.span(), text)) } else { Ok(()) }
}

fn twice(span: Range<usize>, what: &str) -> Fault {
    Fault::wrong(span, format!("{what:?} is there twice; each may be there once"))
}
