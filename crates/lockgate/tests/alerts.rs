//! Alerts end to end: the attack of the demo through a real gateway, its alert in every channel, and what is stopped.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test says what is wrong by failing")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use testkit::agent::Agent;

const LOCKGATE: &str = env!("CARGO_BIN_EXE_lockgate");
/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_mins(1);

fn written(folder: &Path, alerts: &Value) -> PathBuf {
    let file = folder.join("lockgate.yaml");
    let config = json!({
        "flow": { "on_violation": "deny" },
        "detect": { "results": { "injection": "flag" } },
        "servers": {
            "web": { "command": [LOCKGATE, "demo-server", "web"], "tier": "open" },
            "db": { "command": [LOCKGATE, "demo-server", "db", "/nonexistent"], "tier": "internal" }
        },
        "state": "state",
        "alerts": alerts
    });
    std::fs::write(&file, config.to_string()).unwrap();
    file
}

/// Lets an agent call tools one after the other, until the end. Gives what each call came to, and what the gateway said.
fn talk(file: &Path, calls: &[(&str, Value)]) -> (Vec<Value>, String) {
    talk_until(file, calls, || {})
}

/// The same, and the gateway is not ended before `told` is: one that ends sends what it has for some seconds only.
fn talk_until(file: &Path, calls: &[(&str, Value)], told: impl FnOnce()) -> (Vec<Value>, String) {
    let mut agent = Agent::start(Command::new(LOCKGATE).args(["stdio", "-c"]).arg(file));
    let tools = agent.ask("tools/list", json!({}));
    let name = |wanted: &str| {
        let names =
            tools["result"]["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap());
        // What is stopped is not listed, and may be called all the same.
        names
            .into_iter()
            .find(|name| name.ends_with(wanted))
            .map_or_else(|| format!("web__{wanted}"), str::to_owned)
    };
    let call =
        |(tool, arguments): &(&str, Value)| agent.call(&name(tool), arguments.clone())["result"].clone();
    let all = calls.iter().map(call).collect();
    told();
    (all, agent.end())
}

fn attack() -> [(&'static str, Value); 2] {
    [
        ("fetch_page", json!({ "url": "https://help.example/start" })),
        ("execute", json!({ "sql": "DROP TABLE users" })),
    ]
}

/// Waits until there are alerts that are enough, and gives them.
fn wait(file: &Path, enough: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let end = std::time::Instant::now() + LONG;
    loop {
        let alerts = lines(file);
        if enough(&alerts) {
            return alerts;
        }
        assert!(std::time::Instant::now() < end, "only {alerts:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn many(alerts: &[Value], name: &str) -> usize {
    alerts.iter().filter(|alert| alert["alert"] == name).count()
}

fn lines(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    // The last one may be being written.
    let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    whole.map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Answers requests with 200, and gives their bodies.
fn sink() -> (u16, std::sync::mpsc::Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                stream.read_line(&mut line).unwrap();
                if let Some(found) = line.to_lowercase().strip_prefix("content-length: ") {
                    length = found.trim().parse().unwrap();
                }
                if line == "\r\n" {
                    break;
                }
                head.push_str(&line);
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            stream.get_mut().write_all(answer).unwrap();
            // The test may be over.
            let _told = tell.send((head, serde_json::from_slice(&body).unwrap()));
        }
    });
    (port, told)
}

#[test]
fn an_attack_is_told_everywhere_and_its_server_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let (hook, hooked) = sink();
    let (chat, chatted) = sink();
    let log = UdpSocket::bind("127.0.0.1:0").unwrap();
    log.set_read_timeout(Some(LONG)).unwrap();
    let file = written(
        folder.path(),
        &json!({
            "channels": {
                "local": { "file": "alerts.jsonl" },
                "ops": { "webhook": { "url": format!("http://127.0.0.1:{hook}/"), "secret": "0123456789abcdef" } },
                "team": { "slack": format!("http://127.0.0.1:{chat}/") },
                "siem": { "syslog": { "address": format!("udp://127.0.0.1:{}", log.local_addr().unwrap().port()) } }
            },
            "rules": {
                "flows": { "on": ["cross_server_flow"], "contain": "server" },
                "life": { "on": ["gateway_started", "gateway_stopped", "stop_set"], "then": ["local"] }
            }
        }),
    );
    let written = folder.path().join("alerts.jsonl");
    let mut sent = None;
    let (answers, said) = talk_until(&file, &attack(), || {
        wait(&written, |alerts| many(alerts, "cross_server_flow") > 0 && many(alerts, "stop_set") > 0);
        let mut datagram = vec![0; 4096];
        let length = log.recv(&mut datagram).unwrap();
        datagram.truncate(length);
        sent = Some((hooked.recv_timeout(LONG).unwrap(), chatted.recv_timeout(LONG).unwrap(), datagram));
    });
    assert_eq!(answers[1]["isError"], true, "{answers:?}");
    assert!(said.contains("the server `web` is stopped: alert "), "{said}");

    // What was told at the very end is sent by the next gateway where this one had no time.
    talk_until(&file, &[], || drop(wait(&written, |alerts| many(alerts, "gateway_stopped") > 0)));
    let alerts = lines(&written);
    let of = |name: &str| alerts.iter().find(|alert| alert["alert"] == name).unwrap();
    let flow = of("cross_server_flow");
    for (key, value) in [
        ("severity", "high"),
        ("server", "db"),
        ("from", "web"),
        ("target", "execute"),
        ("principal", "local"),
        ("reason", "untrusted_content_reaches_sink"),
        ("rule", "flow.value"),
        ("verdict", "deny"),
        ("alert_rule", "flows"),
        ("contained", "server"),
    ] {
        assert_eq!(flow[key], value, "{key} of {flow}");
    }
    of("gateway_started");
    of("gateway_stopped");
    // Neither what the page says nor what was to be done on the other server is in any of it.
    let told = format!("{alerts:?}{said}");
    assert!(!told.contains("DROP") && !told.contains("NOTE TO AI"), "{told}");

    let ((head, body), (_, chat), datagram) = sent.unwrap();
    assert_eq!(&body, flow);
    assert!(head.to_lowercase().contains("lockgate-signature: v1="), "{head}");
    assert!(chat["text"].as_str().unwrap().starts_with("[high] cross_server_flow server db"), "{chat}");
    let line = std::str::from_utf8(&datagram).unwrap();
    assert!(line.starts_with("<83>1 ") && line.contains(" cross_server_flow - {\"v\":1,"), "{line}");

    // The stop is one like a person's, and the next gateway of the folder holds it.
    let stops =
        Command::new(LOCKGATE).args(["stops", "--json", "--state"]).arg(folder.path().join("state")).output();
    let stops: Value = serde_json::from_slice(&stops.unwrap().stdout).unwrap();
    let stop = &stops["stops"][0];
    assert_eq!((&stop["by"], &stop["server"]), (&json!("an alert"), &json!("web")), "{stops}");
    assert!(stop["why"].as_str().unwrap().contains(flow["id"].as_str().unwrap()), "{stops}");
    let (answers, _) = talk(&file, &attack()[..1]);
    assert!(answers[0].to_string().contains("the operator has stopped this by hand"), "{answers:?}");
}

#[test]
fn what_a_rule_stops_for_a_time_is_lifted_and_what_a_person_stops_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let channels = json!({ "local": { "file": "alerts.jsonl" } });
    let file = written(folder.path(), &json!({ "channels": channels }));
    let state = folder.path().join("state");
    let stops = lockgate_store::Stops::open(&state).unwrap();
    let server = |name: &str| lockgate_store::Target::Server(name.to_owned());
    let why = "alert a-1 of the rule flows; lifted at 1970-01-01T00:00:00.001000Z";
    for (target, by) in [(server("web"), lockgate_store::Stops::BY_ALERT), (server("db"), "ann")] {
        stops.stop(&target, by, why, 1).unwrap();
    }
    // A gateway lets time pass within a second; the agent stays until it is seen.
    let deadline = std::time::Instant::now() + LONG;
    let mut gateway = Command::new(LOCKGATE)
        .args(["stdio", "-c"])
        .arg(&file)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while stops.list().unwrap().len() > 1 && std::time::Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(gateway.stdin.take());
    gateway.wait().unwrap();
    let left: Vec<_> = stops.list().unwrap().into_iter().map(|stop| (stop.target, stop.by)).collect();
    assert_eq!(left, [(server("db"), "ann".to_owned())]);
    let lifted = stops.history().unwrap().pop().unwrap();
    assert_eq!((lifted.target, lifted.by.as_str(), lifted.why), (server("web"), "an alert", None));
}

