//! Everything that can be found in one text.

use crate::injection::Injection;
use crate::personal::{Datum, Personal};
use crate::secrets::{Secret, Secrets};
use crate::{Genre, Level, MARK, Mask, Spot};

/// All finders. Made once and used for every text, by any number of threads.
#[derive(Debug)]
pub struct Inspector {
    secrets: Secrets,
    personal: Personal,
    injection: Injection,
}

/// What was found in one text.
#[derive(Clone, Debug, Default)]
pub struct Report<'d> {
    /// How bad it is, all in all. Secrets and personal data do not count: what becomes of them is for others to say.
    pub level: Level,
    /// How likely it gives orders to a model: 0 to 1.
    pub score: f32,
    /// What is hidden, and what gives orders, in order.
    pub findings: Vec<Spot<'d>>,
    /// Credentials, in order and not overlapping.
    pub secrets: Vec<Secret>,
    /// Personal data, in order and not overlapping.
    pub personal: Vec<Datum>,
}

/// How often a text is looked at before all of it is taken out.
const ROUNDS: usize = 8;

impl Default for Inspector {
    fn default() -> Self {
        Self::new()
    }
}

impl Inspector {
    /// All finders with what is built in.
    pub fn new() -> Self {
        Self { secrets: Secrets::new(), personal: Personal::new(), injection: Injection::new() }
    }

    /// Looks at one text, the value of what is called `name`.
    pub fn text(&self, genre: Genre, name: &str, text: &str) -> Report<'_> {
        let judged = self.injection.judge(genre, text);
        let (secrets, personal) = self.data(name, text);
        Report { level: judged.level, score: judged.score, findings: judged.spots, secrets, personal }
    }

    /// The text with every secret and everything personal in it changed, as the value of what is called `name`. To do it again
    /// changes nothing: where two secrets stood glued together, it looks at what is left until nothing is found. What is then
    /// still not done is taken out whole. Linear.
    pub fn masked(&self, mask: Mask, name: &str, text: &str) -> String {
        let mut masked = text.to_owned();
        for _ in 0..ROUNDS {
            let (secrets, personal) = self.data(name, &masked);
            if secrets.is_empty() && personal.is_empty() {
                return masked;
            }
            masked = mask.text(&masked, &secrets, &personal);
        }
        MARK.to_owned()
    }

    /// Secrets, and what is personal outside of them.
    fn data(&self, name: &str, text: &str) -> (Vec<Secret>, Vec<Datum>) {
        let secrets = self.credentials(name, text);
        let taken: Vec<_> = secrets.iter().map(|secret| secret.span.clone()).collect();
        let personal = self.personal.find_beside(name, text, &taken);
        (secrets, personal)
    }

    /// Those of the text, and the text itself where its name says that it is one.
    fn credentials(&self, name: &str, text: &str) -> Vec<Secret> {
        let mut secrets = self.secrets.find(text);
        if let Some(named) = self.secrets.named(name, text) {
            secrets
                .retain(|secret| secret.span.end <= named.span.start || named.span.end <= secret.span.start);
            secrets.push(named);
            secrets.sort_by_key(|secret| secret.span.start);
        }
        secrets
    }
}
