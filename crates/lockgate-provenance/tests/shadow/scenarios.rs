//! The scenarios of `*.yaml` beside this file: what is held, what is only told, and what is left alone.

use lockgate_model::{Json, ServerName, Tier};
use lockgate_provenance::shadow::{Index, Offer};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    /// What it shows. Attacks and their twins have the same technique in front.
    case: String,
    /// All servers. The first one is judged.
    servers: Vec<Server>,
    #[serde(default)]
    tool: Option<Value>,
    #[serde(default)]
    offer: Option<Value>,
    #[serde(default)]
    instructions: Option<Value>,
    #[serde(default)]
    identity: Option<Value>,
    /// Codes that hold it, in order of their place in `Code`.
    #[serde(default)]
    held: Vec<String>,
    /// Codes that are only told.
    #[serde(default)]
    told: Vec<String>,
    /// What is found in hiding.
    #[serde(default)]
    decoded: Option<String>,
    /// One finding as it is printed.
    #[serde(default)]
    printed: Option<String>,
    /// The other server that a finding names.
    #[serde(default)]
    other: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Server {
    name: String,
    #[serde(default)]
    tier: Option<String>,
    #[serde(default)]
    maker: Option<String>,
    #[serde(default)]
    identity: Option<Value>,
    #[serde(default)]
    tools: Vec<Value>,
}

/// A definition as text. A name alone is a tool without more.
fn text(definition: &Value) -> String {
    definition
        .as_str()
        .map_or_else(|| definition.to_string(), |name| serde_json::json!({ "name": name }).to_string())
}

fn tier(word: Option<&str>) -> Tier {
    match word.unwrap_or("mixed") {
        "quarantined" => Tier::Quarantined,
        "open" => Tier::Open,
        "mixed" => Tier::Mixed,
        "internal" => Tier::Internal,
        other => panic!("no tier: {other}"),
    }
}

fn check(text: &str) -> Json<'_> {
    Json::check(text.as_bytes(), 64).unwrap()
}

fn run(scenario: &Scenario) {
    let case = &scenario.case;
    let names: Vec<ServerName> =
        scenario.servers.iter().map(|server| ServerName::parse(&server.name).unwrap()).collect();
    let mut all: Vec<(Option<String>, Vec<String>)> = scenario
        .servers
        .iter()
        .map(|server| {
            (server.identity.as_ref().map(Value::to_string), server.tools.iter().map(text).collect())
        })
        .collect();
    // What is judged is in the list too.
    let judged = scenario.tool.as_ref().map(text);
    all[0].1.extend(judged.clone());
    if let Some(identity) = &scenario.identity {
        all[0].0 = Some(identity.to_string());
    }
    let parsed: Vec<(Option<Json<'_>>, Vec<Json<'_>>)> = all
        .iter()
        .map(|(identity, tools)| {
            (identity.as_deref().map(check), tools.iter().map(|tool| check(tool)).collect())
        })
        .collect();
    let offers =
        scenario.servers.iter().zip(&names).zip(&parsed).map(|((server, name), (identity, tools))| Offer {
            server: name,
            tier: tier(server.tier.as_deref()),
            maker: server.maker.as_deref(),
            identity: *identity,
            tools,
        });
    let index = Index::new(offers);
    let other = [&scenario.offer, &scenario.instructions, &scenario.identity]
        .map(|part| part.as_ref().map(Value::to_string));
    let mut found = Vec::new();
    if let Some(tool) = &judged {
        found.extend(index.tool(&names[0], check(tool)));
    }
    if let Some(offer) = &other[0] {
        found.extend(index.offer(&names[0], check(offer)));
    }
    if let Some(instructions) = &other[1] {
        found.extend(index.instructions(&names[0], check(instructions)));
    }
    if let Some(identity) = &other[2] {
        found.extend(index.identity(&names[0], check(identity)));
    }
    let codes = |severe: bool| {
        let mut codes: Vec<_> =
            found.iter().filter(|found| found.severe == severe).map(|found| found.code).collect();
        codes.sort_unstable();
        codes.dedup();
        codes.into_iter().map(|code| code.word().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(codes(true), scenario.held, "{case}: held; {found:#?}");
    assert_eq!(codes(false), scenario.told, "{case}: told");
    if let Some(decoded) = &scenario.decoded {
        let all: Vec<&String> = found
            .iter()
            .filter_map(|found| found.decoded.as_ref())
            .map(lockgate_model::Untrusted::forward)
            .collect();
        assert!(all.contains(&decoded), "{case}: decoded {all:?}");
    }
    if let Some(printed) = &scenario.printed {
        assert!(found.iter().any(|found| found.to_string() == *printed), "{case}: printed {found:?}");
    }
    if let Some(other) = &scenario.other {
        assert!(
            found.iter().any(|found| found.other.as_ref().is_some_and(|name| name.as_str() == other)),
            "{case}: other"
        );
    }
}

const FILES: [&str; 4] = [
    include_str!("identities.yaml"),
    include_str!("mentions.yaml"),
    include_str!("names.yaml"),
    include_str!("poison.yaml"),
];

#[test]
fn scenarios() {
    let read = |file: &str| serde_saphyr::from_str::<Vec<Scenario>>(file).unwrap();
    let scenarios: Vec<Scenario> = FILES.into_iter().flat_map(read).collect();
    scenarios.iter().for_each(run);
    for technique in ["T1001", "T1004", "T1008", "T1301", "T1401", "T1402", "T1405", "T1406", "T1501"] {
        let of = |twin: bool| {
            let mine = scenarios.iter().filter(|scenario| scenario.case.starts_with(technique));
            mine.filter(|scenario| scenario.case.contains(" twin: ") == twin).count()
        };
        assert!(of(false) > 0 && of(true) > 0, "{technique} has an attack and a twin that is none");
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sentences {
    held: Vec<String>,
    left: Vec<String>,
}

#[test]
fn sentences() {
    let sentences: Sentences = serde_saphyr::from_str(include_str!("sentences.yaml")).unwrap();
    let server = ServerName::parse("calc").unwrap();
    let is_held = |sentence: &&String| {
        let tool =
            serde_json::json!({ "name": "add", "description": format!("Adds two numbers. {sentence}") });
        Index::default().tool(&server, check(&tool.to_string())).iter().any(|found| found.severe)
    };
    assert_eq!(sentences.held.iter().filter(is_held).count(), sentences.held.len());
    assert_eq!(sentences.left.iter().find(is_held), None);
}
