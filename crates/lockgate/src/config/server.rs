//! One server: how it is started or reached, and what it may do.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lockgate_core::{MayAsk, Server, Speaks, Wire};
use lockgate_model::{ServerName, Tier};
use lockgate_policy::{Action, Fallback, Rules, Undeclared};

use super::address::Target;
use super::error::{At, Place, Report, quoted};
use super::pins::RawPins;
use super::raw::{RawSecret, RawServer};
use super::secret::{Resolver, Secret};
use super::words::Ask;
use super::{Expected, Launch, Transport, expected, intercept, meaning, pins, rules, signature, trust};

/// Headers that Lockgate sets itself, or that belong to one connection.
const OWN_HEADERS: [&str; 13] = [
    "accept",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "last-event-id",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A server, how to get to it, and how that reads without secrets.
pub(super) struct Checked {
    pub(super) name: ServerName,
    pub(super) server: Server,
    pub(super) launch: Launch,
    pub(super) shown: String,
    pub(super) expected: Option<Expected>,
    pub(super) notes: Vec<String>,
}

/// Checks one server. `default` is what holds where no rule matches; `None` where it could not be read.
pub(super) fn check(
    raw: &RawServer,
    default: Option<Fallback>,
    pinned: &RawPins,
    resolver: &Resolver<'_>,
) -> Option<Checked> {
    let report = resolver.report;
    let name = name(&raw.name, report);
    let launch = launch(raw, resolver);
    let path = |section: &str| format!("servers.{}.{section}", raw.name.value);
    let rules = Rules {
        default: default.unwrap_or(Fallback::Action(Action::Deny)),
        tools: rules::rule_set(&path("tools"), &raw.tools, rules::Rest::of_tools(default), report),
        resources: rules::rule_set(
            &path("resources"),
            &raw.resources,
            rules::Rest::of_others(default),
            report,
        ),
        prompts: rules::rule_set(&path("prompts"), &raw.prompts, rules::Rest::of_others(default), report),
    };
    let effects = rules::said(&path("effects"), &raw.effects, report);
    let classes = rules::said(&path("classes"), &raw.classes, report);
    let meanings = meaning::check(&path("arguments"), &raw.arguments, report);
    let may_ask = may_ask(raw, report);
    let mut notes = Vec::new();
    let intercept = raw.intercept.as_ref().and_then(|file| intercept::named(file, resolver, &mut notes));
    let signed = raw.signature.as_ref().and_then(|raw| signature::check(raw, resolver));
    if raw.timeout.is_written() && raw.timeout.value > raw.deadline.value {
        let hint = "`deadline` ends the wait first; raise it, or lower `timeout`";
        report.error(raw.timeout.place, "`timeout` is longer than `deadline`", hint);
    }
    let (launch, shown) = launch?;
    let expected = expected::check(raw, &launch, report);
    // The old transport is of the handshake era alone.
    let old = matches!(launch, Launch::Http { transport: Transport::Sse, .. });
    let wire = match launch {
        Launch::Command { .. } | Launch::Http { transport: Transport::Sse, .. } => Wire::Lines,
        Launch::Http { transport: Transport::Http, .. } => Wire::Http,
    };
    let server = Server {
        trust: trust::check(raw, report),
        pinning: pins::check(tier(raw), pinned, &raw.pins),
        // A certificate proves the name of the host; nothing proves a program or a plain address.
        origin_verified: reaches(&launch).is_some_and(|target| target.encrypted),
        detect: Arc::default(),
        labels_heard: raw.accept_meta_ifc.as_ref().is_none_or(|heard| heard.value),
        wire,
        speaks: raw.speaks.as_ref().map(|speaks| speaks.value).or(old.then_some(Speaks::Legacy)),
        rules,
        intercept,
        signed,
        maker: maker(&launch),
        undeclared: raw
            .undeclared_arguments
            .as_ref()
            .map_or(Undeclared::Refuse, |undeclared| undeclared.value),
        effects,
        roles: meanings,
        classes,
        may_ask,
        timeout: raw.timeout.value.min(raw.deadline.value),
        deadline: raw.deadline.value,
    };
    Some(Checked { name: name?, server, launch, shown, expected, notes })
}

/// Where a server comes from, as far as its command or address says so: what runs it and the first thing that is no option, or
/// the host. Two servers with the same are one maker's. A digest: arguments and addresses may hold secrets.
pub(super) fn maker(launch: &Launch) -> Option<String> {
    let from = match launch {
        Launch::Http { .. } => reaches(launch)?.host.to_owned(),
        Launch::Command { command, .. } => {
            let (program, arguments) = command.split_first()?;
            let first = arguments.iter().find(|argument| !argument.starts_with('-'));
            first.map_or_else(|| program.clone(), |first| format!("{program} {first}"))
        }
    };
    Some(super::short_digest(from.as_bytes()))
}

/// Where a server stands that is not a program.
pub(super) fn reaches(launch: &Launch) -> Option<Target<'_>> {
    match launch {
        Launch::Http { url, .. } => Target::parse(url).ok(),
        Launch::Command { .. } => None,
    }
}

