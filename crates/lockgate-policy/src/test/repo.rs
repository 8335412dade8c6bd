use super::host::{Host, checked_list};
use super::{BadTest, Doubt, Truth};
use crate::Pattern;

const NOT_PLAIN: Doubt = Doubt("the text does not name one repository in a plain form");

/// Repositories a text may name: as `owner/name`, or, where a host is given, as `https://host/owner/name`,
/// `ssh://git@host/owner/name` or `git@host:owner/name`, each with or without `.git`. Compared without regard to case, as
/// hosts do. That a host forwards an old name of a repository to its new one is not seen.
#[derive(Clone, Debug)]
pub struct RepoTest {
    allow: Vec<(Pattern, Pattern)>,
    host: Option<String>,
}

impl RepoTest {
    /// Takes 1 to 1,000 patterns `owner/name` with `*` for any run of characters, and the host whose addresses are read.
    pub fn new(allow: &[String], host: Option<&str>) -> Result<Self, BadTest> {
        let read = |entry: &String| {
            let bad = || BadTest::BadRepository(entry.clone());
            let (owner, name) = entry.split_once('/').ok_or_else(bad)?;
            if !owner.bytes().chain(name.bytes()).all(|b| is_plain(b) || b == b'*') {
                return Err(bad());
            }
            let part = |text: &str| Pattern::parse(&text.to_ascii_lowercase()).map_err(|_| bad());
            Ok((part(owner)?, part(name)?))
        };
        let allow = checked_list("repo", allow)?.iter().map(read).collect::<Result<_, _>>()?;
        let host = match host {
            None => None,
            Some(text) => match Host::read(text) {
                Ok(Host::Name(name)) => Some(name),
                Ok(Host::Address(_)) | Err(_) => return Err(BadTest::BadHost(text.to_owned())),
            },
        };
        Ok(Self { allow, host })
    }

    pub(super) fn ask(&self, text: &str) -> Truth {
        let Some((owner, name)) = self.read(text) else { return Truth::Unclear(NOT_PLAIN) };
        let (owner, name) = (owner.to_ascii_lowercase(), name.to_ascii_lowercase());
        self.allow.iter().any(|(owners, names)| owners.matches(&owner) && names.matches(&name)).into()
    }

    fn read<'a>(&self, text: &'a str) -> Option<(&'a str, &'a str)> {
        let path =
            if let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("ssh://git@")) {
                let (host, path) = rest.split_once('/')?;
                self.is_host(host).then_some(path)?
            } else if let Some(rest) = text.strip_prefix("git@") {
                let (host, path) = rest.split_once(':')?;
                self.is_host(host).then_some(path)?
            } else {
                text
            };
        let (owner, name) = path.split_once('/')?;
        let name = name.strip_suffix(".git").unwrap_or(name);
        let part = |text: &str| {
            !matches!(text, "" | "." | "..")
                && !text.starts_with('-')
                && !text.to_ascii_lowercase().ends_with(".git")
                && text.len() <= 128
                && text.bytes().all(is_plain)
        };
        (part(owner) && part(name)).then_some((owner, name))
    }

    fn is_host(&self, host: &str) -> bool {
        self.host.as_ref().is_some_and(|wanted| wanted.eq_ignore_ascii_case(host))
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}
