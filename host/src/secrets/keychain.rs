//! The system's keychain: the Secret Service on Linux, Keychain Services on macOS.
//!
//! It may ask the user to unlock it, and may hang as long as nobody answers. So it is asked on a thread of its own,
//! which is left behind when it takes too long; while one is left behind, nothing more is asked.

use std::{
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use keyring::{Entry, Error};
use zeroize::Zeroizing;

use crate::{gate::visible, name::AdapterName};

/// The name under which the keychain lists Sluicegate.
const SERVICE: &str = "sluicegate";
/// How long reading waits: for a keychain that is open already.
const BRIEF: Duration = Duration::from_secs(2);
/// How long a command of the user's waits, who may have to type a password.
const PATIENT: Duration = Duration::from_secs(60);

/// How many threads the keychain still holds that nobody waits for.
static LEFT_BEHIND: AtomicUsize = AtomicUsize::new(0);

/// The secret, if there is one; waits at most two seconds.
///
/// # Errors
/// Why the keychain does not answer, for the user.
pub(super) fn get(adapter: &AdapterName, variable: &str) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
    let user = user(adapter, variable);
    within(BRIEF, move || match entry(&user)?.get_secret() {
        Ok(secret) => Ok(Some(Zeroizing::new(secret))),
        Err(Error::NoEntry) => Ok(None),
        Err(error) => Err(words(error)),
    })
}

/// Keeps a secret; the user may have to unlock the keychain.
///
/// # Errors
/// As [`get`].
pub(super) fn set(adapter: &AdapterName, variable: &str, value: &str) -> Result<(), String> {
    let user = user(adapter, variable);
    let value = Zeroizing::new(value.to_owned());
    within(PATIENT, move || entry(&user)?.set_secret(value.as_bytes()).map_err(words))
}

/// Forgets a secret; one that is not there is forgotten already.
///
/// # Errors
/// As [`get`].
pub(super) fn remove(adapter: &AdapterName, variable: &str) -> Result<(), String> {
    let user = user(adapter, variable);
    within(PATIENT, move || match entry(&user)?.delete_credential() {
        Ok(()) | Err(Error::NoEntry) => Ok(()),
        Err(error) => Err(words(error)),
    })
}

fn user(adapter: &AdapterName, variable: &str) -> String {
    format!("{adapter}/{variable}")
}

fn entry(user: &str) -> Result<Entry, String> {
    if let Err(error) = Entry::store_status() {
        return Err(visible(&error.to_string(), 200));
    }
    Entry::new(SERVICE, user).map_err(words)
}

/// What went wrong. Errors about what an entry holds carry it, so they are told in words of our own.
fn words(error: Error) -> String {
    match error {
        Error::BadEncoding(bytes) | Error::BadDataFormat(bytes, _) => {
            drop(Zeroizing::new(bytes));
            "what it holds there cannot be read".into()
        }
        Error::Ambiguous(_) => "it holds several entries of that name".into(),
        error => visible(&error.to_string(), 200),
    }
}

/// What a job gives, as long as it takes no longer than that.
fn within<T: Send + 'static>(
    patience: Duration,
    job: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    enum State<T> {
        Running,
        Done(T),
        LeftBehind,
    }
    if LEFT_BEHIND.load(Ordering::Acquire) > 0 {
        return Err("it still waits, perhaps for you to unlock it".into());
    }
    let shared = Arc::new((Mutex::new(State::Running), Condvar::new()));
    let theirs = Arc::clone(&shared);
    let work = move || {
        let result = job();
        let (state, done) = &*theirs;
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        match *state {
            State::LeftBehind => {
                LEFT_BEHIND.fetch_sub(1, Ordering::Release);
            }
            _ => *state = State::Done(result),
        }
        done.notify_one();
    };
    thread::Builder::new().name("keychain".into()).spawn(work).map_err(|error| error.to_string())?;
    let (state, done) = &*shared;
    let state = state.lock().unwrap_or_else(PoisonError::into_inner);
    let (mut state, _) = done
        .wait_timeout_while(state, patience, |state| matches!(state, State::Running))
        .unwrap_or_else(PoisonError::into_inner);
    match std::mem::replace(&mut *state, State::LeftBehind) {
        State::Done(result) => result,
        State::Running | State::LeftBehind => {
            LEFT_BEHIND.fetch_add(1, Ordering::Release);
            Err("it took too long, perhaps because it is locked".into())
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_keychain_that_hangs_is_left_behind_and_not_asked_again_until_it_answers() {
        assert_eq!(within(PATIENT, || Ok(1)), Ok(1));
        let (release, held) = mpsc::channel::<()>();
        let hangs = within(Duration::ZERO, move || {
            let _ = held.recv();
            Ok(1)
        });
        assert!(hangs.unwrap_err().contains("too long"));
        assert!(within(PATIENT, || Ok(2)).unwrap_err().contains("still waits"));
        release.send(()).unwrap();
        while LEFT_BEHIND.load(Ordering::Acquire) > 0 {
            thread::yield_now();
        }
        assert_eq!(within(PATIENT, || Ok(3)), Ok(3));
    }

    #[test]
    fn errors_do_not_tell_what_an_entry_holds() {
        let told = words(Error::BadEncoding(b"hunter2".to_vec()));
        assert!(!told.contains("hunter2") && !told.contains("104"), "{told}");
    }
}
