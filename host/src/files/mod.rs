//! Files: what the host keeps for an adapter, and which of the user's files may leave.
//!
//! Uploads and downloads are kept in the adapter's inbox ([`FileStore`]). The adapter and the platform see a
//! file by an unguessable id, with its name, media type and size; only the host sees paths and bytes.
//! What Claude wants to send is checked by [`Outgoing`] and then copied into the inbox, so that the bytes
//! that leave are those of the very file that was checked, whatever stands at its path by then.

mod contents;
mod credentials;
mod name;
mod outgoing;
mod randomness;
mod store;
mod writer;

pub use name::safe_name;
pub use outgoing::{Checked, Outgoing, Refused};
pub use store::{FileError, FileStore, KeptFile};
pub use writer::Writer;
