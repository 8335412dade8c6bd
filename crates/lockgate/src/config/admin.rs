//! People beside the agents: who may rule the running gateway, where, and who is told that people are needed. And
//! bearer tokens, which both have.

use std::net::SocketAddr;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::address;
use super::error::{At, quoted};
use super::raw::{RawAdmin, RawSecret, RawWebhook};
use super::secret::{Resolver, Secret};
use super::server::secret;

/// Shortest and longest bearer token, and secret of a webhook. Characters.
const TOKEN: std::ops::RangeInclusive<usize> = 16..=1024;

/// Where people rule the running gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// Where it listens.
    pub door: Door,
    /// Names, each with a bearer token. Never empty for [`Door::Loopback`]; none of them is an agent's.
    pub tokens: Vec<(String, Secret)>,
}

impl Admin {
    /// Names, each with the SHA-256 of the token.
    pub fn hashes(&self) -> Vec<(String, [u8; 32])> {
        let hash = |token: &Secret| Sha256::digest(token.reveal().as_bytes()).into();
        self.tokens.iter().map(|(name, token)| (name.clone(), hash(token))).collect()
    }
}

/// Where the admin API listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Door {
    /// A Unix socket; `None` for the one in the state folder.
    Socket(Option<PathBuf>),
    /// An address of this machine.
    Loopback(SocketAddr),
}

/// Whom to tell that people are needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// The address: `https`, or `http` to this machine. May hold a secret.
    pub url: Secret,
    /// What events are signed with: 16 to 1024 characters.
    pub secret: Secret,
}

/// Checks `admin`. `agents` is where agents connect, and `principals` who they act for.
pub(super) fn admin(
    raw: &RawAdmin,
    agents: Option<SocketAddr>,
    principals: &[(String, Secret)],
    resolver: &Resolver<'_>,
) -> Option<Admin> {
    let named = raw.tokens.iter().flat_map(|tokens| &tokens.value);
    let named = named.map(|(name, secret)| (name, Some(secret)));
    let tokens = tokens("a person", named, principals, resolver);
    let door = match (&raw.socket, &raw.listen) {
        (Some(_), Some(listen)) => {
            let hint = "keep one: `socket` for users of this machine, `listen` for whoever has a token";
            resolver.report.error(listen.place, "`admin` has both `socket` and `listen`", hint);
            None
        }
        (None, None) => Some(Door::Socket(None)),
        (Some(socket), None) => path(socket, resolver).map(|path| Door::Socket(Some(path))),
        (None, Some(listen)) => loopback(listen, raw, agents, resolver).map(Door::Loopback),
    };
    Some(Admin { door: door?, tokens })
}

fn path(socket: &At<String>, resolver: &Resolver<'_>) -> Option<PathBuf> {
    let path = resolver.expand(socket)?;
    if path.is_empty() || path.ends_with(['/', '.']) {
        let message = format!("{} is not the name of a socket", quoted(&socket.value));
        resolver.report.error(
            socket.place,
            message,
            "write a path in a folder of your own: `run/admin.sock`",
        );
        return None;
    }
    Some(resolver.base.join(path))
}

fn loopback(
    listen: &At<String>,
    raw: &RawAdmin,
    agents: Option<SocketAddr>,
    resolver: &Resolver<'_>,
) -> Option<SocketAddr> {
    let report = resolver.report;
    let address = match address::listen(&listen.value, "9090") {
        Ok(address) => address,
        Err(hint) => {
            let message = format!("{} is not an address to listen on", quoted(&listen.value));
            report.error(listen.place, message, hint);
            return None;
        }
    };
    if !address.ip().is_loopback() {
        let message = format!("refuses to open the admin API on the public address `{address}`");
        let hint = "write an address of this machine such as `127.0.0.1:9090`";
        report.error(listen.place, message, hint);
    } else if agents == Some(address) && address.port() != 0 {
        let message = format!("agents connect at `{address}` already");
        report.error(listen.place, message, "write another port: no agent may reach the admin API");
    }
    if raw.tokens.as_ref().is_none_or(|tokens| tokens.value.is_empty()) {
        let hint = "write `tokens: { alice: \"${NAME}\" }`, with the token in that environment variable";
        report.error(listen.place, "`admin.listen` needs `tokens`: every program can reach it", hint);
    }
    Some(address)
}

