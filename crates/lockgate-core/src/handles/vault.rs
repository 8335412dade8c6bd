//! What stands for personal data is kept for later sessions of the same principal.

use crate::seal::{keep, recall};
use crate::{Core, Step, Token};

impl Core {
    /// Earlier sessions of the principal were shown these.
    pub(crate) fn remember_tokens(&mut self, tokens: &[Token]) {
        for token in tokens {
            if let Some(value) = recall(&self.boundary.seal, &self.identity.principal, token) {
                self.handles.recall(&token.handle, &value, &token.server);
            }
        }
    }

    /// Has those kept that are new.
    pub(crate) fn keep_tokens(&mut self, steps: &mut Vec<Step>) {
        let fresh = std::mem::take(&mut self.handles.fresh);
        if fresh.is_empty() || self.boundary.personal_kept_for == 0 {
            return;
        }
        let (seal, principal) = (&self.boundary.seal, &self.identity.principal);
        let token = |handle: String| {
            let kept = self.handles.kept.get(&handle)?;
            keep(seal, principal, &kept.origin, &handle, &kept.secret)
        };
        steps.push(Step::Keep(fresh.into_iter().filter_map(token).collect()));
    }
}
