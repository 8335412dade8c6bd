//! What tokens of personal data stand for, kept for later sessions.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use lockgate_core::{Event, Token};
use lockgate_model::ServerName;
use lockgate_store::{Kept, StateError, Vault};

use super::Gateway;
use super::session::{Session, lock, unix_millis};

/// The tokens in the state folder.
pub(super) struct Tokens {
    folder: PathBuf,
    open: Mutex<Option<Arc<Vault>>>,
    /// Was it said that they cannot be used?
    told: Mutex<bool>,
}

impl Tokens {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, open: Mutex::default(), told: Mutex::default() }
    }

    /// The file, made at the first need.
    fn vault(&self) -> Result<Arc<Vault>, StateError> {
        let mut open = lock(&self.open);
        if let Some(vault) = &*open {
            return Ok(Arc::clone(vault));
        }
        let vault = Arc::new(Vault::open(&self.folder)?);
        *open = Some(Arc::clone(&vault));
        Ok(vault)
    }

    /// Those of a principal. Makes nothing where nothing was kept.
    fn of(&self, principal: &str, now: u64) -> Result<Vec<Token>, StateError> {
        if !self.folder.join(Vault::FILE).exists() {
            return Ok(Vec::new());
        }
        let token = |kept: Kept| {
            let server = ServerName::parse(&kept.server)?;
            Some(Token { handle: kept.handle, server, sealed: kept.sealed })
        };
        Ok(self.vault()?.of(principal, now)?.into_iter().filter_map(token).collect())
    }
}

impl Gateway {
    fn cannot_keep_tokens(&self, error: &StateError) {
        if !std::mem::replace(&mut *lock(&self.tokens.told), true) {
            let file = self.tokens.folder.join(Vault::FILE);
            self.say(&format!(
                "what tokens of personal data stand for cannot be kept or used in later sessions: {error} ({})",
                file.display()
            ));
        }
    }
}

impl Session {
    /// The session begins: what tokens stand for that earlier ones of its principal were shown is known.
    pub(super) fn know_tokens(&self) {
        if self.gateway.boundary().personal_kept_for == 0 {
            return;
        }
        match self.gateway.tokens.of(self.principal.as_str(), unix_millis().0) {
            Ok(tokens) => {
                let steps = self.event(Event::Kept { tokens: &tokens });
                debug_assert!(steps.is_empty(), "what is known asks for nothing to be done");
            }
            Err(error) => self.gateway.cannot_keep_tokens(&error),
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
            gateway.tokens.vault()?.keep(&kept)
        });
        if let Ok(Err(error)) = keeping.await {
            self.gateway.cannot_keep_tokens(&error);
        }
    }
}
