//! `detect`: what is looked for in what servers return and in what is sent to them, and what is done with it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lockgate_core::{ByLevel, ClassifiedField, Detect, Handling, Handlings, Server, Sort};
use lockgate_detect::personal::Entity;
use lockgate_model::ServerName;
use lockgate_policy::Pattern;
use schemars::JsonSchema;

use super::bounds;
use super::data_classes::{self, RawDataClasses, RawServerDataClasses};
use super::error::{At, Report, perhaps, quoted};
use super::imported;
use super::indicators;
use super::output::RawOutput;
use super::program::{self, RawCode};
use super::raw::RawConfig;
use super::rules;
use super::schema;
use super::secret::Resolver;
use super::section::Section;
use super::suppress::{self, RawSuppression};
use super::words::{GUARDED, HANDLINGS, TEXTS};
use super::yaml::Kind;

/// What is looked for in texts on their way, and what is done with what is found. `docs/detect.md` says what each finder finds.
/// With `mode: observe` everything is only written down.
#[derive(JsonSchema)]
#[schemars(rename = "Detect", deny_unknown_fields)]
pub(super) struct RawDetect {
    /// What servers return and say unasked.
    #[schemars(with = "Option<RawResults>")]
    results: Option<RawHandlings>,
    /// What is sent to tools and prompts.
    #[schemars(with = "Option<RawArguments>")]
    arguments: Option<RawHandlings>,
    /// Personal data.
    #[schemars(with = "Option<RawPersonal>")]
    personal: RawPersonal,
    /// Classes of data.
    #[schemars(with = "Option<RawDataClasses>")]
    data_classes: RawDataClasses,
    /// Files with indicators of compromise, one a line: hosts, addresses, networks, pages, digests, and `text: …`; `#` begins a
    /// comment. They are read again when the configuration is.
    #[schemars(with = "Option<Vec<String>>", extend("default" = [], "uniqueItems" = true))]
    indicators: Option<At<Vec<At<String>>>>,
    /// Files with an Agent Threat Rule each, and folders of them. What they find is for review. They are read again when the
    /// configuration is.
    #[schemars(with = "Option<Vec<String>>", extend("default" = [], "uniqueItems" = true))]
    rules: Option<At<Vec<At<String>>>>,
    /// What may be in a result, whatever it says.
    #[schemars(with = "Option<RawOutput>")]
    output: RawOutput,
    /// Rules whose findings do not count.
    #[schemars(with = "Option<Vec<RawSuppression>>", extend("default" = [], "maxItems" = suppress::SUPPRESSIONS))]
    suppress: Vec<RawSuppression>,
    /// Arguments that are programs; the first entry that fits counts. Others are by their schema and by their name.
    #[schemars(with = "Option<Vec<RawCode>>", extend("default" = [], "maxItems" = program::ARGUMENTS))]
    code: Vec<RawCode>,
}

/// As `detect`, for one server; what is written here goes before it.
#[derive(JsonSchema)]
#[schemars(rename = "ServerDetect", deny_unknown_fields)]
pub(super) struct RawServerDetect {
    /// What the server returns and says unasked.
    #[schemars(with = "Option<RawResults>")]
    results: Option<RawHandlings>,
    /// What is sent to its tools and prompts.
    #[schemars(with = "Option<RawArguments>")]
    arguments: Option<RawHandlings>,
    /// Classes of data.
    #[schemars(with = "Option<RawServerDataClasses>")]
    data_classes: Option<RawServerDataClasses>,
    /// What may be in a result of it.
    #[schemars(with = "Option<RawOutput>")]
    output: Option<RawOutput>,
}

/// What is done with what is found in results. `off`: nothing. `flag`: it is written down. `redact`: it is taken out, and
/// `[removed: RULE]` or `[redacted]` stands there. `ask`: a person is asked whether the agent gets the result. `deny`: the agent gets
/// a refusal instead. One word is for what must not pass (`block`), and what is only suspicious (`review`) is flagged then; a section
/// says both. What becomes of credentials is said in `flow.secrets`.
#[derive(JsonSchema)]
#[schemars(rename = "Results", deny_unknown_fields)]
#[expect(dead_code, reason = "for the schema and the reference")]
struct RawResults {
    /// Text that people do not see and models read: characters without width, tags, what is styled away.
    #[schemars(with = "Option<schema::Text>", extend("default" = "redact"))]
    hidden: (),
    /// Text that gives orders to a model.
    #[schemars(with = "Option<schema::Text>", extend("default" = "redact"))]
    injection: (),
    /// Personal data. Also `mask`, which leaves the last few characters of long values; and `tokenise`, which shows the agent
    /// something that stands for it, the same each time, and that `personal.expand_for` names the servers to get it back for.
    #[schemars(with = "Option<schema::Personal>", extend("default" = "off"))]
    personal: (),
    /// What the lists in `detect.indicators` name.
    #[schemars(with = "Option<schema::Found>", extend("default" = "flag"))]
    indicators: (),
}