/// How far it is trusted.
pub(super) fn tier(raw: &RawServer) -> Tier {
    raw.tier.as_ref().map_or(Tier::Mixed, |tier| tier.value)
}

fn name(raw: &At<String>, report: &Report) -> Option<ServerName> {
    let name = ServerName::parse(&raw.value);
    if name.is_none() {
        let better =
            made_name(&raw.value).map_or_else(String::new, |name| format!("did you mean `{name}`? "));
        let hint = format!("{better}write 1 to 32 of `a-z`, `0-9` and `-`, a letter first");
        report.error(raw.place, format!("bad server name {}", quoted(&raw.value)), hint);
    }
    name
}

/// A server name as near to a text as one can be. `None` where the text has no letter.
pub(crate) fn made_name(text: &str) -> Option<ServerName> {
    let mut made = String::new();
    for c in text.chars().map(|c| c.to_ascii_lowercase()) {
        match c {
            'a'..='z' => made.push(c),
            '0'..='9' if !made.is_empty() => made.push(c),
            _ if made.is_empty() || made.ends_with('-') => {}
            _ => made.push('-'),
        }
        if made.len() == ServerName::MAX {
            break;
        }
    }
    ServerName::parse(made.trim_end_matches('-'))
}

fn may_ask(raw: &RawServer, report: &Report) -> MayAsk {
    let Some(asks) = &raw.may_ask else { return MayAsk { sampling: true, elicitation: true, roots: true } };
    for (count, ask) in asks.iter().enumerate() {
        if asks.iter().take(count).any(|earlier| earlier.value == ask.value) {
            report.error(ask.place, "`may_ask` holds the same word twice", "remove one of them");
        }
    }
    let has = |wanted: Ask| asks.iter().any(|ask| ask.value == wanted);
    MayAsk { sampling: has(Ask::Sampling), elicitation: has(Ask::Elicitation), roots: has(Ask::Roots) }
}

fn launch(raw: &RawServer, resolver: &Resolver<'_>) -> Option<(Launch, String)> {
    let idle = |key: &str, place: Option<Place>, only: &str| {
        if let Some(place) = place {
            let message = format!("`{key}` has no effect on a server without `{only}`");
            resolver.report.error(place, message, "remove it");
        }
    };
    if let Some(command) = &raw.command {
        idle("transport", raw.transport.as_ref().map(|at| at.place), "url");
        idle("headers", raw.headers.as_ref().map(|at| at.place), "url");
        idle("allow_insecure_http", raw.allow_insecure_http.as_ref().map(|at| at.place), "url");
        return start(raw, command, resolver);
    }
    let url = raw.url.as_ref()?;
    idle("env", raw.env.as_ref().map(|at| at.place), "command");
    idle("cwd", raw.cwd.as_ref().map(|at| at.place), "command");
    reach(raw, url, resolver)
}

fn start(
    raw: &RawServer,
    command: &At<Vec<At<String>>>,
    resolver: &Resolver<'_>,
) -> Option<(Launch, String)> {
    let report = resolver.report;
    let words: Vec<Option<String>> = command.value.iter().map(|word| resolver.expand(word)).collect();
    let env = raw.env.as_ref().map_or_else(|| Some(Vec::new()), |env| environment(&env.value, resolver));
    let cwd = match &raw.cwd {
        Some(folder) if folder.value.is_empty() => {
            report.error(
                folder.place,
                "`cwd` is empty",
                "remove it, or write `.` for the folder of the configuration",
            );
            return None;
        }
        // Through its components, which leaves a `.` out.
        Some(folder) => Some(resolver.base.join(resolver.expand(folder)?).components().collect()),
        None => None,
    };
    let mut words: Vec<String> = words.into_iter().collect::<Option<_>>()?;
    let Some(program) = words.first_mut().filter(|program| !program.trim().is_empty()) else {
        report.error(command.place, "`command` names no program", "write `command: [program, argument]`");
        return None;
    };
    if program.contains('/') && Path::new(program.as_str()).is_relative() {
        let path: PathBuf = resolver.base.join(program.as_str()).components().collect();
        *program = path.to_string_lossy().into_owned();
    }
    Some((
        Launch::Command { command: words, env: env?, cwd },
        shown_command(command.value.iter().map(|word| word.value.as_str())),
    ))
}

/// A command for people: variables by name, and what stands behind an option named like a secret as stars.
pub(super) fn shown_command<'w>(words: impl Iterator<Item = &'w str>) -> String {
    shown_words(words).join(" ")
}

