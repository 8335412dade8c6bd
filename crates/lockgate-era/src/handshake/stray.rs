use bytes::Bytes;

use crate::{Moment, Out};

/// An answer to nothing. It stands for one that the session may not take for an answer to anything, so that the core
/// still counts it.
const STRAY: &[u8] =
    br#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"answers no open request"}}"#;

impl Moment<'_> {
    /// A server has answered nothing.
    pub(crate) fn stray(&mut self) {
        self.out.push(Out::Said { exchange: None, message: Bytes::from_static(STRAY) });
    }
}
