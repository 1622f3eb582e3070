//! Approvers: who may answer permission requests. A list of their own; nobody is on it whom the user did not name.

use super::{Access, DmPolicy, Gate, GateError, check_id, visible::word};

/// What somebody who is let in may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Speak to Claude.
    Speaker,
    /// Speak to Claude, and answer its permission requests: they can let it run any tool on the user's machine.
    Approver,
}

impl Role {
    /// What somebody who was let in is told.
    #[must_use]
    pub const fn welcome(self) -> &'static str {
        match self {
            Self::Speaker => "You are in: what you write here now reaches Claude.",
            Self::Approver => {
                "You are in: what you write here now reaches Claude.\n\nWhen Claude asks for permission to do something \
                 on its owner's computer, you are asked here too."
            }
        }
    }
}

impl Gate {
    /// For the adapter that serves the host's own page: whoever has the page open speaks by this credential without being
    /// listed, so it can be an approver as well. Never for a page of others, whose script could press its own buttons.
    #[must_use]
    pub fn with_page(self, credential: Option<&str>) -> Self {
        Self { page: credential.map(Into::into), ..self }
    }

    /// Who may answer permission requests now, each once, in the order of the list: those who are listed and may speak
    /// directly. Nobody if access is disabled or the file cannot be used.
    #[must_use]
    pub fn approvers(&self) -> Vec<String> {
        let Ok(snapshot) = self.store.snapshot() else { return Vec::new() };
        let access = &snapshot.access;
        let mut approvers: Vec<String> = Vec::new();
        for listed in &access.approvers {
            if self.may_approve(access, listed) && !approvers.contains(listed) {
                approvers.push(listed.clone());
            }
        }
        approvers
    }

    /// Whether a sender may answer permission requests now. That they were asked, and that it was they who spoke, in a
    /// direct conversation and by a rule that can be trusted, is for the caller to know.
    #[must_use]
    pub fn is_approver(&self, sender: &str) -> bool {
        self.store.snapshot().is_ok_and(|snapshot| self.may_approve(&snapshot.access, sender))
    }

    /// Makes a sender who may speak directly an approver. Whether they were none before.
    ///
    /// # Errors
    /// [`GateError::Id`], [`GateError::MayNotSpeak`], and as [`update`](Self::update).
    pub fn approver_add(&self, id: &str) -> Result<bool, GateError> {
        check_id(id)?;
        self.update(|access| {
            if !self.may_speak(access, id) {
                return Err(GateError::MayNotSpeak { adapter: self.adapter.to_string(), id: id.to_owned() });
            }
            Ok(access.add_approver(id))
        })
    }

    /// Takes a sender off the list of approvers; whether they may speak stays as it is. Whether they were on it.
    ///
    /// # Errors
    /// As [`update`](Self::update).
    pub fn approver_remove(&self, id: &str) -> Result<bool, GateError> {
        self.update(|access| Ok(access.remove_approver(id)))
    }

    /// Whether a sender is let in directly, whatever the policy is.
    #[must_use]
    pub fn is_let_in(&self, sender: &str) -> bool {
        self.store.snapshot().is_ok_and(|snapshot| self.may_speak(&snapshot.access, sender))
    }

    /// The one command with which somebody can answer permission requests, where nobody can.
    #[must_use]
    pub fn approver_command(&self) -> String {
        let adapter = &self.adapter;
        let Ok(snapshot) = self.store.snapshot() else { return format!("sluicegate access {adapter}") };
        let access = &snapshot.access;
        if access.dm_policy == DmPolicy::Disabled {
            return format!("sluicegate access {adapter} policy pairing");
        }
        if let Some(page) = &self.page {
            return format!("sluicegate access {adapter} approver add {}", word(page));
        }
        match &access.allow_from[..] {
            [] => format!("sluicegate invite {adapter} --approver"),
            [only] => format!("sluicegate access {adapter} approver add {}", word(only)),
            _ => format!("sluicegate access {adapter} approver add ID"),
        }
    }

    fn may_approve(&self, access: &Access, sender: &str) -> bool {
        access.dm_policy != DmPolicy::Disabled && access.lists_approver(sender) && self.may_speak(access, sender)
    }

    fn may_speak(&self, access: &Access, sender: &str) -> bool {
        access.allows(sender) || self.page.as_deref() == Some(sender)
    }
}
