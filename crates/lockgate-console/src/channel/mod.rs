//! Where alerts go: a webhook, a chat, a log daemon, a mailbox, a file.
//!
//! What is sent is ours: no text of a server or an agent is in a [`Message`], and what a receiver answers is never shown.

mod lines;
mod mail;
mod smtp;
mod syslog;
mod wire;

#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::path::PathBuf;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::post::Post;
use crate::{BadWebhook, Signer};

pub use mail::{BadMail, Mail};
pub use syslog::{BadSyslog, Syslog};
pub use wire::{BadRoots, Roots};

/// What is told, in the forms that channels need. All of it is ASCII.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The alert's id: what is told twice has the same.
    pub id: String,
    /// What it is: at most 32 of `a-z` and `_`.
    pub name: String,
    /// The severity of RFC 5424: 2 critical, 3 error, 4 warning, 5 notice, 6 informational.
    pub severity: u8,
    /// RFC 3339 in UTC, to the microsecond.
    pub time: String,
    /// One line for people.
    pub subject: String,
    /// Some lines for people.
    pub text: String,
    /// One line of JSON.
    pub json: String,
}

/// Why a message was not taken. Nothing in it is what a receiver said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsent {
    /// There is nobody, or nobody answers in time.
    #[error("nobody answers there")]
    Unreachable,
    /// Its certificate is not in order, or is not for its name.
    #[error("its TLS certificate is not in order")]
    Certificate,
    /// It would have been readable on the way.
    #[error("it offers no encryption")]
    NotEncrypted,
    /// It offers no way to say who sends.
    #[error("it does not offer AUTH PLAIN")]
    NoLogin,
    /// It broke the protocol.
    #[error("what it answers is not SMTP")]
    Garbled,
    /// It says no.
    #[error("it answered {0}")]
    Answered(u16),
    /// A file or socket of this machine does not take it.
    #[error("it cannot be written: {0}")]
    Io(io::ErrorKind),
}

impl Unsent {
    /// Is it about this very message, perhaps, so that another may do better?
    pub(crate) fn may_be_of_the_message(self) -> bool {
        matches!(self, Self::Answered(_))
    }
}

/// A way to tell somebody.
pub struct Channel(Kind);

enum Kind {
    Webhook(Post),
    Chat(Post),
    Syslog(Syslog),
    Mail(Mail),
    Lines(PathBuf),
}

impl Channel {
    /// Each alert is a POST of its JSON, signed as events of the [`Webhook`](crate::Webhook) are.
    pub fn webhook(url: &str, secret: &[u8]) -> Result<Self, BadWebhook> {
        let signer = Signer::new(secret).ok_or(BadWebhook::Secret)?;
        Ok(Self(Kind::Webhook(Post::new(url, Some(signer))?)))
    }

    /// Each alert is a POST of `{"text": …}`, as Slack and those that are compatible take it. The address is the secret.
    pub fn chat(url: &str) -> Result<Self, BadWebhook> {
        Ok(Self(Kind::Chat(Post::new(url, None)?)))
    }

    /// Each alert is a message of RFC 5424.
    pub fn syslog(syslog: Syslog) -> Self {
        Self(Kind::Syslog(syslog))
    }

    /// Each alert is a mail.
    pub fn mail(mail: Mail) -> Self {
        Self(Kind::Mail(mail))
    }

    /// Each alert is a line of JSON at the end of a file, for its owner alone. At 16 MiB it is put aside as `<file>.1`.
    pub fn lines(file: PathBuf) -> Self {
        Self(Kind::Lines(file))
    }

    /// Sends a message once. `seconds` since 1970 are now. Takes at most half a minute.
    pub async fn send(&self, message: &Message, seconds: u64) -> Result<(), Unsent> {
        match &self.0 {
            Kind::Webhook(post) => deliver(post, message.json.clone(), seconds).await,
            Kind::Chat(post) => deliver(post, chat(message), seconds).await,
            Kind::Syslog(syslog) => syslog.send(message).await,
            Kind::Mail(mail) => mail.send(message).await,
            Kind::Lines(file) => {
                let (file, line) = (file.clone(), message.json.clone());
                let writing = tokio::task::spawn_blocking(move || lines::append(&file, &line));
                let written = writing.await.unwrap_or(Err(io::ErrorKind::Other.into()));
                written.map_err(|error| Unsent::Io(error.kind()))
            }
        }
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Addresses may hold secrets.
        f.debug_struct("Channel").finish_non_exhaustive()
    }
}

async fn deliver(post: &Post, body: String, seconds: u64) -> Result<(), Unsent> {
    match post.send(&Bytes::from(body), seconds).await {
        Some(status) if status.is_success() => Ok(()),
        Some(status) => Err(Unsent::Answered(status.as_u16())),
        None => Err(Unsent::Unreachable),
    }
}

fn chat(message: &Message) -> String {
    // In a block of code nothing is a link, a mention or an emoji; nothing may end it.
    let text = message.text.replace("```", "'''");
    json!({ "text": format!("{}\n```\n{text}\n```", message.subject) }).to_string()
}