#[test]
fn what_a_channel_does_not_take_is_told_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let away = folder.path().join("away");
    let channels = json!({ "local": { "file": "away/alerts.jsonl" } });
    let file = written(folder.path(), &json!({ "channels": channels }));
    let (_, said) = talk(&file, &attack());
    assert!(said.contains("alerts for `local` wait on the disk for the next start"), "{said}");
    std::fs::create_dir(&away).unwrap();
    // The default rules tell of the attack; nothing is stopped.
    let written = away.join("alerts.jsonl");
    let (answers, said) = talk_until(&file, &attack(), || {
        wait(&written, |alerts| many(alerts, "cross_server_flow") == 2);
    });
    assert!(!said.contains("is stopped") && answers[0]["isError"] != true, "{answers:?} {said}");
    assert_eq!(many(&lines(&written), "cross_server_flow"), 2);
}

#[test]
fn a_test_alert_says_which_channel_took_it() {
    let folder = tempfile::tempdir().unwrap();
    let channels = json!({ "good": { "file": "alerts.jsonl" }, "bad": { "file": "none/alerts.jsonl" } });
    let file = written(folder.path(), &json!({ "channels": channels }));
    let run = |more: &[&str]| {
        let output =
            Command::new(LOCKGATE).args(["alerts", "test", "-c"]).arg(&file).args(more).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    assert_eq!(
        run(&[]),
        (1, "good  taken\nbad   NOT taken: it cannot be written: entity not found\n".to_owned())
    );
    assert_eq!(run(&["--channel", "good"]), (0, "good  taken\n".to_owned()));
    let (code, said) = run(&["--channel", "other"]);
    assert_eq!((code, said.as_str()), (2, "no such channel\n  hint: there is good, bad\n"));
    let (_, said) = run(&["--json"]);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        said["channels"][1],
        json!({ "channel": "bad", "taken": false, "why": "it cannot be written: entity not found" })
    );
    let alerts = lines(&folder.path().join("alerts.jsonl"));
    assert!(alerts.len() == 3 && alerts.iter().all(|alert| alert["alert"] == "test"), "{alerts:?}");
}

