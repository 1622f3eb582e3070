//! What is there beside what was granted: who runs, who waits, and why.

use super::catalogue::{Candidate, Origin};
use crate::{
    grants::{Grant, Grants},
    manifest::Change,
    name::AdapterName,
};

/// How a candidate, or a grant without one, stands.
#[derive(Clone)]
pub enum Standing {
    /// It is what the user allowed.
    Granted(Grant),
    /// Nobody has allowed it yet.
    New,
    /// The file that was allowed has changed; what it asks for differs like this.
    Changed(Vec<Change>),
    /// It bears the name of another component, which was allowed and is still there.
    Replacement(Vec<Change>),
    /// It cannot be used.
    Broken(String),
}

/// One line of the survey.
#[derive(Clone)]
pub struct Entry {
    /// What is there.
    pub candidate: Candidate,
    /// How it stands.
    pub standing: Standing,
}

impl Entry {
    /// The name that it gives itself.
    #[must_use]
    pub fn name(&self) -> Option<&AdapterName> {
        self.candidate.name()
    }
}

/// Every candidate with its standing, and the grants whose component is gone. At most one entry of a name is granted.
#[must_use]
pub fn survey(candidates: Vec<Candidate>, grants: &Grants) -> (Vec<Entry>, Vec<AdapterName>) {
    let runs = |candidate: &Candidate, grant: &Grant| match candidate.origin {
        // A bundled adapter is the host's own code: the same wish in a new build is the same grant.
        Origin::Bundled(_) => grant.bundled && candidate.said.as_ref().is_ok_and(|said| said.text == grant.manifest),
        Origin::File(_) => !grant.bundled && candidate.digest.as_ref() == Some(&grant.digest),
    };
    let mut entries: Vec<Entry> = Vec::with_capacity(candidates.len());
    let present: Vec<AdapterName> = grants
        .iter()
        .filter(|(name, grant)| candidates.iter().any(|it| it.name() == Some(*name) && runs(it, grant)))
        .map(|(name, _)| name.clone())
        .collect();
    for candidate in candidates {
        let standing = match &candidate.said {
            Err(reason) => Standing::Broken(reason.clone()),
            Ok(said) => {
                let name = &said.contract.manifest.name;
                let taken = entries
                    .iter()
                    .any(|earlier| earlier.name() == Some(name) && matches!(earlier.standing, Standing::Granted(_)));
                match grants.get(name) {
                    None => Standing::New,
                    Some(grant) if runs(&candidate, grant) && !taken => Standing::Granted(grant.clone()),
                    Some(grant) => {
                        let changes = super::catalogue::Said::parse(grant.manifest.clone())
                            .map(|before| said.contract.changes_from(&before.contract))
                            .unwrap_or_default();
                        match present.contains(name) || !same_place(&candidate, grant) {
                            true => Standing::Replacement(changes),
                            false => Standing::Changed(changes),
                        }
                    }
                }
            }
        };
        entries.push(Entry { candidate, standing });
    }
    let gone = grants.iter().map(|(name, _)| name).filter(|name| !present.contains(name)).cloned().collect();
    (entries, gone)
}

/// Whether the candidate stands where the granted component stood.
fn same_place(candidate: &Candidate, grant: &Grant) -> bool {
    match &candidate.origin {
        Origin::Bundled(_) => grant.bundled,
        Origin::File(_) => !grant.bundled && grant.file.as_deref() == Some(&candidate.origin.label()),
    }
}
