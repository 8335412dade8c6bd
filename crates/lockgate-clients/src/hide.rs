//! Words and addresses for people: what may be a secret in them as stars.

use lockgate_detect::redact;
use lockgate_detect::secrets::Secrets;

use crate::{Launch, Secret};

/// What stands in place of a secret.
pub(crate) const STARS: &str = "***";

/// Parts of the names of options whose value is a secret.
const OPTIONS: [&str; 9] =
    ["token", "secret", "passw", "key", "auth", "credential", "cookie", "header", "bearer"];

/// Options whose value is `NAME=value`, a variable of the environment.
const VARIABLES: [&str; 2] = ["-e", "--env"];

/// Finds secrets and hides them. Made once: it takes about a millisecond.
#[derive(Debug, Default)]
pub struct Hider(Secrets);

impl Hider {
    /// Compiles the rules.
    pub fn new() -> Self {
        Self::default()
    }

    /// Each word of a command.
    pub fn words(&self, words: &[Secret]) -> Vec<String> {
        let mut shown = Vec::new();
        let mut before = "";
        for word in words {
            shown.push(self.word(before, word.reveal()));
            before = word.reveal();
        }
        shown
    }

    /// How a server is started or reached, in one line without secrets.
    pub fn launch(&self, launch: &Launch) -> String {
        match launch {
            Launch::Command { words, .. } => self.words(words).join(" "),
            Launch::Remote { url, .. } => self.url(url.reveal()),
            Launch::Builtin => "part of the client".to_owned(),
        }
    }

    /// Does a word of a command hold a secret, as far as can be told? `before` is the word before it.
    pub fn is_secret(&self, before: &str, word: &Secret) -> bool {
        let text = word.reveal();
        if word.refers() {
            return false;
        }
        if text.contains(char::is_whitespace) && !secretive(before) {
            let lasts = std::iter::once("").chain(text.split_whitespace());
            let mut parts = text.split_whitespace().zip(lasts);
            return !self.0.find(text).is_empty()
                || parts.any(|(part, last)| self.is_secret(last, &Secret::new(part)));
        }
        let value = text.split_once('=').map_or(text, |(_, value)| value);
        let behind = secretive(before) && !before.contains('=') && !text.starts_with('-');
        let inside = text.split_once('=').is_some_and(|(name, _)| secretive(name));
        let named = text.split_once('=').and_then(|(name, value)| self.0.named(name, value)).is_some();
        !value.is_empty()
            && (behind || inside || named || !self.0.find(text).is_empty() || has_password(text))
    }

    /// Does the value of a variable or header of that name look like a secret?
    pub fn is_secret_value(&self, name: &str, value: &Secret) -> bool {
        let text = value.reveal();
        !value.refers() && (self.0.named(name, text).is_some() || !self.0.find(text).is_empty())
    }

    /// A text with what is found in it hidden.
    pub fn text(&self, text: &str) -> String {
        let spans = self.0.find(text).into_iter().map(|secret| secret.span);
        redact(text, spans, STARS)
    }

    /// An address: no user, no query, no part that looks like a key.
    pub fn url(&self, url: &str) -> String {
        let (before, query) = match url.find(['?', '#']) {
            Some(at) => (url.get(..at).unwrap_or_default(), "?***"),
            None => (url, ""),
        };
        let (scheme, rest) = before.split_once("://").map_or(("", before), |(scheme, rest)| (scheme, rest));
        let scheme = if scheme.is_empty() { String::new() } else { format!("{scheme}://") };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = authority.rsplit_once('@').map_or(authority.to_owned(), |(_, host)| format!("***@{host}"));
        let steps = path.split('/').map(|step| if opaque(step) { STARS } else { step });
        self.text(&format!("{scheme}{host}{}{query}", steps.collect::<Vec<_>>().join("/")))
    }

    fn word(&self, before: &str, word: &str) -> String {
        // A line for a shell is many words.
        if word.contains(char::is_whitespace) && !secretive(before) {
            let mut shown = Vec::new();
            let mut last = "";
            for part in word.split(' ') {
                shown.push(self.word(last, part));
                last = part.trim_matches(['"', '\'']);
            }
            return self.text(&shown.join(" "));
        }
        let stars = |value: &str| {
            if value.starts_with("${") && value.ends_with('}') { value.to_owned() } else { STARS.to_owned() }
        };
        match word.split_once('=') {
            Some((name, value)) if secretive(name) || VARIABLES.contains(&before) => {
                return format!("{name}={}", stars(value));
            }
            None if secretive(before) && !before.contains('=') && !word.starts_with('-') => {
                return stars(word);
            }
            _ => {}
        }
        if let Some((name, value)) = word.split_once('=')
            && self.0.named(name, value).is_some()
        {
            return format!("{name}={STARS}");
        }
        if word.contains("://") {
            return self.url(word);
        }
        self.text(word)
    }
}

/// Is this an option, or a name, of which the value is a secret?
fn secretive(option: &str) -> bool {
    let lower = option.to_ascii_lowercase();
    let name = lower.trim_start_matches('-');
    (lower.starts_with('-')
        || option.bytes().all(|b| b.is_ascii_uppercase() || b == b'_' || b.is_ascii_digit()))
        && !option.is_empty()
        && OPTIONS.iter().any(|word| name.contains(word))
}

/// Is there a password in an address?
fn has_password(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority
        .rsplit_once('@')
        .is_some_and(|(user, _)| user.split_once(':').is_some_and(|(_, word)| !word.is_empty()))
}

/// A step of a path that may be a key: long, with digits and letters of both sorts.
fn opaque(step: &str) -> bool {
    step.len() >= 20
        && step.bytes().any(|b| b.is_ascii_digit())
        && step.bytes().any(|b| b.is_ascii_alphabetic())
        && step.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_and_the_rest_is_shown() {
        let hider = Hider::new();
        for (command, expected) in [
            ("npx -y server /data", "npx -y server /data"),
            ("server --api-key abc123 --port 80", "server --api-key *** --port 80"),
            ("server --token=abc x", "server --token=*** x"),
            ("docker run -e MODE=hush x", "docker run -e MODE=*** x"),
            ("env API_TOKEN=abc server", "env API_TOKEN=*** server"),
            ("server --token ${T}", "server --token ${T}"),
            (
                "bash -c export+API_KEY=abc+&&+x+--token+abc+-v",
                "bash -c export API_KEY=*** && x --token *** -v",
            ),
            ("server postgres://joe:hunter2@db/x", "server postgres://***@db/x"),
            ("server https://x.example/a?key=1", "server https://x.example/a?***"),
            ("server https://x.example/s/3f9a8c7b6d5e4f3a2b1c0d/mcp", "server https://x.example/s/***/mcp"),
        ] {
            let words: Vec<Secret> =
                command.split(' ').map(|word| Secret::new(word.replace('+', " "))).collect();
            assert_eq!(hider.words(&words).join(" "), expected);
        }
    }
}
