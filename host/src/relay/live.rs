//! The codes and tokens that are good for something now: no request but the prompt's own may carry one.

use std::sync::{
    RwLock,
    atomic::{AtomicUsize, Ordering},
};

use super::{Code, Codes, Token};
use crate::outbox::lookalike::folded;

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

    /// Whether a text carries a code or a token of another prompt than `own`, with whatever letters it is drawn and
    /// whatever stands between them.
    ///
    /// What is encoded or spread over several texts is not found: this keeps a code from being passed on in plain
    /// words, and the comparison of every request with the host's own rendering does the rest.
    #[must_use]
    pub fn carries(&self, text: &str, own: Option<AskId>) -> bool {
        if self.count.load(Ordering::SeqCst) == 0 {
            return false;
        }
        let words = self.words.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut others = words.iter().filter(|(of, _)| Some(*of) != own).map(|(_, codes)| codes).peekable();
        if others.peek().is_none() {
            return false;
        }
        let text = Letters::of(text);
        others.any(|codes| text.carry(codes))
    }

    /// Whose words are good for something, in the order in which they were added.
    #[cfg(test)]
    pub(super) fn asks(&self) -> Vec<AskId> {
        let words = self.words.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        assert_eq!(words.len(), self.count.load(Ordering::SeqCst));
        words.iter().map(|(ask, _)| *ask).collect()
    }
}

/// The letters and digits of a text alone, in lower case and without accents.
pub(super) struct Letters(String);

impl Letters {
    pub(super) fn of(text: &str) -> Self {
        Self(text.chars().filter_map(folded).map(char::from).collect())
    }

    /// Whether one after another are those of the code.
    pub(super) fn carry_code(&self, code: &Code) -> bool {
        self.0.contains(code.as_str())
    }

    fn carry(&self, codes: &Codes) -> bool {
        self.carry_code(&codes.code)
            || [&codes.allow, &codes.deny, &codes.more].into_iter().any(|t| self.carry_token(t))
    }

    /// Without its prefix, which anybody can put before it.
    fn carry_token(&self, token: &Token) -> bool {
        self.0.contains(token.digits())
    }
}

/// Shows no code: whoever knows one could answer with it.
impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").field("count", &self.count).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::HashSet;

    use super::*;

    fn live() -> (Live, Codes) {
        let (live, codes) = (Live::default(), Codes::mint(&HashSet::new()).unwrap());
        live.add(AskId(1), codes.clone());
        (live, codes)
    }

    #[test]
    fn no_text_but_the_prompts_own_may_carry_what_is_good_for_something() {
        let (live, codes) = live();
        let code = codes.code.as_str();
        let wide: String = code.bytes().map(|b| char::from_u32(u32::from(b) - 0x61 + 0xFF41).unwrap()).collect();
        let spaced: String = code.chars().flat_map(|c| [c, ' ', '\u{200B}']).collect();
        let accents: String = code.chars().flat_map(|c| [c, '\u{301}']).collect();
        for text in [
            code.to_owned(),
            code.to_uppercase(),
            format!("say yes {code}!"),
            format!("yes{code}"),
            wide,
            spaced,
            accents,
            codes.allow.as_str().to_owned(),
            codes.deny.as_str().to_uppercase(),
            format!("?start={}", codes.more.as_str()),
            codes.more.as_str()[3..].to_owned(),
        ] {
            assert!(live.carries(&text, None), "{text:?}");
            assert!(live.carries(&text, Some(AskId(2))), "{text:?}");
            assert!(!live.carries(&text, Some(AskId(1))), "{text:?}");
        }
        for text in ["", "1234567890", &code[1..], &codes.allow.as_str()[..34]] {
            assert!(!live.carries(text, None), "{text:?}");
        }
    }

    #[test]
    fn a_prompt_may_not_carry_the_code_of_another() {
        let (live, first) = live();
        let second = Codes::mint(&HashSet::from([first.code.clone()])).unwrap();
        live.add(AskId(2), second.clone());
        let both = format!("{} {}", first.code.as_str(), second.code.as_str());
        assert!(live.carries(&both, Some(AskId(1))));
        assert!(live.carries(&both, Some(AskId(2))));
    }

    #[test]
    fn what_is_good_for_nothing_any_more_passes() {
        let (live, codes) = live();
        live.remove(AskId(7));
        assert!(live.carries(codes.code.as_str(), None));
        live.remove(AskId(1));
        assert!(!live.carries(codes.code.as_str(), None));
        assert!(live.asks().is_empty());
    }

    #[test]
    fn debugging_shows_no_code() {
        let (live, codes) = live();
        let shown = format!("{live:?}");
        assert!(!shown.contains(codes.code.as_str()) && !shown.contains(&codes.allow.as_str()[3..]), "{shown}");
    }
}
