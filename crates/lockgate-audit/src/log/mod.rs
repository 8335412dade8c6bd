//! A log that nobody can quietly change: an append-only Merkle tree over records (RFC 6962, RFC 9162), in files as
//! <https://c2sp.org/tlog-tiles> lays them out, with checkpoints as <https://c2sp.org/tlog-checkpoint> signs them.
//!
//! Nothing here reads or writes a file or knows a key: files are handed in and out as bytes, signatures are made and checked
//! by functions of the caller. Read [`Growing`], [`verify`] and [`Note`] first.

mod checkpoint;
mod growing;
mod hash;
mod note;
mod tile;
mod tree;
mod verify;
mod witness;

pub use checkpoint::Checkpoint;
pub use growing::{Growing, Written};
pub use hash::Hash;
pub use note::{Check, Note, NoteKey, Use};
pub use tile::{LONGEST, Tile, WIDTH, fold, push_record, read_hashes, read_records};
pub use tree::{Subtrees, consistency, continues, includes, inclusion, root};
pub use verify::{Damage, Tiles, Verified, verify};
pub use witness::{Refusal, Submission};
