//! Who can be asked, where, and how it looks there.

use super::{Approver, Means, View};
use crate::{
    adapters::{Adapter, can_rewrite, has_buttons, has_page},
    gate::{Verdicts, visible},
    manifest::{Platform, Value},
    name::AdapterName,
    registry::Registry,
};

/// Somebody who can be asked.
pub(super) struct Reach {
    /// Who, and where.
    pub(super) approver: Approver,
    /// What can be shown there.
    pub(super) means: Means,
    /// Whether typed verdicts are taken.
    pub(super) typed: bool,
    /// What is shown first.
    pub(super) first: View,
}

/// Everybody, over all adapters that run.
#[derive(Default)]
pub(super) struct Survey {
    /// How many adapters can ask.
    pub(super) adapters: usize,
    /// Who can be asked.
    pub(super) reached: Vec<Reach>,
    /// Why others cannot, with what changes it.
    pub(super) problems: Vec<String>,
}

impl Survey {
    /// Looks at what runs now.
    pub(super) fn of(registry: &Registry) -> Self {
        let mut survey = Self::default();
        let foreign = foreign_page(registry);
        for running in registry.all().iter().filter(|running| running.adapter.can_ask()) {
            survey.look_at(&running.adapter, foreign.as_ref());
        }
        survey
    }

    fn look_at(&mut self, adapter: &Adapter, foreign: Option<&AdapterName>) {
        self.adapters += 1;
        let (name, contract) = (adapter.name(), &adapter.program.contract);
        if let Some(foreign) = foreign.filter(|_| adapter.is_own_page()) {
            self.problems.push(silent(name, foreign));
            return;
        }
        let means = means(adapter);
        let typed = adapter.gate.settings().verdicts == Verdicts::Any;
        let approvers = adapter.gate.approvers();
        if approvers.is_empty() {
            let command = adapter.gate.approver_command();
            self.problems.push(format!("{name} has no approvers: `{command}` lets somebody answer"));
        } else if !(means.buttons || typed) {
            self.problems.push(format!(
                "{name} has no buttons, and its access settings take nothing else: `sluicegate access {name} set \
                 verdicts any`"
            ));
            return;
        }
        // Whoever cannot be shown more is shown all at once.
        let first = if can_rewrite(&contract.platform, adapter.own) { View::Short } else { View::Full };
        for sender in approvers {
            let spoke = || adapter.read(|reader| reader.direct_conversation(name, &sender)).ok().flatten();
            match conversation_of(&contract.platform, adapter.own, &sender, spoke) {
                Some(conversation) => {
                    let approver = Approver { adapter: name.clone(), sender, conversation };
                    self.reached.push(Reach { approver, means: means.clone(), typed, first });
                }
                None => self.problems.push(format!(
                    "the approver {} has not written to {name} yet, so it is not known where to ask",
                    visible(&sender, 64)
                )),
            }
        }
    }
}

/// An adapter that runs and serves a page that is not the host's own. All pages are of one origin, within which browsers
/// keep nothing apart, so the script of such a page could press what another one shows.
pub fn foreign_page(registry: &Registry) -> Option<AdapterName> {
    let running = registry.all();
    let foreign = running.iter().map(|running| &running.adapter);
    let mut foreign = foreign.filter(|adapter| !adapter.own && has_page(&adapter.program.contract.platform));
    foreign.next().map(|adapter| adapter.name().clone())
}

/// Why the host's page asks nobody beside a page of that adapter's.
pub fn silent(page: &AdapterName, foreign: &AdapterName) -> String {
    format!(
        "{page} asks nobody while the page of {foreign}, which is not Sluicegate's own, could press its buttons: \
         `sluicegate revoke {foreign}`"
    )
}

/// What can be shown through an adapter.
pub(super) fn means(adapter: &Adapter) -> Means {
    let contract = &adapter.program.contract;
    // Nobody compares styles, so those of another's code could hide or set apart what the text shows.
    let spans = adapter.is_own_page() || (contract.manifest.spans && adapter.own);
    Means { limit: contract.platform.text_limit, spans, buttons: has_buttons(&contract.platform, adapter.own) }
}

/// Where an approver is asked: where the platform says that they are, or where they spoke directly last. `own`: the
/// adapter is the host's own code, whose page is one conversation, for the one who opens it.
pub fn conversation_of(
    platform: &Platform,
    own: bool,
    sender: &str,
    spoke: impl FnOnce() -> Option<String>,
) -> Option<String> {
    let known = platform.direct_is_sender.then(|| sender.to_owned());
    let page = || (own && has_page(platform)).then(|| page_conversation(platform)).flatten();
    known.or_else(spoke).or_else(page)
}

fn page_conversation(platform: &Platform) -> Option<String> {
    let mut rules = platform.identities.iter().filter(|rule| rule.is_by_credential());
    rules.find_map(|rule| match &rule.conversation {
        Value::Const(conversation) => Some(conversation.to_string()),
        _ => None,
    })
}
