use std::collections::BTreeMap;

use bytes::Bytes;
use lockgate_model::{Revision, ServerName};

/// Most questions of servers that may wait for the agent; further ones are answered with an error.
pub(crate) const MOST: usize = 64;

/// What servers asked the agent and it has not answered yet, by the id the agent was given.
#[derive(Debug, Default)]
pub(crate) struct Questions {
    open: BTreeMap<Bytes, Question>,
    next: u64,
}

/// One question: sampling, elicitation, roots.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) server: ServerName,
    /// The id as the server gave it.
    pub(crate) id: Bytes,
    pub(crate) revision: Revision,
    /// Is it the user who answers it, and not the model?
    pub(crate) elicits: bool,
}

impl Questions {
    pub(crate) fn is_full(&self) -> bool {
        self.open.len() >= MOST
    }

    pub(crate) fn is_open(&self, id: &[u8]) -> bool {
        self.open.contains_key(id)
    }

    /// A fresh id, for where several servers share one agent.
    pub(crate) fn number(&mut self, server: &ServerName) -> Bytes {
        self.next += 1;
        Bytes::from(format!("\"{server}+{}\"", self.next))
    }

    pub(crate) fn ask(&mut self, id: Bytes, question: Question) {
        self.open.insert(id, question);
    }

    pub(crate) fn answer(&mut self, id: &[u8]) -> Option<Question> {
        self.open.remove(id)
    }

    /// The id the agent knows a server's question by.
    pub(crate) fn known_as(&self, server: &ServerName, id: &[u8]) -> Option<Bytes> {
        self.open
            .iter()
            .find(|(_, question)| question.server == *server && question.id == id)
            .map(|(id, _)| id.clone())
    }

    /// Forgets what a server asked: it is gone.
    pub(crate) fn forget(&mut self, server: &ServerName) {
        self.open.retain(|_, question| question.server != *server);
    }
}
