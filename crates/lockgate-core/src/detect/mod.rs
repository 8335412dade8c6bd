//! What is looked for in messages, and what is done with what is found. The finders are in `lockgate-detect`; here it is
//! decided. A message of a server is looked through before it is read, arguments when their call is decided.

mod conceal;
mod cut;
mod found;
mod look;
mod mark;
mod media;
mod message;
mod meta;
mod settings;

pub(crate) use conceal::concealed;
pub(crate) use cut::{By, Cut, cuts, replace};
pub(crate) use found::{Found, Way};
pub(crate) use look::{Hit, INSPECTOR, Look, Looked};
pub(crate) use message::is_sealed;
pub use settings::{
    ByClass, ByLevel, ClassifiedField, CodeArgument, Detect, Handling, Handlings, Shared, Sort, Suppression,
};
