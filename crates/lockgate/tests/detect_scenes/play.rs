//! Plays a scene: sets it up, lets a real client act, and looks at what the client got, what happened and what is written down.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use serde::Deserialize;
use serde_json::{Value, json};
use testkit::hostile::{Gate, until};
use testkit::peers::{peers, python_bare, repository, server, typescript_as};
use testkit::scripted::{calls, scripted};

use crate::props::{Given, Web, credentials, fill};

/// One scenario. In all texts `$FILES` is the folder of the files, `$GIT` a repository, `$STATE` a folder for what servers keep, `$WEB`
/// the address of the pages, and the names of `props::credentials` are credentials.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scene {
    /// What is tried, and on whom.
    says: String,
    /// The client of the handshake era: the Python SDK's, which takes its time, or the TypeScript SDK's. That of the stateless era is
    /// always the latter.
    #[serde(default)]
    client: Client,
    /// What a user would write. A server with a `script` is a scripted one.
    config: Value,
    /// The bearer token of the agent, if it needs one.
    token: Option<String>,
    /// Files.
    #[serde(default)]
    given: BTreeMap<String, Given>,
    /// Pages, by path.
    #[serde(default)]
    pages: BTreeMap<String, String>,
    /// What the agent does.
    steps: Vec<Step>,
    /// Parts of records, each of which must be in at least one.
    #[serde(default)]
    records: Vec<Value>,
    /// Files that are there in the end, with these texts.
    #[serde(default)]
    left: BTreeMap<String, String>,
    /// Calls that reached the scripted server of that name: all of them.
    #[serde(default)]
    reached: BTreeMap<String, Vec<Value>>,
    /// Paths of pages that somebody asked for: all of them, in any order.
    #[serde(default)]
    fetched: Option<Vec<String>>,
    /// What stands in nothing that the gateway has written, beside all credentials. Definitions that are held are kept for the people
    /// who approve them, and only there.
    #[serde(default)]
    unwritten: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Client {
    Python,
    #[default]
    Typescript,
}

/// One thing that the agent does, and what it gets.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    /// For the reader.
    #[serde(default)]
    says: String,
    /// As the clients understand it: `[call, NAME, ARGUMENTS]` …
    does: Value,
    /// The reason of the refusal.
    refused: Option<String>,
    /// The text, or the bytes of the file, are those of this file and nothing else.
    file: Option<String>,
    /// The whole text.
    text: Option<String>,
    /// What is in the answer, as JSON.
    #[serde(default)]
    shows: Vec<String>,
    /// What is not.
    #[serde(default)]
    lacks: Vec<String>,
    /// The answer, as it is printed: instructions, names of tools.
    is: Option<Value>,
}

/// Plays the scene of this name with a real client of each era.
pub(crate) fn play(name: &str) {
    let Some(peers) = peers() else { return };
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/detect_scenes").join(name);
    let text = std::fs::read_to_string(file.with_extension("yaml")).unwrap();
    // What no scenario of SAFE-MCP asks for differs in no era.
    let eras: &[&str] = if name.starts_with('T') { &["handshake", "stateless"] } else { &["stateless"] };
    for &era in eras {
        let scene: Scene = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let stage = Stage::set(&peers, &scene);
        let steps = scene.steps.iter().map(|step| stage.fill(&step.does)).collect();
        let (steps, address) = (Value::Array(steps), format!("http://{}/mcp", stage.gate.host));
        let token = fill(scene.token.as_deref().unwrap_or_default());
        let said = match (era, scene.client) {
            ("handshake", Client::Python) => python_bare(&peers, "legacy", &steps, &[address]),
            ("handshake", Client::Typescript) => typescript_as(&peers, &token, "default", &steps, &address),
            _ => typescript_as(&peers, &token, "auto", &steps, &address),
        };
        let what = format!("{name}, {era}: {}", scene.says);
        stage.judge(&what, &scene, &said);
    }
}

/// A scene that is set.
struct Stage {
    own: tempfile::TempDir,
    gate: Gate,
    web: Web,
    words: Vec<(&'static str, String)>,
}

impl Stage {
    fn set(peers: &Path, scene: &Scene) -> Self {
        let own = tempfile::tempdir().unwrap();
        let at = |name: &str| own.path().join(name);
        for name in ["files", "servers", "heard", "gate"] {
            std::fs::create_dir(at(name)).unwrap();
        }
        for (name, given) in &scene.given {
            let file = at("files").join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, given.bytes()).unwrap();
        }
        let pages = scene.pages.iter().map(|(path, page)| (path.clone(), fill(page)));
        let web = Web::with(pages.collect());
        let text = |path: PathBuf| path.display().to_string();
        let words = vec![
            ("$FILES", text(at("files"))),
            ("$GIT", text(repository(own.path()))),
            ("$STATE", text(at("servers"))),
            ("$WEB", web.address.clone()),
        ];
        let mut config = filled(&words, &scene.config);
        for (name, server) in config["servers"].as_object_mut().unwrap() {
            cast(peers, &at("heard"), name, server);
        }
        let gate = Gate::start_in(&at("gate"), config);
        Self { own, gate, web, words }
    }

    fn fill(&self, value: &Value) -> Value {
        filled(&self.words, value)
    }

