//! Which adapters can bring permission prompts to approvers, and how.

use crate::manifest::{Action, Contract, Endpoint, Platform, RouteAuth, Use};

/// Whether an adapter of that contract can bring permission prompts to approvers. `own`: it is the host's own code;
/// `vetted`: its identity rules are trusted.
#[must_use]
pub fn can_ask(contract: &Contract, own: bool, vetted: bool) -> bool {
    vetted && contract.manifest.actions.contains(&Action::Ask) && (own || !has_page(&contract.platform))
}

/// Whether it serves a page to the local user. The script of such a page could press its buttons by itself.
#[must_use]
pub fn has_page(platform: &Platform) -> bool {
    platform.routes.iter().any(|route| route.auth == RouteAuth::Page)
}

/// Whether its prompts have buttons. `own`: it is the host's own code, whose page has them.
#[must_use]
pub fn has_buttons(platform: &Platform, own: bool) -> bool {
    (own && has_page(platform)) || asks(platform).any(|endpoint| endpoint.buttons.is_some())
}

/// Whether a prompt that was sent can be changed.
#[must_use]
pub fn can_rewrite(platform: &Platform, own: bool) -> bool {
    (own && has_page(platform)) || asks(platform).any(|endpoint| endpoint.message.is_some())
}

fn asks(platform: &Platform) -> impl Iterator<Item = &Endpoint> {
    platform.endpoints.iter().filter(|endpoint| endpoint.uses.contains(&Use::Action(Action::Ask)))
}
