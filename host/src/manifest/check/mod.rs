//! From TOML to a manifest or a platform: the checks that need more than one value.

mod ask;
mod body;
mod endpoint;
mod platform;
mod poll;
mod route;
mod settings;
mod tool;

use std::{collections::BTreeSet, ops::Range};

use serde::de::DeserializeOwned;
use toml::{Spanned, de::DeTable};

use super::{
    Action, Manifest, ManifestError, Platform, Tool,
    document::{ACTIONS_NOT_YET, List, ManifestDocument, NOT_YET, ProfileDocument},
    error::{Fault, PROBLEM_CHARS, Place},
    plain::excerpt,
    profiles,
    shapes::{MetaKey, Named},
};
use platform::{Owner, platform};
use tool::{HOST_TOOLS, tool};

/// The longest manifest, in bytes.
const TEXT_BYTES: usize = 64 * 1024;
/// The most of each kind of table, attributes and conditions.
pub(super) const MANY: usize = 32;
/// The largest body of a request or of an answer that is no file, in bytes.
const BODY_BYTES: u64 = 32 << 20;

pub(super) type Checked<T> = Result<T, Fault>;

/// Reads a manifest.
pub(super) fn manifest(text: &str) -> Result<Manifest, ManifestError> {
    read(text, manifest_of)
}

/// Reads the profile that is built in under this name.
pub(super) fn profile(name: &str, text: &str) -> Result<Platform, ManifestError> {
    read(text, |mut document: ProfileDocument| {
        if document.name.get_ref().0 != name {
            return Err(Fault::wrong(document.name.span(), format!("this profile is built in as {name:?}")));
        }
        platform(document.take_platform(), &Owner::Profile)
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

fn manifest_of(mut document: ManifestDocument) -> Checked<Manifest> {
    let own = document.take_platform();
    if let Some(word) = &own.direct_is_sender {
        return Err(Fault::wrong(
            word.span(),
            "only a profile of the host says so, because whoever is admitted is then written to by this id; take it out",
        ));
    }
    if let Some(profile) = &document.profile {
        if let Some((word, span)) = own.any_word() {
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
    let (mut actions, mut asks) = (BTreeSet::new(), None);
    for action in elements::<Action>(document.actions, MANY)? {
        let (span, action) = (action.span(), action.into_inner());
        if ACTIONS_NOT_YET.contains(&action) {
            return Err(Fault::not_yet(span, format!("the action {:?}", action.as_str())));
        }
        if !actions.insert(action) {
            return Err(twice(span, action.as_str()));
        }
        if action == Action::Ask {
            asks = Some(span);
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
    let own = platform(own, &Owner::Adapter(&document.name))?;
    if let Some(span) = asks {
        match document.profile.as_ref().map(|profile| profiles::find(&profile.get_ref().0)) {
            None => {
                ask::can_ask(&own, span.clone())?;
                ask::stays_as_it_is(&own, span)?;
            }
            Some(Ok(platform)) => ask::can_ask(&platform, span)?,
            Some(Err(error)) => return Err(Fault::wrong(span, error.to_string())),
        }
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
        spans: document.spans,
        tools,
        own,
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
