//! The checks of a whole platform: what one of its tables says of another.

use std::sync::Arc;

use super::{
    Checked, MANY, at_most,
    endpoint::endpoint,
    poll::poll,
    route::{ambiguous, route, timer},
    settings::{Settings, burst, errors, text_limit},
    unique,
};
use crate::{
    manifest::{Platform, document::PlatformDocument, error::Fault, identity},
    name::AdapterName,
};

/// Whose description it is.
#[derive(Debug)]
pub(super) enum Owner<'a> {
    /// The host's own.
    Profile,
    /// That of the adapter of this name.
    Adapter(&'a AdapterName),
}

/// Checks a platform.
pub(super) fn platform(document: PlatformDocument, owner: &Owner<'_>) -> Checked<Platform> {
    let settings = Settings::read(document.config, document.secrets, owner)?;
    let mut platform = Platform {
        text_limit: document.text_limit.map(text_limit).transpose()?,
        burst: document.burst.map(burst).transpose()?,
        errors: document.errors.map(errors).transpose()?.unwrap_or_default(),
        direct_is_sender: document.direct_is_sender.is_some_and(toml::Spanned::into_inner),
        ..Platform::default()
    };
    for table in at_most(document.route, MANY)? {
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
    for table in at_most(document.timer, MANY)? {
        unique(&table.name, |name| &name.0, platform.timers.iter().map(|timer| &*timer.name))?;
        platform.timers.push(timer(table)?);
    }
    for table in at_most(document.poll, MANY)? {
        let routes = platform.routes.iter().map(|route| &*route.name);
        let sources = routes.chain(platform.timers.iter().map(|timer| &*timer.name));
        unique(&table.name, |name| &name.0, sources.chain(platform.polls.iter().map(|poll| &*poll.name)))?;
        platform.polls.push(poll(table, &settings)?);
    }
    for table in at_most(document.endpoint, MANY)? {
        unique(&table.name, |name| &name.0, platform.endpoints.iter().map(|endpoint| &*endpoint.name))?;
        platform.endpoints.push(endpoint(table, &settings)?);
    }
    (platform.config, platform.secrets) = settings.into_items();
    for table in at_most(document.identity, MANY)? {
        unique(&table.name, |name| &name.0, platform.identities.iter().map(|rule| &*rule.name))?;
        platform.identities.push(Arc::new(identity::rule(table, &platform)?));
    }
    Ok(platform)
}
