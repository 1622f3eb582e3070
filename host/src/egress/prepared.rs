//! What an adapter asks for, what it may ask for it for, and the request that the host makes of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use url::Url;

use crate::{
    files::KeptFile,
    manifest::{Method, Use},
    relay::{AskId, Choice},
    signature::Secret,
};

/// A request as the adapter asks for it: gaps of an endpoint, filled.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Variables of the URL.
    pub vars: Vec<(String, String)>,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
}

/// A body as the adapter gives it.
#[derive(Debug, Clone, Default)]
pub enum Body {
    /// None.
    #[default]
    Empty,
    /// Text that should be JSON.
    Json(String),
    /// Fields of a form.
    Form(Vec<(String, String)>),
    /// Parts of a multipart body.
    Multipart(Vec<Part>),
    /// Anything else.
    Bytes(Vec<u8>),
}

/// One part of a multipart body.
#[derive(Debug, Clone)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// The name that a file should have.
    pub file_name: Option<String>,
    /// Its media type.
    pub media_type: Option<String>,
    /// What it is.
    pub content: Content,
}

/// The content of a part.
#[derive(Debug, Clone)]
pub enum Content {
    /// Bytes of the adapter's.
    Bytes(Vec<u8>),
    /// A file that the host keeps for this adapter.
    File(KeptFile),
}

/// What a call may request, and what the requests must agree with. A prompt leaves once: by one request for `ask`, of this
/// permit and all its clones together.
#[derive(Debug, Clone)]
pub struct Permit {
    /// What the call is for.
    pub purpose: Use,
    /// The conversation of the action.
    pub conversation: Option<String>,
    /// Its thread.
    pub thread: Option<String>,
    /// The message that the action is about; for `ask`, the one whose place the prompt takes.
    pub message: Option<String>,
    /// The message that it answers.
    pub reply_to: Option<String>,
    /// The text that it says.
    pub text: Option<String>,
    /// What it says beside the text: the addresses of its links and the languages of its blocks.
    pub spoken: BTreeSet<String>,
    /// The emoji that it reacts with; none takes a reaction away.
    pub emoji: Option<String>,
    /// The reference of the attachment that it fetches.
    pub reference: Option<String>,
    /// The ids of the files that it sends.
    pub files: Vec<String>,
    /// The buttons of a prompt: for `ask` just these are in the request, in their order; for all else none are.
    pub choices: Option<Vec<Choice>>,
    /// The prompt whose code and tokens the requests may carry. Those of all others they may not.
    pub ask: Option<AskId>,
    /// It says nothing but what is compared: no style that could hide, strike or set apart what the text shows.
    pub plain: bool,
    /// Whether the prompt is on its way.
    pub once: Once,
}

/// Something that is done once by all clones together; only egress does it.
#[derive(Debug, Clone, Default)]
pub struct Once(Arc<AtomicBool>);

impl Once {
    /// Whether it was still to be done; from now on it is not.
    pub(super) fn take(&self) -> bool {
        !self.0.swap(true, Ordering::SeqCst)
    }

    /// It was not done after all.
    pub(super) fn give_back(&self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

impl Permit {
    /// What may be requested for this purpose where nothing is said anywhere.
    #[must_use]
    pub fn bare(purpose: Use) -> Self {
        Self {
            purpose,
            conversation: None,
            thread: None,
            message: None,
            reply_to: None,
            text: None,
            spoken: BTreeSet::new(),
            emoji: None,
            reference: None,
            files: Vec::new(),
            choices: None,
            plain: false,
            ask: None,
            once: Once::default(),
        }
    }
}

/// What the user set for an adapter.
#[derive(Clone, Default)]
pub struct Values {
    /// Settings, with the defaults of those that the user left alone.
    pub config: BTreeMap<String, String>,
    /// Those of the settings that the user made: only these may name addresses of private ranges.
    pub by_user: BTreeSet<String>,
    /// Secrets; those that are missing or unfit are not in it.
    pub secrets: BTreeMap<String, Secret>,
}

/// Shows only names: users put passwords into settings too.
impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { config, by_user, secrets } = self;
        f.debug_struct("Values")
            .field("config", &config.keys())
            .field("by_user", by_user)
            .field("secrets", &secrets.keys())
            .finish()
    }
}

/// A request that may be made. Its URL and headers hold secrets.
pub struct Prepared {
    /// The method.
    pub method: Method,
    /// Where it goes.
    pub url: Url,
    /// The user's own setting names the authority, so it may be an address of a private range, and plain `http`.
    pub by_user: bool,
    /// Headers, but `Host` and those that describe the body.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: PreparedBody,
}

/// A body that may be sent.
pub enum PreparedBody {
    /// None.
    Empty,
    /// All of it.
    Bytes {
        /// `Content-Type`.
        content_type: &'static str,
        /// The bytes.
        bytes: Bytes,
    },
    /// Parts of a `multipart/form-data` body, whose files are read while they are sent.
    Multipart(Vec<PreparedPart>),
}

/// One part of a multipart body.
#[derive(Debug, Clone)]
pub enum PreparedPart {
    /// A field.
    Field {
        /// Its name: ASCII letters, digits and `_-.[]`.
        name: String,
        /// Its text.
        text: String,
    },
    /// A file.
    File {
        /// The part's name, like a field's.
        name: String,
        /// The file; its own name and media type are sent.
        file: KeptFile,
    },
}

/// Shows neither URL nor headers: they hold secrets.
impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared").field("method", &self.method).field("by_user", &self.by_user).finish_non_exhaustive()
    }
}

/// Why a request is not made: it is not within the grant. For the adapter and the log; foreign text in it is shortened
/// and escaped, and it holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Denied(pub String);
