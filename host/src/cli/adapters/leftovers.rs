//! What belongs to a grant and outlives it: state, senders, files and secrets.
//!
//! A grant that is revoked without `--forget` leaves them behind, and `revoked.toml` remembers for which component
//! they were, so that another one under the same name does not inherit them silently.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

use crate::{
    adapters::{Candidate, Origin},
    control::{self, Answer, Request},
    grants::Grant,
    home::{Home, write_private},
    journal::{Journal, Options},
    name::AdapterName,
    sandbox::Digest,
    secrets,
};

/// A component whose grant was revoked and whose data are still there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Revoked {
    digest: Digest,
    bundled: bool,
}

impl Revoked {
    /// Whether the candidate is that component: then the data are its own.
    fn was(&self, candidate: &Candidate) -> bool {
        match candidate.origin {
            // What comes with Sluicegate is of one hand, whatever its version.
            Origin::Bundled(_) => self.bundled,
            Origin::File(_) => !self.bundled && candidate.digest.as_ref() == Some(&self.digest),
        }
    }
}

/// Whether another component than this one has left data under that name.
pub(super) fn are_foreign(home: &Home, name: &AdapterName, candidate: &Candidate) -> anyhow::Result<bool> {
    Ok(load(home)?.get(name).is_some_and(|revoked| !revoked.was(candidate)))
}

/// Remembers for which component the data under that name are.
pub(super) fn remember(home: &Home, name: &AdapterName, grant: &Grant) -> anyhow::Result<()> {
    update(home, |revoked| {
        revoked.insert(name.clone(), Revoked { digest: grant.digest.clone(), bundled: grant.bundled });
    })
}

/// The data under that name belong to a grant again, or are gone.
pub(super) fn settled(home: &Home, name: &AdapterName) -> anyhow::Result<()> {
    update(home, |revoked| {
        revoked.remove(name);
    })
}

/// Deletes all that is kept under that name: state, timers, places and dead letters, senders, files and secrets.
/// The adapter must not run.
pub(super) fn delete(home: &Home, name: &AdapterName) -> anyhow::Result<()> {
    match control::ask(home, &Request::Forget { adapter: name.clone() })? {
        Some(Answer::Done) => {}
        Some(Answer::Failed { message }) => bail!("what the journal keeps for {name} was not deleted: {message}"),
        Some(_) => bail!("the running sluicegate gave a strange answer: restart the Claude session that runs it"),
        None => forget(home, name)?,
    }
    let access = home.access(name);
    for path in [&access, &suffixed(&access, ".lock")] {
        gone(fs::remove_file(path)).with_context(|| path.display().to_string())?;
    }
    secrets::forget_all(home, name)?;
    let inbox = home.inbox().join(name.as_str());
    gone(fs::remove_dir_all(&inbox)).with_context(|| inbox.display().to_string())?;
    settled(home, name)
}

/// Deletes what the journal keeps, where no process leads.
fn forget(home: &Home, name: &AdapterName) -> anyhow::Result<()> {
    if !home.journal().exists() {
        return Ok(());
    }
    let _lead = home.lead().context("the journal is in use; end the Claude session that uses it, and try again")?;
    let journal = Journal::open(home.journal(), Options::default())?;
    let forgotten = journal.forget(name.clone()).wait();
    journal.shutdown();
    forgotten?;
    Ok(())
}

fn gone(removed: io::Result<()>) -> io::Result<()> {
    removed.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

type All = BTreeMap<AdapterName, Revoked>;

fn load(home: &Home) -> anyhow::Result<All> {
    let path = home.root().join("revoked.toml");
    match fs::read_to_string(&path) {
        Ok(text) => toml::from_str(&text).with_context(|| path.display().to_string()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(All::new()),
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

fn update(home: &Home, change: impl FnOnce(&mut All)) -> anyhow::Result<()> {
    let mut all = load(home)?;
    let before = all.clone();
    change(&mut all);
    if all != before {
        let path = home.root().join("revoked.toml");
        write_private(&path, toml::to_string(&all)?.as_bytes()).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::journal::{Lane, Reader, Transaction};

    fn candidate(origin: Origin, bytes: &[u8]) -> Candidate {
        Candidate { origin, digest: Some(Digest::of(bytes)), said: Err(String::new()) }
    }

    fn grant(bytes: &[u8], bundled: bool) -> Grant {
        Grant {
            digest: Digest::of(bytes),
            bundled,
            file: None,
            granted: String::new(),
            vetted: false,
            manifest: String::new(),
        }
    }

    #[test]
    fn what_a_component_left_is_not_another_components() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path()).unwrap();
        let name = AdapterName::new("chat").unwrap();
        let file = |bytes| candidate(Origin::File("chat.wasm".into()), bytes);
        let bundled = |bytes| candidate(Origin::Bundled("chat"), bytes);
        assert!(!are_foreign(&home, &name, &file(b"a")).unwrap(), "nothing was ever revoked");
        remember(&home, &name, &grant(b"a", false)).unwrap();
        assert!(!are_foreign(&home, &name, &file(b"a")).unwrap());
        assert!(are_foreign(&home, &name, &file(b"b")).unwrap());
        assert!(are_foreign(&home, &name, &bundled(b"a")).unwrap());
        remember(&home, &name, &grant(b"a", true)).unwrap();
        assert!(!are_foreign(&home, &name, &bundled(b"b")).unwrap());
        assert!(are_foreign(&home, &name, &file(b"a")).unwrap());
        settled(&home, &name).unwrap();
        assert!(!are_foreign(&home, &name, &file(b"b")).unwrap());
    }

    #[test]
    fn what_is_deleted_is_gone_and_what_is_others_stays() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path()).unwrap();
        let (chat, other) = (AdapterName::new("chat").unwrap(), AdapterName::new("other").unwrap());
        let journal = Journal::open(home.journal(), Options::default()).unwrap();
        for name in [&chat, &other] {
            crate::secrets::set(&home, name, "KEY", Some("value")).unwrap();
            crate::gate::Gate::open(home.access(name)).allow("1").unwrap();
            fs::create_dir(home.inbox().join(name.as_str())).unwrap();
            fs::write(home.inbox().join(name.as_str()).join("file"), "x").unwrap();
            let mut transaction = Transaction::new(Lane::apart(name.clone()));
            transaction.state = vec![("key".into(), Some(b"value".to_vec()))];
            journal.submit(transaction).wait().unwrap();
        }
        journal.shutdown();
        drop(journal);
        delete(&home, &chat).unwrap();
        delete(&home, &chat).unwrap();
        let reader = Reader::open(home.journal()).unwrap();
        for (name, there) in [(&chat, false), (&other, true)] {
            assert_eq!(home.secrets(name).exists(), there);
            assert_eq!(home.access(name).exists(), there);
            assert_eq!(home.inbox().join(name.as_str()).exists(), there);
            assert_eq!(reader.state_get(name, "key").unwrap().is_some(), there);
        }
    }
}