    fn judge(&self, what: &str, scene: &Scene, said: &[Value]) {
        let heard: Vec<&Value> = said.iter().filter(|step| !is_aside(step)).collect();
        assert_eq!(heard.len(), scene.steps.len(), "{what}: {said:#?}");
        for (step, said) in scene.steps.iter().zip(heard) {
            self.compare(&format!("{what}\n{} {}", step.says, step.does), step, said);
        }
        for part in &scene.records {
            let records = || self.gate.records();
            let found = |text: &str| {
                text.lines()
                    .any(|line| serde_json::from_str(line).is_ok_and(|record: Value| contains(&record, part)))
            };
            let mut tries = 0;
            // Records are written within 100 ms.
            until(&format!("{what}: {part}"), || {
                tries += 1;
                assert!(tries < 1_000, "{what}: {part} is in none of\n{}", records());
                found(&records())
            });
        }
        for (name, text) in &scene.left {
            let file = self.own.path().join("files").join(name);
            assert_eq!(std::fs::read_to_string(file).unwrap_or_default(), fill(text), "{what}: {name}");
        }
        for (server, expected) in &scene.reached {
            let expected: Vec<Value> = expected.iter().map(|call| self.fill(call)).collect();
            assert_eq!(calls(&self.own.path().join("heard"), server), expected, "{what}");
        }
        if let Some(expected) = &scene.fetched {
            assert_eq!(&self.web.asked(), expected, "{what}");
        }
        let held = |file: &String| file.contains("pins.db");
        for (_, secret) in credentials() {
            let found = self.written(&secret);
            assert!(found.is_empty(), "{what}: {secret} stands in {found:?}");
        }
        for text in &scene.unwritten {
            let found: Vec<_> = self.written(text).into_iter().filter(|file| !held(file)).collect();
            assert!(found.is_empty(), "{what}: {text} stands in {found:?}");
        }
    }

    fn compare(&self, what: &str, step: &Step, said: &Value) {
        let text = said.to_string();
        let result = &said["result"];
        let reason = result.pointer("/_meta/io.lockgate~1decision/reason").and_then(Value::as_str);
        assert_eq!(reason, step.refused.as_deref(), "{what}: {text}");
        for shown in &step.shows {
            assert!(text.contains(&*self.written_as(shown)), "{what}: no {shown} in {text}");
        }
        for lacking in &step.lacks {
            assert!(!text.contains(&*self.written_as(lacking)), "{what}: {lacking} in {text}");
        }
        if let Some(expected) = &step.is {
            let own = said.as_object().unwrap().values().next().unwrap();
            assert_eq!(own, &self.fill(expected), "{what}");
        }
        if let Some(expected) = &step.text {
            assert_eq!(result["content"][0]["text"], fill(expected), "{what}: {text}");
        }
        if let Some(name) = &step.file {
            let bytes = std::fs::read(self.own.path().join("files").join(name)).unwrap();
            let part = &result["content"][0];
            let data = part["data"].as_str().or(part["resource"]["blob"].as_str());
            match data {
                Some(data) => assert!(data == BASE64.encode(&bytes), "{what}: {text}"),
                None => assert_eq!(part["text"], json!(String::from_utf8(bytes).unwrap()), "{what}: {text}"),
            }
        }
    }

    /// A text of a scene as it stands in JSON.
    fn written_as(&self, text: &str) -> String {
        let text = self.fill(&json!(text)).to_string();
        text.trim_matches('"').to_owned()
    }

    /// Where this stands in what the gateway wrote: all files of its own, and standard error. What the operator wrote is not its.
    fn written(&self, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.gate.folder().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if entry.is_dir() {
                    folders.push(entry);
                } else if !entry.ends_with("lockgate.yaml")
                    && let Ok(bytes) = std::fs::read(&entry)
                    && bytes.windows(text.len()).any(|window| window == text.as_bytes())
                {
                    found.push(entry.display().to_string());
                }
            }
        }
        if self.gate.complaints.text().contains(text) {
            found.push("standard error".to_owned());
        }
        found
    }
}

/// What a client says beside its steps.
fn is_aside(said: &Value) -> bool {
    ["connected", "seen", "asked"].iter().any(|word| !said[word].is_null())
}

/// Gives a server of a scene its program.
fn cast(peers: &Path, heard: &Path, name: &str, own: &mut Value) {
    if let Some(script) = own.as_object_mut().and_then(|own| own.remove("script")) {
        // In a configuration, `$$` is a `$`.
        let script = serde_json::from_str(&script.to_string().replace('$', "$$")).unwrap();
        own["command"] = scripted(heard, name, &script)["command"].clone();
    } else if let Some(command) = own["command"].as_array() {
        let words: Vec<_> = command.iter().map(|word| word.as_str().unwrap()).collect();
        own["command"] = json!(server(peers, words[0], &words[1..]));
    }
    // A busy machine takes its time until a server has started.
    own["timeout"] = json!("30s");
}

/// With what stands for folders, addresses and credentials put in.
fn filled(words: &[(&str, String)], value: &Value) -> Value {
    match value {
        Value::String(text) => {
            let text = words.iter().fold(fill(text), |text, (name, word)| text.replace(name, word));
            Value::String(text)
        }
        Value::Array(list) => list.iter().map(|value| filled(words, value)).collect(),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| (name.clone(), filled(words, value));
            Value::Object(members.iter().map(member).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// Is all of this in it? Of a list, each in some element.
fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(name, part)| whole.get(name).is_some_and(|whole| contains(whole, part)))
        }
        (Value::Array(whole), Value::Array(part)) => {
            part.iter().all(|part| whole.iter().any(|whole| contains(whole, part)))
        }
        (whole, part) => whole == part,
    }
}
