//! The codes and tokens that are good for something now: no request but the prompt's own may carry one.

use std::sync::{
    RwLock,
    atomic::{AtomicUsize, Ordering},
};

use super::Codes;

/// One prompt for one approver: what may carry its codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AskId(pub u64);

/// The words that are good for something now, shared by all that leaves. Cheap while nothing waits.
#[derive(Default)]
pub struct Live {
    count: AtomicUsize,
    words: RwLock<Vec<(AskId, Codes)>>,
}

impl Live {
    /// From now on these are good, for that prompt.
    pub fn add(&self, ask: AskId, codes: Codes) {
        let mut words = self.words.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        words.push((ask, codes));
        self.count.store(words.len(), Ordering::SeqCst);
    }

    /// They are good for nothing any more.
    pub fn remove(&self, ask: AskId) {
        let mut words = self.words.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        words.retain(|(of, _)| *of != ask);
        self.count.store(words.len(), Ordering::SeqCst);
    }

    /// Whether a text carries a code or a token of another prompt than `own`, in whatever case and with whatever stands
    /// between the letters.
    #[must_use]
    pub fn carries(&self, text: &str, own: Option<AskId>) -> bool {
        if self.count.load(Ordering::SeqCst) == 0 {
            return false;
        }
        let words = self.words.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let others: Vec<&Codes> = words.iter().filter(|(of, _)| Some(*of) != own).map(|(_, codes)| codes).collect();
        if others.is_empty() {
            return false;
        }
        let letters: String =
            text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
        let token = |token: &super::Token| letters.contains(&token.as_str().replace('.', ""));
        others.iter().any(|codes| {
            letters.contains(codes.code.as_str()) || token(&codes.allow) || token(&codes.deny) || token(&codes.more)
        })
    }
}