/// What is done with what is found in arguments. `off`: nothing. `flag`: it is written down. `redact`: it is taken out before the
/// call goes on. `ask`: a person is asked. `deny`: the call is refused. One word is for what must not pass (`block`), and what is
/// only suspicious (`review`) is flagged then; a section says both.
#[derive(JsonSchema)]
#[schemars(rename = "Arguments", deny_unknown_fields)]
#[expect(dead_code, reason = "for the schema and the reference")]
struct RawArguments {
    /// Text that people do not see and models read.
    #[schemars(with = "Option<schema::Text>", extend("default" = "flag"))]
    hidden: (),
    /// Text that gives orders to a model.
    #[schemars(with = "Option<schema::Text>", extend("default" = "flag"))]
    injection: (),
    /// Credentials that neither the user nor the server itself has given, in calls that send something out and to servers of tier
    /// `open` and `quarantined`; any others are flagged at most.
    #[schemars(with = "Option<schema::Found>", extend("default" = "ask"))]
    secrets: (),
    /// Personal data. Also `mask` and `tokenise`, as in results.
    #[schemars(with = "Option<schema::Personal>", extend("default" = "off"))]
    personal: (),
    /// Attacks on what is behind a tool: on databases, shells, paths, templates and addresses. By what the argument is, never in
    /// prose. Not `redact`. Without it, `deny` for `block` and `ask` for `review`.
    #[schemars(with = "Option<schema::Guarded>")]
    attacks: (),
    /// Program code that reaches for what it should not. Not `redact`.
    #[schemars(with = "Option<schema::Guarded>", extend("default" = "flag"))]
    code: (),
    /// What the lists in `detect.indicators` name. Not `redact`.
    #[schemars(with = "Option<schema::Classified>", extend("default" = "deny"))]
    indicators: (),
}

/// Personal data, where `results` or `arguments` look for it.
#[derive(JsonSchema)]
#[schemars(rename = "PersonalData", deny_unknown_fields)]
struct RawPersonal {
    /// What counts, as `EMAIL_ADDRESS`, `PHONE_NUMBER` or `IBAN_CODE`. Without it, everything.
    #[schemars(with = "Option<Vec<String>>", extend("uniqueItems" = true, "minItems" = 1))]
    entities: Option<At<Vec<At<String>>>>,
    /// The servers that get personal data back where the agent sends what stands for it. Without it, the server that gave it, in
    /// calls that send nothing out. An empty list: nobody.
    #[schemars(with = "Option<Vec<String>>", extend("uniqueItems" = true))]
    expand_for: Option<At<Vec<At<String>>>>,
    /// How long what tokens stand for is kept for later sessions of the same principal, sealed, in the state folder. `0s`: it is
    /// not.
    #[schemars(with = "Option<schema::Time>")]
    keep_for: At<u64>,
}

/// What is written of one direction: each sort by level.
type RawHandlings = Vec<(Sort, Option<Handling>, Option<Handling>)>;

impl RawDetect {
    pub(super) fn read(section: Section<'_>, report: &Report) -> Self {
        let raw = Self {
            results: results(&section, report),
            arguments: arguments(&section, report),
            personal: RawPersonal::read(section.section_or_empty("personal")),
            data_classes: RawDataClasses::read(section.section_or_empty("data_classes")),
            indicators: section.texts("indicators"),
            rules: section.texts("rules"),
            output: RawOutput::read(section.section_or_empty("output"), report),
            suppress: suppress::read(&section),
            code: program::read(&section),
        };
        section.close();
        raw
    }
}

impl RawServerDetect {
    pub(super) fn read(section: Section<'_>, report: &Report) -> Self {
        let raw = Self {
            results: results(&section, report),
            arguments: arguments(&section, report),
            data_classes: section.section("data_classes").map(RawServerDataClasses::read),
            output: section.section("output").map(|output| RawOutput::read(output, report)),
        };
        section.close();
        raw
    }
}

impl RawPersonal {
    fn read(section: Section<'_>) -> Self {
        let raw = Self {
            entities: section.texts("entities"),
            expand_for: section.texts("expand_for"),
            keep_for: section.measure(&bounds::PERSONAL_KEPT_FOR),
        };
        section.close();
        raw
    }
}

