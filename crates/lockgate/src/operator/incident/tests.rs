use super::*;

const CONFIG: &str = "\
servers:
  mail: { command: mail-server, env: { TOKEN: plain-and-secret-Zq81 } }
records: { file: records.jsonl }
state: state
";

struct Scene {
    home: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("lockgate.yaml"), CONFIG).unwrap();
        fs::write(home.path().join("records.jsonl"), "{\"v\":1}\n").unwrap();
        fs::write(home.path().join("records.jsonl.1"), "{\"v\":1}\n{\"v\":1}\n").unwrap();
        Self { home }
    }

    fn at(&self) -> Where {
        Where { config: self.home.path().join("lockgate.yaml"), common: Common { state: None, json: true } }
    }

    fn does(command: Command) -> Result<serde_json::Value, Problem> {
        let mut out = Vec::new();
        run(command, &mut out)?;
        Ok(serde_json::from_slice(&out).unwrap())
    }

    fn opens(&self, stops: &[&str]) -> serde_json::Value {
        let stops = stops.iter().map(|text| target(text).unwrap()).collect();
        let (with, at) = (With { key: None }, self.at());
        let reason = "mail sends what it should not".to_owned();
        Self::does(Command::Open(Open { reason, severity: Severity::High, stops, with, at })).unwrap()
    }

    fn verifies(folder: &Path) -> Result<serde_json::Value, Problem> {
        let key = folder.parent().unwrap().join("signer.pem");
        Self::does(Command::Verify(verify::Options { folder: folder.to_owned(), key, json: true }))
    }

    fn stopped(&self) -> Vec<Target> {
        let state = self.home.path().join("state");
        Stops::open(&state).unwrap().list().unwrap().into_iter().map(|stop| stop.target).collect()
    }
}

#[test]
fn an_incident_stops_captures_and_closes() {
    let scene = Scene::new();
    let opened = scene.opens(&["server:mail", "session:s-1"]);
    let (id, folder) = (opened["id"].as_str().unwrap().to_owned(), opened["folder"].as_str().unwrap());
    assert_eq!(opened["stops"], serde_json::json!(["server:mail", "session:s-1"]));
    assert_eq!(scene.stopped().len(), 2);
    let capture = Path::new(folder).join("capture-1");
    for file in [
        "state/stops.json",
        "configuration.yaml",
        "configuration.files.json",
        "records.jsonl",
        "records.jsonl.1",
    ] {
        assert!(capture.join(file).is_file(), "{file}: {opened}");
    }
    assert!(fs::read_to_string(capture.join("state/stops.json")).unwrap().contains(&id));
    assert_eq!(Scene::verifies(&capture).unwrap()["good"], true);

    let again = Capture { id: id.clone(), with: With { key: None }, at: scene.at() };
    let again = Scene::does(Command::Capture(again)).unwrap();
    assert_eq!(again["captures"].as_array().unwrap().len(), 2, "{again}");

    let close =
        |keep_stops| Close { id: id.clone(), note: "it was a test".to_owned(), keep_stops, at: scene.at() };
    let closed = Scene::does(Command::Close(close(false))).unwrap();
    assert_eq!(closed["closed"]["note"], "it was a test");
    assert_eq!(scene.stopped(), []);
    assert!(matches!(Scene::does(Command::Close(close(false))), Err(Problem::Refused(_))));
    let listed = Scene::does(Command::List { at: scene.at() }).unwrap();
    assert_eq!(listed["incidents"][0]["id"], id.as_str());
}

#[test]
fn what_was_stopped_before_stays_stopped() {
    let scene = Scene::new();
    let first = scene.opens(&["server:mail"]);
    let second = scene.opens(&["server:mail", "server:web"]);
    assert_eq!(second["stops"], serde_json::json!(["server:web"]));
    for (incident, keep_stops, left) in [(&second, false, 1), (&first, true, 1)] {
        let id = incident["id"].as_str().unwrap().to_owned();
        let note = "over".to_owned();
        Scene::does(Command::Close(Close { id, note, keep_stops, at: scene.at() })).unwrap();
        assert_eq!(scene.stopped().len(), left);
    }
}

#[test]
fn a_capture_that_was_changed_is_told() {
    type Change<'c> = &'c dyn Fn(&Path);
    let changes: [(&str, Change<'_>); 5] = [
        ("records.jsonl:", &|folder| fs::write(folder.join("records.jsonl"), "{\"v\":2}\n").unwrap()),
        ("records.jsonl.1:", &|folder| fs::remove_file(folder.join("records.jsonl.1")).unwrap()),
        ("state/more.json: nobody", &|folder| fs::write(folder.join("state/more.json"), "{}").unwrap()),
        ("manifest.json:", &|folder| {
            let file = folder.join(capture::MANIFEST);
            let text = fs::read_to_string(&file).unwrap();
            fs::write(&file, text.replacen("\"payload\":\"ey", "\"payload\":\"eX", 1)).unwrap();
        }),
        ("manifest.json:", &|folder| {
            let (_, pem) = crate::signing::SigningKey::generate().unwrap();
            let other = folder.parent().unwrap().join("other.pem");
            fs::write(&other, pem).unwrap();
            let public = crate::signing::SigningKey::read(&other).unwrap().public().pem();
            fs::write(folder.parent().unwrap().join("signer.pem"), public).unwrap();
        }),
    ];
    for (fault, change) in changes {
        let scene = Scene::new();
        let opened = scene.opens(&[]);
        let capture = Path::new(opened["folder"].as_str().unwrap()).join("capture-1");
        assert!(Scene::verifies(&capture).is_ok());
        change(&capture);
        let refused = Scene::verifies(&capture);
        assert!(matches!(&refused, Err(Problem::Refused(why)) if why.contains(fault)), "{fault} {refused:?}");
    }
}

#[test]
fn no_secret_of_the_configuration_is_captured() {
    let scene = Scene::new();
    let opened = scene.opens(&[]);
    let mut left = vec![PathBuf::from(opened["folder"].as_str().unwrap())];
    let mut files = 0;
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            if entry.path().is_dir() {
                left.push(entry.path());
            } else {
                files += 1;
                let text = String::from_utf8_lossy(&fs::read(entry.path()).unwrap()).into_owned();
                assert!(!text.contains("plain-and-secret-Zq81"), "{}", entry.path().display());
            }
        }
    }
    assert!(files > 8, "{files}");
}

#[test]
fn what_cannot_be_captured_is_named() {
    let scene = Scene::new();
    fs::write(scene.home.path().join("lockgate.yaml"), "servers: 1\n").unwrap();
    let opened = scene.opens(&[]);
    let missing = opened["captures"][0]["missing"].to_string();
    assert!(missing.contains("configuration: ") && missing.contains("records: "), "{missing}");
}

#[test]
fn targets_are_read_as_they_are_written() {
    for text in ["everything", "safe_mode", "server:a", "tool:a/b/c", "principal:ann:x", "session:s-1"] {
        assert_eq!(word(&target(text).unwrap()), text);
    }
    for text in ["", "server", "server:", "tool:a", "agent:x", "every thing"] {
        assert!(target(text).is_err(), "{text}");
    }
}

#[test]
fn an_id_leads_nowhere_else() {
    let scene = Scene::new();
    scene.opens(&[]);
    for id in ["", "..", "../incidents", "2026-01-01-zzzzzz"] {
        let again = Capture { id: id.to_owned(), with: With { key: None }, at: scene.at() };
        assert!(matches!(Scene::does(Command::Capture(again)), Err(Problem::Refused(_))), "{id}");
    }
}
