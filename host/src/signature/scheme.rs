//! The ways in which a platform can prove that a request is its own.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How a route's requests are authenticated. In manifests and settings it is written as its lower-case
/// [`name`](Scheme::name).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// HMAC-SHA256 of the body in `X-Hub-Signature-256`.
    Github,
    /// A token in `X-Gitlab-Token`.
    Gitlab,
    /// HMAC-SHA256 of timestamp and body in `X-Slack-Signature`.
    Slack,
    /// HMAC-SHA256 of timestamp and body in `Stripe-Signature`.
    Stripe,
    /// Standard Webhooks: HMAC-SHA256 of id, timestamp and body in `webhook-signature`.
    Standard,
    /// A token in `Authorization: Bearer`.
    Bearer,
    /// Ed25519 over timestamp and body in `X-Signature-Ed25519`, as Discord signs interactions.
    Ed25519,
}

/// A name that is none of the schemes'. The name itself is not repeated: it may be a value that was
/// written into the wrong place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown signature scheme: write github, gitlab, slack, stripe, standard, bearer or ed25519")]
pub struct UnknownScheme;

impl Scheme {
    /// Every scheme.
    pub const ALL: [Self; 7] =
        [Self::Github, Self::Gitlab, Self::Slack, Self::Stripe, Self::Standard, Self::Bearer, Self::Ed25519];

    /// The name in manifests and settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Slack => "slack",
            Self::Stripe => "stripe",
            Self::Standard => "standard",
            Self::Bearer => "bearer",
            Self::Ed25519 => "ed25519",
        }
    }

    /// What the user does so that the platform sends the header at all.
    pub(super) const fn mend_missing(self) -> &'static str {
        match self {
            Self::Github => "set the webhook's secret at GitHub",
            Self::Gitlab => "set the webhook's secret token at GitLab",
            Self::Slack => "let Slack itself send the request; it signs every one",
            Self::Stripe => "let Stripe itself send the request; it signs every one",
            Self::Standard => "turn on signing for this webhook at the platform, in the form of Standard Webhooks",
            Self::Bearer => "send the header `Authorization: Bearer TOKEN`",
            Self::Ed25519 => "let Discord itself send the request; it signs every one",
        }
    }

    /// What the user compares when signature or token are not the expected ones.
    pub(super) const fn mend_mismatch(self) -> &'static str {
        match self {
            Self::Github => "set the same secret here and in the webhook's settings at GitHub",
            Self::Gitlab => "set the same secret token here and in the webhook's settings at GitLab",
            Self::Slack => "copy the signing secret from the Slack app's Basic Information page again",
            Self::Stripe => "copy the signing secret of this very endpoint from Stripe again, with its whsec_",
            Self::Standard => "copy the signing secret of this very endpoint from the platform again",
            Self::Bearer => "send the token that is set here",
            Self::Ed25519 => "copy the public key from the Discord application's General Information page again",
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Scheme {
    type Err = UnknownScheme;

    fn from_str(name: &str) -> Result<Self, UnknownScheme> {
        Self::ALL.into_iter().find(|scheme| scheme.name() == name).ok_or(UnknownScheme)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_scheme_is_read_by_the_name_it_is_written_by() {
        for scheme in Scheme::ALL {
            assert_eq!(scheme.to_string().parse(), Ok(scheme));
            let json = serde_json::to_string(&scheme).unwrap();
            assert_eq!(json, format!("\"{scheme}\""));
            assert_eq!(serde_json::from_str::<Scheme>(&json).unwrap(), scheme);
            assert!(UnknownScheme.to_string().contains(scheme.name()));
        }
    }

    #[test]
    fn other_names_are_refused() {
        for name in ["", "GitHub", "github ", "none", "hmac"] {
            assert_eq!(name.parse::<Scheme>(), Err(UnknownScheme), "{name:?}");
        }
    }
}
