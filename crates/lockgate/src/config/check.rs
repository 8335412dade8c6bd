//! From what is written to what is meant: the file as a whole.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use lockgate_core::{Boundary, Desk, Flow, Server, Wire};
use lockgate_flow::rule::Rule;
use lockgate_model::{Limits, Principal, ServerName, Untrusted};
use lockgate_policy::budget::LoopRules;
use lockgate_policy::{Action, Fallback};
use lockgate_provenance::shadow::{Resemblance, resembles};
use lockgate_watch::behaviour::{Bound, Settings};

use super::admin::{self, tokens};
use super::bounds;
use super::error::{At, Report, quoted};
use super::flow_rules::Keeps;
use super::raw::{RawBehaviour, RawConfig, RawHttp, RawLimits, RawLoops, RawPrincipal, RawServer};
use super::records::RawRecords;
use super::secret::Resolver;
use super::server;
use super::trust;
use super::words::Default;
use super::{
    Config, HttpSettings, LISTEN, Launch, address, alerts, classes, cross_server, detect, flow_rules, pins,
};

/// Checks everything. `None`, or a report that is not clean, where something is wrong.
pub(super) fn check(raw: &RawConfig, resolver: &Resolver<'_>) -> Option<Config> {
    let report = resolver.report;
    let listen = listen(raw, report);
    let written = raw.default.as_ref().map_or(Default::Action(Action::Allow), |default| default.value);
    let default = (!raw.default_unclear).then_some(written);
    let defaults: Vec<Option<Fallback>> =
        raw.servers.iter().map(|server| classes::fallback(server, default, &raw.classes)).collect();
    classes::idle(raw, &defaults, report);
    let (mut by_server, mut notes) = (BTreeMap::new(), Vec::new());
    let (mut servers, mut launches, mut shown) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let servers_read = raw.servers.iter().zip(defaults);
    for checked in
        servers_read.filter_map(|(server, default)| server::check(server, default, &raw.pins, resolver))
    {
        servers.insert(checked.name.clone(), checked.server);
        launches.insert(checked.name.clone(), checked.launch);
        by_server.insert(checked.name.to_string(), checked.expected);
        notes.extend(checked.notes);
        shown.insert(checked.name, checked.shown);
    }
    idle(raw, &servers, report);
    let expand_personal_for = detect::apply(raw, &mut servers, &mut notes, resolver);
    let personal_kept_for = detect::kept_for(raw, &servers);
    notes.extend(resembling(&launches));
    let lock = pins::lock(raw.pins.lock.as_ref(), &servers, &mut notes, resolver);
    let flow = raw.flow.check(&servers, report);
    let flow = Flow { rules: rules(raw, &flow, &mut servers, &launches, &mut notes, resolver), ..flow };
    let flow = super::flow::results(flow, &raw.rules, report);
    let desk = desk(raw, &flow, &servers);
    let flow_hears = flow.hook;
    let behaviour = raw.behaviour.as_ref().and_then(behaviour);
    let boundary = Boundary {
        servers,
        flow,
        expand_personal_for,
        personal_kept_for,
        limits: limits(&raw.limits, report),
        open_requests: usize_of(&raw.limits.open_requests),
        list_entries: usize_of(&raw.limits.list_entries),
        hold_timeout: raw.hold_timeout.value,
        desk,
        // Each gateway has its own, or that of its state folder.
        seal: [0; 32],
        pins: true,
        observes: raw.mode.as_ref().is_some_and(|mode| mode.value),
        loops: raw.loops.as_ref().map(circles),
        records: raw.records.is_some() || behaviour.is_some() || raw.alerts.is_some(),
        counted: raw.telemetry.is_some(),
        record_arguments: raw.records.as_ref().is_some_and(RawRecords::keeps_arguments),
        receipts: raw.records.as_ref().is_some_and(RawRecords::gives_receipts),
    };
    let named = raw.principals.iter().map(|raw| (&raw.name, raw.token.as_ref()));
    let principals = tokens("a principal", named, &[], resolver);
    let tenant = |raw: &RawPrincipal| {
        raw.tenant.as_ref().map(|at| (Principal::new(&raw.name.value), pins::tenant(at, report)))
    };
    let tenants = raw.principals.iter().filter_map(tenant).collect();
    let (lock_file, lock) = lock?;
    let expect = |server: &RawServer| {
        let own = by_server.remove(&server.name.value).flatten();
        let expected = pins::expect(server, &raw.pins, &lock, own, report)?;
        Some((ServerName::parse(&server.name.value)?, expected))
    };
    let expected = raw.servers.iter().filter_map(expect).collect();
    let admin = raw.admin.as_ref().and_then(|raw| admin::admin(raw, listen, &principals, resolver));
    let hook = raw.flow.hook.as_ref().filter(|_| flow_hears).and_then(|raw| raw.key.as_ref());
    let hook = hook.and_then(|raw| admin::signing("the key of the hook", raw, resolver));
    let records = match &raw.records {
        Some(raw) => Some(raw.check(resolver)?),
        None => None,
    };
    let telemetry = raw.telemetry.as_ref().map(|raw| raw.check(listen, admin.as_ref(), &mut notes, resolver));
    let state = raw.state.as_ref().and_then(|folder| Some(resolver.base.join(resolver.expand(folder)?)));
    Some(Config {
        listen: listen?,
        boundary: Arc::new(boundary),
        launches,
        tenants,
        principals: principals.into_iter().map(|(name, token)| (Principal::new(&name), token)).collect(),
        http: http(&raw.http, report),
        sessions: usize_of(&raw.limits.sessions),
        session_idle: Duration::from_millis(raw.limits.session_idle.value),
        children: usize_of(&raw.limits.children),
        admin,
        webhook: raw.approvals.as_ref().and_then(|raw| admin::webhook(raw.webhook.as_ref()?, resolver)),
        alerts: alerts::check(raw, resolver),
        label_ttl: Duration::from_millis(raw.flow.session.ttl.value),
        hook,
        state,
        expected,
        notes,
        quiet: false,
        files: Arc::default(),
        records,
        behaviour,
        telemetry,
        lock: Arc::new(lock),
        lock_file,
        scope: String::new(),
        shown,
    })
}

