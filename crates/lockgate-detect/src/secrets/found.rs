//! What was found so far: bounded, and in the end in order and not overlapping.

use super::{MOST, Secret, SecretClass, Sure};

pub(super) struct Found<'t> {
    text: &'t str,
    secrets: Vec<Secret>,
}

/// Farthest that a secret may begin before the word that gave it away. Bytes.
const BEFORE: usize = 80;

impl<'t> Found<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, secrets: Vec::new() }
    }

    /// All of a text, unread.
    pub(super) fn unread(text: &'t str) -> Vec<Secret> {
        let mut found = Self::new(text);
        found.close(0);
        found.finish()
    }

    pub(super) fn is_full(&self) -> bool {
        self.secrets.len() >= MOST
    }

    pub(super) fn extend(&mut self, secret: Option<Secret>) {
        // The word of one secret may be seen twice.
        self.secrets.extend(secret.filter(|secret| self.secrets.last() != Some(secret)));
    }

    /// Nobody looks further than here.
    pub(super) fn close(&mut self, at: usize) {
        let span = self.text.floor_char_boundary(at.saturating_sub(BEFORE))..self.text.len();
        if !span.is_empty() {
            let (kind, class) = ("unread", SecretClass::Unread);
            self.secrets.push(Secret { kind, class, span, sure: Sure::Likely });
        }
    }

    /// Of what overlaps, the surer and then the more exact counts, for all that the two cover.
    pub(super) fn finish(self) -> Vec<Secret> {
        let mut secrets = self.secrets;
        secrets.sort_by_key(|secret| (secret.span.start, secret.span.end));
        let mut kept: Vec<Secret> = Vec::with_capacity(secrets.len());
        for secret in secrets {
            match kept.last_mut() {
                Some(last) if secret.span.start < last.span.end => {
                    let span = last.span.start..last.span.end.max(secret.span.end);
                    let better = if rank(&secret) > rank(last) { secret } else { last.clone() };
                    *last = Secret { span, ..better };
                }
                _ => kept.push(secret),
            }
        }
        kept
    }
}

/// Nothing outranks what was not read: it would hide that.
fn rank(secret: &Secret) -> (bool, Sure, bool) {
    (secret.class == SecretClass::Unread, secret.sure, !secret.kind.starts_with("named_"))
}
