//! What tokens of personal data stand for, kept for later sessions.

use std::sync::Arc;

use lockgate_core::{Event, Token};
use lockgate_model::ServerName;
use lockgate_store::{Kept, StateError, Vault};

use super::session::{Session, unix_millis};
use super::shelf::Shelf;

/// What cannot be done without the file.
const CANNOT: &str = "what tokens of personal data stand for cannot be kept or used in later sessions";

impl Session {
    /// The session begins: what tokens stand for that earlier ones of its principal were shown is known.
    pub(super) fn know_tokens(&self) {
        if self.gateway.boundary().personal_kept_for == 0 {
            return;
        }
        match tokens(&self.gateway.vault, self.principal.as_str(), unix_millis().0) {
            Ok(tokens) => {
                let steps = self.event(Event::Kept { tokens: &tokens });
                debug_assert!(steps.is_empty(), "what is known asks for nothing to be done");
            }
            Err(error) => self.gateway.vault.cannot(CANNOT, &error),
        }
    }

    /// Keeps tokens for later sessions of the principal.
    pub(super) async fn keep_tokens(self: &Arc<Self>, tokens: Vec<Token>) {
        let session = Arc::clone(self);
        let keeping = tokio::task::spawn_blocking(move || {
            let (gateway, now) = (&session.gateway, unix_millis().0);
            let until = now.saturating_add(gateway.boundary().personal_kept_for);
            let kept: Vec<Kept> = tokens
                .into_iter()
                .map(|token| Kept {
                    handle: token.handle,
                    principal: session.principal.to_string(),
                    server: token.server.to_string(),
                    sealed: token.sealed,
                    kept: now,
                    until,
                })
                .collect();
            gateway.vault.open()?.keep(&kept)
        });
        if let Ok(Err(error)) = keeping.await {
            self.gateway.vault.cannot(CANNOT, &error);
        }
    }
}

/// Those of a principal.
fn tokens(vault: &Shelf<Vault>, principal: &str, now: u64) -> Result<Vec<Token>, StateError> {
    let Some(vault) = vault.found()? else { return Ok(Vec::new()) };
    let token = |kept: Kept| {
        let server = ServerName::parse(&kept.server)?;
        Some(Token { handle: kept.handle, server, sealed: kept.sealed })
    };
    Ok(vault.of(principal, now)?.into_iter().filter_map(token).collect())
}
