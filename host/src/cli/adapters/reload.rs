//! Telling the process that leads that something has changed.

use std::net::SocketAddr;

use crate::{
    cli::screen::note,
    control::{self, AdapterStatus, Answer, Request, Status},
    home::Home,
    name::AdapterName,
};

/// How the process that leads stands after it has looked at everything again. `None` if there is none, or if it
/// could not; the user has been told then.
pub(in crate::cli) fn reload(home: &Home) -> Option<Status> {
    match control::ask(home, &Request::Reload {}) {
        Ok(None) => None,
        Ok(Some(Answer::Status(status))) => Some(status),
        Ok(Some(Answer::Failed { message })) => {
            note!("the running sluicegate could not take this up: {message}");
            None
        }
        Ok(Some(_)) => {
            note!("the running sluicegate gave a strange answer: restart the Claude session that runs it");
            None
        }
        Err(error) => {
            note!("{error}");
            None
        }
    }
}

/// How the process that leads stands; `None` if there is none, or if it does not answer, which is told.
pub(in crate::cli) fn status(home: &Home) -> Option<Status> {
    match control::ask(home, &Request::Status {}) {
        Ok(Some(Answer::Status(status))) => Some(status),
        Ok(_) => None,
        Err(error) => {
            note!("{error}");
            None
        }
    }
}

/// How an adapter stands in the process that leads.
pub(in crate::cli) fn status_of<'a>(status: Option<&'a Status>, name: &AdapterName) -> Option<&'a AdapterStatus> {
    status?.adapters.iter().find(|adapter| adapter.name == *name)
}

/// Where the listener is bound, or will be.
pub(in crate::cli) fn listen(status: Option<&Status>, configured: SocketAddr) -> SocketAddr {
    status.and_then(|status| status.listen).unwrap_or(configured)
}