#[test]
fn whoever_tries_tokens_is_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lockgate.yaml");
    let config = json!({
        "listen": "127.0.0.1:0",
        "servers": { "web": { "command": [LOCKGATE, "demo-server", "web"] } },
        "principals": { "carol": { "token": "carol-carol-carol" } },
        "state": "state",
        "alerts": {
            "channels": { "local": { "file": "alerts.jsonl" } },
            "rules": { "guesses": { "on": ["authentication_failed"], "count": 3, "per": "rule" } }
        }
    });
    std::fs::write(&file, config.to_string()).unwrap();
    let mut gateway =
        Command::new(LOCKGATE).args(["run", "-c"]).arg(&file).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(gateway.stderr.take().unwrap()).lines();
    let address = said.by_ref().find_map(|line| {
        let line = line.unwrap();
        Some(line.strip_prefix("lockgate: listening on http://")?.strip_suffix("/mcp")?.to_owned())
    });
    let address = address.unwrap();
    for _ in 0..3 {
        let mut stream = std::net::TcpStream::connect(&address).unwrap();
        let request = format!(
            "POST /mcp HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer guess\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    }
    let alerts = wait(&folder.path().join("alerts.jsonl"), |alerts| !alerts.is_empty());
    assert!(Command::new("kill").arg(gateway.id().to_string()).status().unwrap().success());
    assert!(gateway.wait().unwrap().success());
    let [alert] = &alerts[..] else { panic!("one alert: {alerts:?}") };
    assert_eq!((&alert["alert"], &alert["count"]), (&json!("authentication_failed"), &json!(3)));
    assert!(!alert.to_string().contains("guess\"") && alert["reason"] == "unauthenticated", "{alert}");
}