fn circles(raw: &RawLoops) -> LoopRules {
    LoopRules {
        at_most: u32::try_from(raw.at_most.value).unwrap_or(u32::MAX),
        longest: u8::try_from(raw.longest.value).unwrap_or(u8::MAX),
        pause_millis: raw.pause.value,
    }
}

/// Says what of the file as a whole changes nothing, or cannot hold.
fn idle(raw: &RawConfig, servers: &BTreeMap<ServerName, Server>, report: &Report) {
    if let Some(default) =
        raw.default.as_ref().filter(|_| raw.servers.iter().all(|raw| raw.default.is_some()))
        && !raw.servers.is_empty()
    {
        report.error(default.place, "`default` has no effect: every server has its own", "remove it");
    }
    trust::idle(raw, report);
    let held = servers.values().filter(|server| server.wire == Wire::Lines).count();
    let children = &raw.limits.children;
    if usize_of(children) < held {
        let message = format!("`children` is {}, but {held} servers count towards it", children.value);
        report.error(
            children.place,
            message,
            format!("a session has its own of each program and each `sse` server; write at least {held}"),
        );
    }
}

/// Hosts of servers that pass for those of others, or for well-known ones (SAFE-T1004).
fn resembling(launches: &BTreeMap<ServerName, Launch>) -> Vec<String> {
    let hosts: Vec<(&ServerName, &str)> =
        launches.iter().filter_map(|(name, launch)| Some((name, server::reaches(launch)?.host))).collect();
    let one = |(name, host): &(&ServerName, &str)| {
        let others = hosts.iter().filter(|(other, _)| other != name).map(|(_, host)| *host);
        let (other, how) = resembles(host, others)?;
        let how = match how {
            Resemblance::Look => "looks the same as",
            Resemblance::Slip => "is one letter from",
            Resemblance::Part => "has another owner than",
            Resemblance::Company => "bears the name of",
        };
        let shown = Untrusted::new(*host).escaped(100);
        Some(format!(
            "the host of `{name}`, {shown}, {how} {}: is it the right one?",
            Untrusted::new(other).escaped(100)
        ))
    };
    hosts.iter().filter_map(one).collect()
}

/// Who is asked outside the client, and how.
fn desk(raw: &RawConfig, flow: &Flow, servers: &BTreeMap<ServerName, Server>) -> Option<Desk> {
    // More than one person can only be asked outside the client.
    let several = flow.rules.iter().any(|rule| rule.approvers > 1);
    let several = several || servers.values().any(|server| server.rules.most_approvers() > 1);
    let desk = raw
        .approvals
        .as_ref()
        .map(|raw| Desk { waits: raw.wait.as_ref().is_none_or(|wait| wait.value), valid: raw.valid.value });
    let desk = desk.or(several.then_some(Desk { waits: true, valid: bounds::VALID.default }));
    // Agents of Intercept know approvals as something to come back for.
    let intercepts = servers.values().any(|server| server.intercept.is_some());
    desk.or(intercepts.then_some(Desk { waits: false, valid: bounds::VALID.default }))
}

fn listen(raw: &RawConfig, report: &Report) -> Option<SocketAddr> {
    let Some(listen) = &raw.listen else { return address::listen(LISTEN, "8080").ok() };
    match address::listen(&listen.value, "8080") {
        Ok(address) => {
            if !address.ip().is_loopback() && raw.principals.is_empty() {
                let message =
                    format!("refuses to listen on the public address `{address}` without authentication");
                let hint =
                    "write `principals` with a token for everyone who may connect, or listen on `127.0.0.1`";
                report.error(listen.place, message, hint);
            }
            Some(address)
        }
        Err(hint) => {
            report.error(
                listen.place,
                format!("{} is not an address to listen on", quoted(&listen.value)),
                hint,
            );
            None
        }
    }
}

