//! When a poll asks again.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

use super::State;
use crate::manifest::Poll;

/// The next request waits so long after an answer that was not held back and brought nothing new, and wherever a platform
/// asks for no time at all.
const AT_ONCE: Duration = Duration::from_secs(1);

/// The longest time that a platform may ask to be left alone.
const LONGEST_SLOWING: Duration = Duration::from_secs(3600);

/// Why nothing came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Somebody else polls with the same secret: each request of ours would end one of theirs.
    Elsewhere,
    /// Fewer requests, please; for so long, if the platform said so.
    Slowed(Option<Duration>),
    /// The platform will say the same again until the user changes something.
    Refused(String),
    /// It may pass.
    Failing(String),
}

impl Trouble {
    pub(super) fn into_state(self) -> State {
        match self {
            Self::Elsewhere => State::Elsewhere,
            Self::Slowed(_) => State::Slowed,
            Self::Refused(why) => State::Refused(why),
            Self::Failing(why) => State::Failing(why),
        }
    }

    /// Seconds of the first and of the longest wait, where the platform does not say.
    const fn bounds(&self) -> (u64, u64) {
        match self {
            Self::Elsewhere => (10, 300),
            Self::Slowed(_) => (5, 300),
            Self::Refused(_) => (15, 600),
            Self::Failing(_) => (1, 60),
        }
    }
}

/// The waits of one source, longer and longer while the same trouble lasts, with jitter.
#[derive(Default)]
pub(super) struct Pace {
    waits: Option<((u64, u64), ExponentialBackoff)>,
}

impl Pace {
    /// How long to wait after an answer with so many items, which took that long.
    pub(super) fn after_success(&mut self, poll: &Poll, items: u64, took: Duration) -> Duration {
        self.waits = None;
        let pause = Duration::from_millis(poll.pause_ms);
        if items == 0 && took < AT_ONCE { pause.max(AT_ONCE) } else { pause }
    }

    /// How long to wait after trouble.
    pub(super) fn after(&mut self, trouble: &Trouble) -> Duration {
        if let Trouble::Slowed(Some(wait)) = trouble {
            return (*wait).clamp(AT_ONCE, LONGEST_SLOWING);
        }
        let bounds = trouble.bounds();
        let waits = match &mut self.waits {
            Some((same, waits)) if *same == bounds => waits,
            other => &mut other.insert((bounds, waits(bounds))).1,
        };
        waits.next().unwrap_or(Duration::from_secs(bounds.1))
    }
}

fn waits((first, longest): (u64, u64)) -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_secs(first))
        .with_max_delay(Duration::from_secs(longest))
        .with_factor(2.0)
        .with_jitter()
        .without_max_times()
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_and_begin_anew_after_a_success() {
        let mut pace = Pace::default();
        let trouble = Trouble::Failing("down".into());
        let seconds: Vec<_> = (0..40).map(|_| pace.after(&trouble).as_secs()).collect();
        assert!((1..=2).contains(&seconds[0]), "{seconds:?}");
        assert!(seconds.iter().all(|wait| (1..=120).contains(wait)), "{seconds:?}");
        assert!(seconds[30] >= 60, "{seconds:?}");
        pace.waits = None;
        assert!(pace.after(&trouble).as_secs() <= 2);
    }

    #[test]
    fn what_the_platform_asks_for_is_obeyed() {
        let mut pace = Pace::default();
        assert_eq!(pace.after(&Trouble::Slowed(Some(Duration::from_secs(17)))), Duration::from_secs(17));
        assert_eq!(pace.after(&Trouble::Slowed(Some(Duration::from_secs(1 << 40)))), LONGEST_SLOWING);
        assert!(pace.after(&Trouble::Slowed(None)) >= Duration::from_secs(5));
        assert_eq!(pace.after(&Trouble::Slowed(Some(Duration::ZERO))), AT_ONCE);
    }

    #[test]
    fn somebody_else_is_left_alone_longer_than_an_outage() {
        let mut pace = Pace::default();
        assert!(pace.after(&Trouble::Elsewhere) >= Duration::from_secs(10));
        assert!(pace.after(&Trouble::Failing(String::new())) <= Duration::from_secs(2));
    }
}
