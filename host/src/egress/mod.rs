//! Egress: the only way in which anything of an adapter's leaves for the network.
//!
//! ```text
//! asked ─▶ endpoint of the grant ─▶ request, built anew (compared with the action) ─▶ address ─▶ platform
//!                                                              answer, without secrets ◀─┘
//! ```

mod prepared;

pub use prepared::{Asked, Body, Content, Denied, Part, Permit, Prepared, PreparedBody, PreparedPart, Values};