type Words = [(&'static str, Handling)];

fn results(section: &Section<'_>, report: &Report) -> Option<RawHandlings> {
    let section = section.section("results")?;
    if section.has("secrets") {
        let place = section.place_of("secrets").unwrap_or_else(|| section.place());
        let message = "`secrets` in results is said elsewhere";
        report.error(place, message, "write `flow: { secrets: { action: handle } }`, or `redact` or `pass`");
        section.take("secrets");
    }
    let all = handlings(
        &section,
        &[
            ("hidden", Sort::Hidden, TEXTS, true),
            ("injection", Sort::Injection, TEXTS, true),
            ("personal", Sort::Personal, HANDLINGS, false),
            ("indicators", Sort::Indicator, TEXTS, false),
        ],
        report,
    );
    section.close();
    Some(all)
}

fn arguments(section: &Section<'_>, report: &Report) -> Option<RawHandlings> {
    let section = section.section("arguments")?;
    let all = handlings(
        &section,
        &[
            ("hidden", Sort::Hidden, TEXTS, true),
            ("injection", Sort::Injection, TEXTS, true),
            ("secrets", Sort::Secret, TEXTS, false),
            ("personal", Sort::Personal, HANDLINGS, false),
            ("attacks", Sort::Attack, GUARDED, true),
            ("code", Sort::Code, GUARDED, true),
            ("indicators", Sort::Indicator, GUARDED, false),
        ],
        report,
    );
    section.close();
    Some(all)
}

fn handlings(
    section: &Section<'_>,
    sorts: &[(&'static str, Sort, &Words, bool)],
    report: &Report,
) -> RawHandlings {
    let one = |(key, sort, words, levels): &(&'static str, Sort, &Words, bool)| {
        let node = section.take(key)?;
        if matches!(node.value, Kind::Map(_)) && *levels {
            let section = Section::open(&section.name(key), node, report)?;
            let level = |key| section.word(key, words).map(|at| at.value);
            let found = (*sort, level("block"), level("review"));
            section.close();
            return Some(found);
        }
        let handling = section.word(key, words)?.value;
        let by_level = ByLevel::at_block(handling);
        Some((*sort, Some(by_level.block), Some(by_level.review)))
    };
    sorts.iter().filter_map(one).collect()
}

/// Says for every server what is looked for, and which servers get personal data back.
pub(super) fn apply(
    config: &RawConfig,
    servers: &mut BTreeMap<ServerName, Server>,
    notes: &mut Vec<String>,
    resolver: &Resolver<'_>,
) -> Option<BTreeSet<ServerName>> {
    let (raw, by_server, report) = (&config.detect, &config.servers, resolver.report);
    let now = resolver.surroundings.now();
    let mut common = Detect::default();
    lay(raw.results.as_ref(), &mut common.results);
    lay(raw.arguments.as_ref(), &mut common.arguments);
    raw.data_classes.lay(&mut common.results.classes, &mut common.arguments.classes);
    raw.output.apply(&mut common);
    common.entities = raw.personal.entities.as_ref().map(|entities| {
        for entity in &entities.value {
            let known: Vec<&str> = Entity::ALL.iter().map(|entity| entity.word()).collect();
            if Entity::named(&entity.value).is_none() {
                let message = format!("{} is no sort of personal data", quoted(&entity.value));
                let hint = format!("{}write some of {}", perhaps(&entity.value, &known), known.join(", "));
                report.error(entity.place, message, hint);
            }
        }
        entities.value.iter().map(|entity| entity.value.clone()).collect()
    });
    let fields = raw.data_classes.fields(servers, report);
    common.indicators = indicators::load(raw.indicators.as_ref(), resolver);
    common.rules = imported::load(raw.rules.as_ref(), notes, resolver);
    let code = program::check(&raw.code, servers, report);
    let imported = common.rules.0.iter().flat_map(|rules| rules.ids());
    let suppressed = suppress::check(&raw.suppress, servers, imported, now, (notes, report));
    for server in by_server {
        let Some(name) = ServerName::parse(&server.name.value) else { continue };
        let mut detect = common.clone();
        lay(server.detect.results.as_ref(), &mut detect.results);
        lay(server.detect.arguments.as_ref(), &mut detect.arguments);
        if let Some(classes) = &server.detect.data_classes {
            classes.lay(&mut detect.results.classes, &mut detect.arguments.classes);
        }
        if let Some(output) = &server.detect.output {
            output.apply(&mut detect);
        }
        let own = suppressed.iter().filter(|(only, _)| only.as_ref().is_none_or(|only| *only == name));
        detect.suppressed = own.map(|(_, suppression)| suppression.clone()).collect();
        let is_own = |only: &Option<Pattern>| only.as_ref().is_none_or(|only| only.matches(name.as_str()));
        let own = fields.iter().filter(|(only, _)| is_own(only));
        detect.fields = own.map(|(_, field)| field.clone()).collect();
        detect.code = code.iter().filter(|(only, _)| is_own(only)).map(|(_, code)| code.clone()).collect();
        if let Some(server) = servers.get_mut(&name) {
            server.detect = Arc::new(detect);
        }
    }
    let expand_for = raw.personal.expand_for.as_ref()?;
    Some(
        expand_for
            .value
            .iter()
            .filter_map(|name| rules::server("expand_for", name, servers, report))
            .collect(),
    )
}

/// How long tokens are kept, where there are any. Milliseconds.
pub(super) fn kept_for(config: &RawConfig, servers: &BTreeMap<ServerName, Server>) -> u64 {
    let makes = |handlings: &Handlings| handlings.personal.block == Handling::Tokenise;
    let any = servers.values().any(|server| makes(&server.detect.results) || makes(&server.detect.arguments));
    if any { config.detect.personal.keep_for.value } else { 0 }
}

/// Lays what is written over what holds.
fn lay(written: Option<&RawHandlings>, over: &mut Handlings) {
    for (sort, block, review) in written.into_iter().flatten() {
        let by_level = over.sort_mut(*sort);
        by_level.block = block.unwrap_or(by_level.block);
        by_level.review = review.unwrap_or(by_level.review);
    }
}

/// What differs from what holds without a word, for people: what it is about, and what is done.
pub(super) fn told(servers: &BTreeMap<ServerName, Server>) -> Vec<(String, String)> {
    let usual = Detect::default();
    let mut rows = Vec::new();
    for (name, server) in servers {
        let detect = &server.detect;
        let ways = [
            ("results", &detect.results, &usual.results),
            ("arguments", &detect.arguments, &usual.arguments),
        ];
        for (way, handlings, usual) in ways {
            let mut changed: Vec<String> = Sort::ALL
                .into_iter()
                .filter(|sort| handlings.sort(*sort) != usual.sort(*sort))
                .map(|sort| shown(sort, handlings.sort(sort)))
                .collect();
            changed.extend(data_classes::told(&handlings.classes, &usual.classes));
            if !changed.is_empty() {
                rows.push((format!("{name}, {way}"), changed.join(", ")));
            }
        }
        if detect.marks {
            rows.push((format!("{name}, output"), "texts are marked as data of outsiders".to_owned()));
        }
        if detect.strips_instructions {
            rows.push((format!("{name}, instructions"), "the agent gets none".to_owned()));
        }
        if let Some(types) = &detect.types {
            let only =
                if types.is_empty() { "no files".to_owned() } else { format!("only {}", types.join(", ")) };
            rows.push((format!("{name}, files"), only));
        }
        if detect.metadata != usual.metadata {
            rows.push((format!("{name}, metadata"), detect.metadata.word().to_owned()));
        }
        if detect.sanitises {
            rows.push((format!("{name}, HTML"), "sanitise".to_owned()));
        }
        if detect.strips_meta {
            rows.push((
                format!("{name}, _meta"),
                "what the protocol does not define is taken out".to_owned(),
            ));
        }
        if let Some(indicators) = &detect.indicators.0 {
            rows.push((
                name.to_string(),
                format!("{} indicators of compromise are looked for", indicators.len()),
            ));
        }
        if let Some(rules) = &detect.rules.0 {
            rows.push((
                name.to_string(),
                format!("{} rules of others are held against texts", rules.ids().count()),
            ));
        }
        for ClassifiedField { tool, field, class } in &detect.fields {
            let of = tool.as_ref().map_or_else(String::new, |tool| format!(" of `{tool}`"));
            rows.push((name.to_string(), format!("field `{field}`{of} is {}", class.word())));
        }
        if detect.most_media_bytes != usual.most_media_bytes {
            rows.push((format!("{name}, files"), format!("at most {} bytes", detect.most_media_bytes)));
        }
        for code in &detect.code {
            rows.push((name.to_string(), program::told(code)));
        }
        for suppression in &detect.suppressed {
            rows.push((name.to_string(), format!("the rule `{}` does not count", suppression.rule)));
        }
    }
    rows
}

fn shown(sort: Sort, by_level: ByLevel) -> String {
    let (block, review) = (by_level.block.word(), by_level.review.word());
    match sort {
        Sort::Secret | Sort::Personal | Sort::Indicator => format!("{} {block}", sort.word()),
        Sort::Hidden | Sort::Injection | Sort::Attack | Sort::Code
            if by_level == ByLevel::at_block(by_level.block) =>
        {
            format!("{} {block}", sort.word())
        }
        Sort::Hidden | Sort::Injection | Sort::Attack | Sort::Code => {
            format!("{} {block} (for review {review})", sort.word())
        }
    }
}