/// Each word as [`shown_command`] shows it.
pub(super) fn shown_words<'w>(words: impl Iterator<Item = &'w str>) -> Vec<String> {
    let secretive = |option: &str| {
        let option = option.to_ascii_lowercase();
        option.starts_with('-')
            && ["token", "secret", "passw", "key"].iter().any(|word| option.contains(word))
    };
    let mut shown: Vec<String> = Vec::new();
    let mut hide = false;
    for word in words {
        let stars = |value: &str| {
            if value.starts_with("${") && value.ends_with('}') { value.to_owned() } else { "***".to_owned() }
        };
        shown.push(match word.split_once('=') {
            Some((option, value)) if secretive(option) => format!("{option}={}", stars(value)),
            _ if hide && !word.starts_with('-') => stars(word),
            _ => word.to_owned(),
        });
        hide = secretive(word) && !word.contains('=');
    }
    shown
}

fn environment(raw: &[(At<String>, RawSecret)], resolver: &Resolver<'_>) -> Option<Vec<(String, Secret)>> {
    let one = |(name, value): &(At<String>, RawSecret)| {
        let value = secret(value, resolver);
        if name.value.is_empty() || name.value.contains(['=', '\0']) {
            let message = format!("{} is not the name of an environment variable", quoted(&name.value));
            resolver.report.error(name.place, message, "write a name without `=`");
            return None;
        }
        Some((name.value.clone(), value?))
    };
    raw.iter().map(one).collect::<Vec<_>>().into_iter().collect()
}

fn reach(raw: &RawServer, url: &At<String>, resolver: &Resolver<'_>) -> Option<(Launch, String)> {
    let report = resolver.report;
    let headers = raw.headers.as_ref().map_or_else(|| Some(Vec::new()), |all| headers(&all.value, resolver));
    let expanded = resolver.expand(url)?;
    let target = match Target::parse(&expanded) {
        Ok(target) => target,
        Err((what, hint)) => {
            // The text as written: what a variable holds may be a secret.
            report.error(url.place, format!("the url {} {what}", quoted(&without_secrets(&url.value))), hint);
            return None;
        }
    };
    let plain = !target.encrypted && !target.is_this_machine();
    match &raw.allow_insecure_http {
        Some(allow) if allow.value && !plain => {
            report.error(allow.place, "`allow_insecure_http` has no effect on this address", "remove it");
        }
        Some(allow) if allow.value => {}
        _ if plain => {
            let message = format!("the url {} is not encrypted", quoted(&without_secrets(&url.value)));
            report.error(
                url.place,
                message,
                "write `https`; only servers on this machine may be reached by `http`",
            );
        }
        _ => {}
    }
    let transport = raw.transport.as_ref().map_or(Transport::Http, |transport| transport.value);
    Some((Launch::Http { url: expanded, headers: headers?, transport }, without_secrets(&url.value)))
}

/// A URL for people: what could be a password or a key in it as stars.
pub(super) fn without_secrets(url: &str) -> String {
    let (before, query) = url.split_once('?').map_or((url, ""), |(before, _)| (before, "?***"));
    let (scheme, rest) = before.split_once("://").unwrap_or(("", before));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority.to_owned(), |(_, host)| format!("***@{host}"));
    let scheme = if scheme.is_empty() { String::new() } else { format!("{scheme}://") };
    format!("{scheme}{host}{path}{query}")
}

/// Headers that a server or a collector is sent.
pub(super) fn headers(
    raw: &[(At<String>, RawSecret)],
    resolver: &Resolver<'_>,
) -> Option<Vec<(String, Secret)>> {
    let report = resolver.report;
    let one = |(count, (name, value)): (usize, &(At<String>, RawSecret))| {
        let place = name.place;
        let value = secret(value, resolver);
        let lower = name.value.to_ascii_lowercase();
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        let twice = raw.iter().take(count).any(|(earlier, _)| earlier.value.eq_ignore_ascii_case(&lower));
        let (what, hint) = if lower.is_empty() || !lower.bytes().all(token) {
            ("is not the name of a header", "write a name such as `Authorization`")
        } else if OWN_HEADERS.contains(&lower.as_str())
            || lower.starts_with("mcp-")
            || lower.starts_with("proxy-")
        {
            ("is set by lockgate itself", "remove it")
        } else if twice {
            ("stands twice in `headers`", "keep one of them; case makes no difference")
        } else {
            let value = value?;
            if value.reveal().bytes().all(|b| (b' '..=b'~').contains(&b)) {
                return Some((name.value.clone(), value));
            }
            ("has a value that no header can have", "use visible ASCII characters and spaces, on one line")
        };
        report.error(place, format!("the header {} {what}", quoted(&name.value)), hint);
        None
    };
    raw.iter().enumerate().map(one).collect::<Vec<_>>().into_iter().collect()
}

/// Resolves a secret wherever it comes from.
pub(super) fn secret(raw: &RawSecret, resolver: &Resolver<'_>) -> Option<Secret> {
    let text = match raw {
        RawSecret::Text(text) => resolver.expand(text),
        RawSecret::File(path) => resolver.secret_file(path),
    };
    text.map(Secret::new)
}