fn limits(raw: &RawLimits, report: &Report) -> Limits {
    // The arguments are the third level of a call: message, `params`, `arguments`.
    if raw.argument_depth.is_written() && raw.argument_depth.value + 2 > raw.message_depth.value {
        let hint = "the arguments of a call stand two levels deep in it; raise `message_depth`";
        report.error(
            raw.argument_depth.place,
            "`argument_depth` has no effect: `message_depth` is reached first",
            hint,
        );
    }
    Limits {
        request_bytes: usize_of(&raw.request_bytes),
        result_bytes: usize_of(&raw.result_bytes),
        argument_depth: usize_of(&raw.argument_depth),
        message_depth: usize_of(&raw.message_depth),
        parameters: usize_of(&raw.parameters),
    }
}

fn http(raw: &RawHttp, report: &Report) -> HttpSettings {
    let origin = |text: &str| address::is_origin(text).then(|| text.to_owned());
    let host = |text: &str| address::host_name(text).map(str::to_owned);
    HttpSettings {
        allowed_hosts: each(
            raw.allowed_hosts.as_ref(),
            host,
            ("a host name", "write a name such as `gateway.example`; no scheme, no port, no `*`"),
            report,
        ),
        allowed_origins: each(
            raw.allowed_origins.as_ref(),
            origin,
            (
                "an origin",
                "write `https://app.example`, with a port if it is not the usual one; no path, no `*`",
            ),
            report,
        ),
        threads: usize_of(&raw.threads),
        body_timeout: Duration::from_millis(raw.body_timeout.value),
        connections: usize_of(&raw.connections),
        poll_after: Duration::from_millis(raw.poll_after.value),
    }
}

/// Reads every item of a list without regard to case; each must be of the form and there once.
fn each(
    list: Option<&At<Vec<At<String>>>>,
    read: impl Fn(&str) -> Option<String>,
    (what, hint): (&str, &str),
    report: &Report,
) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for item in list.into_iter().flat_map(|list| &list.value) {
        match read(&item.value.to_ascii_lowercase()) {
            None => report.error(item.place, format!("{} is not {what}", quoted(&item.value)), hint),
            Some(same) if found.contains(&same) => {
                report.error(
                    item.place,
                    format!("{} stands twice in the list", quoted(&item.value)),
                    "remove one",
                );
            }
            Some(new) => found.push(new),
        }
    }
    found
}

impl RawRecords {
    fn keeps_arguments(&self) -> bool {
        self.arguments.as_ref().is_some_and(|at| at.value)
    }

    fn gives_receipts(&self) -> bool {
        self.receipts.as_ref().is_some_and(|at| at.value)
    }
}

/// What counts as unusual; none where nothing is learned.
fn behaviour(raw: &RawBehaviour) -> Option<Settings> {
    let on = raw.enabled.as_ref().is_none_or(|enabled| enabled.value);
    let limit = |bound: Bound, at: &At<u64>| Bound { limit: at.value, ..bound };
    let default = Settings::default();
    on.then(|| Settings {
        warm_up: u32::try_from(raw.warm_up.value).unwrap_or(u32::MAX),
        session_half_life: raw.half_life.value,
        burst: limit(default.burst, &raw.calls),
        probing: limit(default.probing, &raw.refusals),
        scan: limit(default.scan, &raw.targets),
        repeats: limit(default.repeats, &raw.repeats),
        export: limit(default.export, &raw.sent),
        arguments: limit(default.arguments, &raw.sent),
        result: limit(default.result, &raw.read),
        ..default
    })
}

/// A number within bounds that all fit.
fn usize_of(at: &At<u64>) -> usize {
    usize::try_from(at.value).unwrap_or(usize::MAX)
}

/// The rules over flow, those of policies among them, which lower servers to what they grant.
fn rules(
    raw: &RawConfig,
    flow: &Flow,
    servers: &mut BTreeMap<ServerName, Server>,
    launches: &BTreeMap<ServerName, Launch>,
    notes: &mut Vec<String>,
    resolver: &Resolver<'_>,
) -> Vec<Rule> {
    let (report, keeps_records) = (resolver.report, raw.records.is_some());
    let observes = raw.mode.as_ref().is_some_and(|mode| mode.value);
    let setting =
        cross_server::Setting { mode: flow.mode, violation: flow.violation, observes, keeps_records };
    let policies = cross_server::named(raw.policies.as_ref(), resolver);
    let demands = cross_server::apply(&policies, servers, launches, setting, (notes, report));
    let keeps =
        Keeps { records: keeps_records, behaviour: raw.behaviour.as_ref().and_then(behaviour).is_some() };
    let mut rules = flow_rules::check(&raw.rules, flow, servers, keeps, report);
    rules.extend(demands);
    rules
}