/// Checks `approvals.webhook`.
pub(super) fn webhook(raw: &RawWebhook, resolver: &Resolver<'_>) -> Option<Webhook> {
    let report = resolver.report;
    let url = raw.url.as_ref().and_then(|url| {
        // It may hold a secret, so that no message shows it.
        let wrong = |what: &str, hint: &str| {
            report.error(url.place, format!("the address of the webhook {what}"), hint);
        };
        let text = resolver.expand(url)?;
        match address::Target::parse(&text) {
            Err((what, hint)) => wrong(what, hint),
            Ok(target) if !target.encrypted && !target.is_this_machine() => {
                wrong("is not encrypted", "write `https://…`; `http` is for this machine alone");
            }
            Ok(_) => {}
        }
        Some(Secret::new(text))
    });
    let signs = raw.secret.as_ref().and_then(|raw| signing("the secret of the webhook", raw, resolver));
    Some(Webhook { url: url?, secret: signs? })
}

/// Something to sign with.
pub(super) fn signing(what: &str, raw: &RawSecret, resolver: &Resolver<'_>) -> Option<Secret> {
    let signs = secret(raw, resolver)?;
    if !TOKEN.contains(&signs.reveal().len()) {
        let message = format!("{what} has {} characters", signs.reveal().len());
        let hint = "use 16 to 1024 random ones: `openssl rand -hex 32` makes a good secret";
        resolver.report.error(raw.place(), message, hint);
    }
    Some(signs)
}

/// Names, each with a bearer token that is nobody else's, also none of `others`, who are agents. `whose` is for
/// messages.
pub(super) fn tokens<'r>(
    whose: &str,
    named: impl Iterator<Item = (&'r At<String>, Option<&'r RawSecret>)>,
    others: &[(String, Secret)],
    resolver: &Resolver<'_>,
) -> Vec<(String, Secret)> {
    let report = resolver.report;
    let mut tokens: Vec<(String, Secret)> = Vec::new();
    for (name, raw) in named {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._@-".contains(&b);
        if !(1..=64).contains(&name.value.len()) || !name.value.bytes().all(plain) {
            let hint = "write 1 to 64 of `A-Z`, `a-z`, `0-9`, `.`, `_`, `@` and `-`";
            report.error(name.place, format!("bad name of {whose} {}", quoted(&name.value)), hint);
        }
        let Some(raw) = raw else { continue };
        let Some(token) = secret(raw, resolver) else { continue };
        let place = raw.place();
        let text = token.reveal();
        let owner = quoted(&name.value);
        let same = |tokens: &[(String, Secret)]| {
            let same = tokens.iter().find(|(_, other)| other.matches(text.as_bytes()));
            same.map(|(name, _)| quoted(name))
        };
        if !TOKEN.contains(&text.len()) {
            let message = format!("the token of {owner} has {} characters", text.len());
            let hint = "use 16 to 1024 random ones: `openssl rand -hex 32` makes a good token";
            report.error(place, message, hint);
        } else if !text.bytes().all(|b| b.is_ascii_graphic()) {
            let message = format!("the token of {owner} holds a character that no bearer token can hold");
            report.error(place, message, "use letters, digits and `-._~+/=`");
        } else if let Some(other) = same(&tokens) {
            let message = format!("{owner} has the same token as {other}");
            report.error(
                place,
                message,
                "give everyone a token of their own, else nobody can tell them apart",
            );
        } else if let Some(other) = same(others) {
            let message = format!("{owner} has the same token as the principal {other}");
            report.error(place, message, "use another: an agent that has it could approve its own calls");
        }
        tokens.push((name.value.clone(), token));
    }
    tokens
}
