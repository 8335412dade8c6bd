//! Rules, limits, approvals and the shipped policies, with real clients and real servers.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails here has found something"
)]

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use testkit::peers::{
    Running, lockgate, operate, peers, python, python_bare, python_bare_command, reason, repository, results,
    server, typescript, typescript_as, waiting,
};

/// A folder with one file in it.
fn files(folder: &Path) -> PathBuf {
    let files = folder.join("files");
    std::fs::create_dir(&files).unwrap();
    std::fs::write(files.join("note.txt"), "a note").unwrap();
    files
}

fn filesystem(peers: &Path, files: &Path) -> Vec<String> {
    server(peers, "mcp-server-filesystem", &[&files.to_string_lossy()])
}

fn git(peers: &Path, repository: &Path) -> Vec<String> {
    server(peers, "mcp-server-git", &["--repository", &repository.to_string_lossy()])
}

/// How often the client's person was asked.
fn asked(steps: &[Value]) -> usize {
    steps.iter().filter(|step| step.get("asked").is_some()).count()
}

fn write(file: &Path, content: &str) -> Value {
    json!({ "path": file, "content": content })
}

/// How long a person may take: one who answers at once is in time on a busy machine too, and one who is late is not.
const HOLD: &str = "5s";

/// A call, made three times: the person says no, answers too late, says yes.
fn three_times(tool: &str, refused: &Value, accepted: &Value) -> Vec<Value> {
    vec![
        json!(["answer", "decline"]),
        json!(["call", tool, refused]),
        json!(["answer", "late"]),
        json!(["call", tool, refused]),
        json!(["answer", "accept"]),
        json!(["call", tool, accepted]),
    ]
}

/// What must come of it. Gives the last result and those after it.
#[track_caller]
fn refused_twice(steps: &[Value]) -> Vec<&Value> {
    let mut results = results(steps);
    assert!(results.len() >= 3, "{steps:?}");
    assert_eq!(reason(results[0]), "approval_declined", "{steps:?}");
    assert_eq!(reason(results[1]), "approval_timed_out", "{steps:?}");
    assert_eq!(reason(results[2]), Value::Null, "{steps:?}");
    assert_eq!(asked(steps), 3, "{steps:?}");
    results.split_off(2)
}

type Run<'r> = Box<dyn Fn(&Value) -> Vec<Value> + Sync + 'r>;

#[test]
fn a_held_call_is_put_to_the_person_in_front_of_the_client() {
    let Some(peers) = peers() else { return };
    let folder = tempfile::tempdir().unwrap();
    let files = files(folder.path());
    let command = filesystem(&peers, &files);
    let rule = json!({ "ask_if": [{ "content": { "length": { "at_least": 4 } } }] });
    let config = json!({
        // What is read on the way is not the matter here.
        "flow": { "mode": "off" },
        "hold_timeout": HOLD,
        "state": folder.path().join("state"),
        "servers": { "files": { "command": command, "tools": { "write_file": rule } } }
    });
    let gateway = Running::start(folder.path(), &config);
    let file = folder.path().join("lockgate.yaml").to_string_lossy().into_owned();
    let mut wrap = vec![lockgate().to_string_lossy().into_owned()];
    wrap.extend(["wrap", "-c", &file, "--"].map(str::to_owned));
    wrap.extend(command);
    let (alone, all) = (format!("{}/s/files/mcp", gateway.address), format!("{}/mcp", gateway.address));
    let runs: [(&str, &str, Run<'_>); 6] = [
        ("legacy", "", Box::new(|steps| python(&peers, "legacy", steps, std::slice::from_ref(&alone)))),
        ("all", "files__", Box::new(|steps| python(&peers, "auto", steps, std::slice::from_ref(&all)))),
        ("wrap", "", Box::new(|steps| python(&peers, "legacy", steps, &wrap))),
        ("default", "", Box::new(|steps| typescript(&peers, "default", steps, &alone))),
        ("auto", "", Box::new(|steps| typescript(&peers, "auto", steps, &alone))),
        ("auto all", "files__", Box::new(|steps| typescript(&peers, "auto", steps, &all))),
    ];
    for (name, prefix, run) in runs {
        let (refused, held, short) = (files.join("refused"), files.join(name), files.join("short"));
        let tool = format!("{prefix}write_file");
        let mut steps = three_times(&tool, &write(&refused, "never written"), &write(&held, "written"));
        // What the rule does not ask about runs at once.
        steps.push(json!(["call", tool, write(&short, "yes")]));
        let steps = run(&json!(steps));
        let good = refused_twice(&steps);
        assert!(good.len() == 2 && good.iter().all(|good| good.to_string().contains("Successfully wrote")));
        assert_eq!(std::fs::read_to_string(&held).unwrap(), "written", "{name}");
        assert!(!refused.exists() && short.exists(), "{name}");
        std::fs::remove_file(short).unwrap();
    }
}

#[test]
fn a_held_call_of_the_stateless_era_is_put_to_the_person_too() {
    let Some(peers) = peers() else { return };
    let folder = tempfile::tempdir().unwrap();
    let repository = repository(folder.path());
    let config = json!({
        "hold_timeout": HOLD,
        "servers": {
            "git": { "command": git(&peers, &repository), "tools": { "git_status": "ask" } },
            "time": { "command": server(&peers, "mcp-server-time", &["--local-timezone=UTC"]), "tier": "core" }
        }
    });
    let gateway = Running::start(folder.path(), &config);
    let (alone, all) = (format!("{}/s/git/mcp", gateway.address), format!("{}/mcp", gateway.address));
    let status = json!({ "repo_path": repository });
    let runs: [(&str, Run<'_>); 4] = [
        ("git_status", Box::new(|steps| python(&peers, "2026-07-28", steps, std::slice::from_ref(&alone)))),
        ("git__git_status", Box::new(|steps| python(&peers, "auto", steps, std::slice::from_ref(&all)))),
        ("git_status", Box::new(|steps| typescript(&peers, "auto", steps, &alone))),
        ("git__git_status", Box::new(|steps| typescript(&peers, "auto", steps, &all))),
    ];
    for (tool, run) in runs {
        let steps = run(&json!(three_times(tool, &status, &status)));
        assert!(refused_twice(&steps)[0].to_string().contains("nothing to commit"), "{steps:?}");
    }
}

/// Says what somebody at the command line says to the call that waits, and gives what the client made of it.
fn outside(state: &Path, verb: &str, client: impl FnOnce() -> Vec<Value> + Send) -> (Value, Vec<Value>) {
    std::thread::scope(|scope| {
        let client = scope.spawn(client);
        let entry = waiting(state);
        let id = entry["id"].as_str().unwrap();
        let (code, said) = operate(state, "", &["approvals", verb, id, "--reason", "a test"]);
        assert_eq!(code, Some(0), "{said}");
        (entry.clone(), client.join().unwrap())
    })
}

#[test]
fn somebody_outside_the_client_approves_or_refuses() {
    let Some(peers) = peers() else { return };
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let (files, repository) = (files(folder.path()), repository(folder.path()));
    let config = json!({
        "approvals": {},
        "servers": {
            "files": { "command": filesystem(&peers, &files), "tools": { "write_file": "ask" } },
            "git": { "command": git(&peers, &repository), "tools": { "git_log": "ask" } }
        }
    });
    let gateway = Running::start(folder.path(), &config);
    let at = |path: &str| [format!("{}{path}", gateway.address)];
    let (alone, all, modern) = (at("/s/files/mcp"), at("/mcp"), at("/s/git/mcp"));
    let log = |count: u64| json!(["call", "git_log", { "repo_path": repository, "max_count": count }]);
    let (new, other) = (files.join("new"), files.join("other"));
    // None of these clients can ask anybody.
    let runs: [(&str, [Value; 2], Run<'_>); 4] = [
        (
            "Successfully wrote",
            [
                json!(["call", "write_file", write(&new, "no")]),
                json!(["call", "write_file", write(&new, "1")]),
            ],
            Box::new(|steps| python_bare(&peers, "legacy", steps, &alone)),
        ),
        (
            "Successfully wrote",
            [
                json!(["call", "files__write_file", write(&other, "no")]),
                json!(["call", "files__write_file", write(&other, "2")]),
            ],
            Box::new(|steps| typescript(&peers, "default", steps, &all[0])),
        ),
        ("first", [log(1), log(2)], Box::new(|steps| python_bare(&peers, "2026-07-28", steps, &modern))),
        ("first", [log(3), log(4)], Box::new(|steps| typescript(&peers, "auto", steps, &modern[0]))),
    ];
    for (expected, [no, yes], run) in runs {
        let (entry, steps) = outside(&state, "deny", || run(&json!([no])));
        assert_eq!((&entry["principal"], &entry["approvers"]), (&json!("local"), &json!(1)), "{entry}");
        assert_eq!(reason(results(&steps)[0]), "approval_declined", "{steps:?}");
        let written = |file: &Path| std::fs::read_to_string(file).unwrap_or_default();
        assert!(written(&new) != "no" && written(&other) != "no");
        let (entry, steps) = outside(&state, "approve", || run(&json!([yes])));
        let result = results(&steps)[0];
        assert_eq!(reason(result), Value::Null, "{steps:?}");
        assert!(result.to_string().contains(expected), "{steps:?}");
        // The yes was used, and one who comes later is told so.
        let id = entry["id"].as_str().unwrap();
        let (_, entry) = operate(&state, "", &["approvals", "show", id]);
        assert_eq!((&entry["standing"], &entry["uses"]), (&json!("used"), &json!(1)), "{entry}");
        assert_eq!(operate(&state, "", &["approvals", "approve", id]).0, Some(1));
    }
    assert_eq!(std::fs::read_to_string(new).unwrap(), "1");
    assert_eq!(std::fs::read_to_string(other).unwrap(), "2");
}

#[test]
fn two_people_one_of_them_in_front_of_the_client() {
    let Some(peers) = peers() else { return };
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let files = files(folder.path());
    let (alice, bob) = ("token-of-alice-0000", "token-of-bob-000000");
    let rule = json!({ "action": "ask", "approvers": 2 });
    let config = json!({
        "approvals": {},
        "principals": { "alice": { "token": alice }, "bob": { "token": bob } },
        "servers": { "files": { "command": filesystem(&peers, &files), "tools": { "write_file": rule } } }
    });
    let gateway = Running::start(folder.path(), &config);
    let file = folder.path().join("lockgate.yaml");
    let config = file.to_str().unwrap();
    for (mode, path, tool) in
        [("default", "/s/files/mcp", "write_file"), ("auto", "/mcp", "files__write_file")]
    {
        let new = files.join(mode);
        let steps = json!([["answer", "accept"], ["call", tool, write(&new, "written")]]);
        let address = format!("{}{path}", gateway.address);
        let steps = std::thread::scope(|scope| {
            let client = scope.spawn(|| typescript_as(&peers, alice, mode, &steps, &address));
            let mut entry = waiting(&state);
            testkit::hostile::until("the voice of the client counts", || {
                entry = waiting(&state);
                entry["have"] == 1
            });
            let id = entry["id"].as_str().unwrap();
            let approve = |name: &str, token: &str| {
                let arguments = ["approvals", "approve", id, "--as", name, "-c", config];
                operate(&state, token, &arguments)
            };
            assert_eq!(approve("bob", alice).0, Some(1), "who says bob proves it");
            let (_, still) = approve("alice", alice);
            assert_eq!((&still["have"], &still["need"]), (&json!(1), &json!(2)), "one voice: {still}");
            assert!(!new.exists());
            assert_eq!(approve("bob", bob).1["standing"], "approved");
            client.join().unwrap()
        });
        assert!(results(&steps)[0].to_string().contains("Successfully wrote"), "{steps:?}");
        assert_eq!(std::fs::read_to_string(new).unwrap(), "written");
    }
}

#[test]
fn a_call_that_was_held_before_a_restart_is_made_by_a_new_client() {
    let Some(peers) = peers() else { return };
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let files = files(folder.path());
    let config = json!({
        "approvals": {},
        "servers": { "files": { "command": filesystem(&peers, &files), "tools": { "write_file": "ask" } } }
    });
    let new = files.join("new");
    let steps = json!([["call", "write_file", write(&new, "written")]]);
    let at = |gateway: &Running| [format!("{}/s/files/mcp", gateway.address)];
    let first = Running::start(folder.path(), &config);
    let mut lost = python_bare_command(&peers, "legacy", &steps, &at(&first));
    let mut lost = lost.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let id = waiting(&state)["id"].as_str().unwrap().to_owned();
    drop(first);
    lost.kill().unwrap();
    lost.wait().unwrap();
    assert_eq!(operate(&state, "", &["approvals", "approve", &id]).1["standing"], "approved");
    let second = Running::start(folder.path(), &config);
    assert!(!new.exists());
    let steps = python_bare(&peers, "legacy", &steps, &at(&second));
    assert!(results(&steps)[0].to_string().contains("Successfully wrote"), "{steps:?}");
    assert_eq!(std::fs::read_to_string(new).unwrap(), "written");
}

#[test]
fn limits_hold_for_all_clients_and_across_restarts() {
    let Some(peers) = peers() else { return };
    let folder = tempfile::tempdir().unwrap();
    let config = json!({ "servers": { "every": {
        "command": server(&peers, "mcp-server-everything", &["stdio"]),
        "tools": {
            "echo": { "limits": ["3/hour"] },
            "get-sum": { "limits": [{ "sum": "a", "at_most": "100.50", "per": "day" }] }
        }
    } } });
    let echo = json!(["call", "echo", { "message": "hello" }]);
    let sum = |a: Value| json!(["call", "get-sum", { "a": a, "b": 0 }]);
    let gateway = Running::start(folder.path(), &config);
    let at = |gateway: &Running| [format!("{}/s/every/mcp", gateway.address)];
    let steps = json!([echo, echo, sum(json!(100)), sum(json!(0.51)), sum(json!(-5)), sum(json!(0.5))]);
    let steps = python(&peers, "legacy", &steps, &at(&gateway));
    let reasons: Vec<_> = results(&steps).into_iter().map(reason).collect();
    let (full, bad) = (json!("budget_exceeded"), json!("argument_denied"));
    let none = Value::Null;
    assert_eq!(reasons, [none.clone(), none.clone(), none.clone(), full.clone(), bad, none.clone()]);
    let steps = typescript(&peers, "auto", &json!([echo, echo]), &at(&gateway)[0]);
    let reasons: Vec<_> = results(&steps).into_iter().map(reason).collect();
    assert_eq!(reasons, [none.clone(), full.clone()], "{steps:?}");
    drop(gateway);
    let gateway = Running::start(folder.path(), &config);
    let steps = json!([echo, sum(json!(0)), sum(json!(0.01))]);
    let steps = python(&peers, "legacy", &steps, &at(&gateway));
    let reasons: Vec<_> = results(&steps).into_iter().map(reason).collect();
    assert_eq!(reasons, [full.clone(), none, full], "{steps:?}");
}

#[test]
fn a_refusal_says_what_the_operator_wants_said() {
    let Some(peers) = peers() else { return };
    let folder = tempfile::tempdir().unwrap();
    let files = files(folder.path());
    let note = files.join("note.txt");
    let rule = json!({
        "require": { "path": { "path": { "inside": [files] } }, "head": { "at_most": 10 } },
        "on_deny": "Ten lines, of files in the folder."
    });
    let config = json!({ "servers": { "files": {
        "command": filesystem(&peers, &files), "tools": { "read_text_file": rule }
    } } });
    let gateway = Running::start(folder.path(), &config);
    let alone = format!("{}/s/files/mcp", gateway.address);
    let steps = json!([
        ["call", "read_text_file", { "path": note, "head": 10 }],
        ["call", "read_text_file", { "path": note, "head": 11 }],
        ["call", "read_text_file", { "path": note }],
        ["call", "read_text_file", { "path": "/etc/passwd", "head": 1 }],
    ]);
    for steps in [
        python(&peers, "legacy", &steps, std::slice::from_ref(&alone)),
        typescript(&peers, "default", &steps, &alone),
    ] {
        let results = results(&steps);
        assert!(results[0].to_string().contains("a note"), "{steps:?}");
        for refused in &results[1..] {
            assert_eq!(reason(refused), "argument_denied", "{steps:?}");
            assert_eq!(refused["isError"], true);
            assert!(
                refused["content"].to_string().contains("Ten lines, of files in the folder."),
                "{refused}"
            );
        }
    }
}

#[test]
fn by_class_a_read_runs_and_a_write_asks() {
    let Some(peers) = peers() else { return };
    let folder = tempfile::tempdir().unwrap();
    let files = files(folder.path());
    let (note, new) = (files.join("note.txt"), files.join("new"));
    let config =
        json!({ "default": "class", "servers": { "files": { "command": filesystem(&peers, &files) } } });
    let gateway = Running::start(folder.path(), &config);
    let address = [format!("{}/s/files/mcp", gateway.address)];
    let steps = json!([
        ["call", "read_text_file", { "path": note }],
        ["answer", "accept"],
        ["call", "write_file", write(&new, "written")],
        ["answer", "decline"],
        ["call", "move_file", { "source": note, "destination": files.join("moved") }],
    ]);
    let steps = python(&peers, "legacy", &steps, &address);
    assert!(results(&steps)[0].to_string().contains("a note"), "{steps:?}");
    assert_eq!(asked(&steps), 2, "{steps:?}");
    assert_eq!(std::fs::read_to_string(&new).unwrap(), "written");
    assert_eq!(reason(results(&steps)[2]), "approval_declined");
    assert!(note.exists());
    // Where nobody can be asked, what asks is refused, and the record says by which class.
    let steps =
        json!([["call", "read_text_file", { "path": note }], ["call", "write_file", write(&new, "no")]]);
    let steps = python_bare(&peers, "legacy", &steps, &address);
    assert_eq!(reason(results(&steps)[0]), Value::Null);
    assert_eq!(reason(results(&steps)[1]), "approval_unavailable", "{steps:?}");
    assert_eq!(std::fs::read_to_string(&new).unwrap(), "written");
}

/// A shipped policy, with its folder replaced by one of ours and its command by the installed one.
fn shipped(peers: &Path, name: &str, folder: (&str, &Path), records: &Path) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies").join(name);
    let text = std::fs::read_to_string(file).unwrap();
    let text = text.replace(folder.0, &folder.1.to_string_lossy());
    let mut config: Value = serde_saphyr::from_str(&text).unwrap();
    for server in config["servers"].as_object_mut().unwrap().values_mut() {
        let program = server["command"][0].as_str().unwrap().to_owned();
        server["command"][0] = json!(testkit::peers::server(peers, &program, &[])[0]);
    }
    config["records"] = json!({ "file": records });
    config
}

/// A folder whose name is not hidden: the policies refuse hidden names.
fn visible() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("lockgate").tempdir().unwrap()
}

/// Runs calls: those that must succeed, each with what its result says, and those that must be refused.
fn rehearse(address: &str, peers: &Path, good: &[(Value, &str)], refused: &[Value]) {
    let mut steps = vec![json!(["answer", "accept"])];
    steps.extend(good.iter().map(|(call, _)| call.clone()));
    steps.extend(refused.iter().cloned());
    let said = python(peers, "legacy", &json!(steps), &[address.to_owned()]);
    let results = results(&said);
    assert_eq!(results.len(), good.len() + refused.len(), "{said:?}");
    let (run, not) = results.split_at(good.len());
    for (result, (call, expected)) in run.iter().zip(good) {
        assert_eq!(reason(result), Value::Null, "{call}: {result}");
        assert!(result.to_string().contains(expected) && result["isError"] != true, "{call}: {result}");
    }
    for (result, call) in not.iter().zip(refused) {
        assert_eq!(reason(result), "argument_denied", "{call}: {result}");
    }
}

/// No refused call was sent.
fn none_was_sent(records: &Path, refused: usize) {
    let text = std::fs::read_to_string(records).unwrap();
    let records: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let denied: Vec<_> = records.iter().filter(|record| record["reason"] == "argument_denied").collect();
    assert_eq!(denied.len(), refused);
    for denied in denied {
        let others =
            |record: &&Value| record["correlation"] == denied["correlation"] && record["event"] == "answer";
        assert_eq!(records.iter().filter(others).count(), 0, "{denied}");
    }
}

#[test]
fn the_policy_for_files_in_front_of_the_real_server() {
    let Some(peers) = peers() else { return };
    let folder = visible();
    let files = files(folder.path());
    std::fs::create_dir(files.join(".git")).unwrap();
    for (name, text) in
        [(".env", "SECRET-TEXT"), ("server.key", "SECRET-TEXT"), (".git/config", "SECRET-TEXT")]
    {
        std::fs::write(files.join(name), text).unwrap();
    }
    let records = folder.path().join("records.jsonl");
    let config = shipped(&peers, "filesystem.yaml", ("/srv/files", &files), &records);
    let gateway = Running::start(folder.path(), &config);
    let at = |name: &str| files.join(name);
    let edit = json!([{ "oldText": "a note", "newText": "another note" }]);
    let good = [
        (json!(["call", "read_text_file", { "path": at("note.txt") }]), "a note"),
        (json!(["call", "read_multiple_files", { "paths": [at("note.txt")] }]), "a note"),
        (json!(["call", "list_directory", { "path": files }]), "note.txt"),
        (json!(["call", "get_file_info", { "path": at("note.txt") }]), "size: 6"),
        (json!(["call", "edit_file", { "path": at("note.txt"), "edits": edit, "dryRun": true }]), "another"),
        (json!(["call", "write_file", write(&at("new.txt"), "written")]), "Successfully wrote"),
        (json!(["call", "create_directory", { "path": at("sub") }]), "Successfully"),
        (
            json!(["call", "move_file", { "source": at("new.txt"), "destination": at("sub/new.txt") }]),
            "Successfully moved",
        ),
    ];
    let refused = [
        json!(["call", "read_text_file", { "path": at("../lockgate.yaml") }]),
        json!(["call", "read_text_file", { "path": at(".env") }]),
        json!(["call", "read_text_file", { "path": at("server.key") }]),
        json!(["call", "read_text_file", { "path": at(".git/config") }]),
        json!(["call", "read_multiple_files", { "paths": [at("note.txt"), at("server.key")] }]),
        json!(["call", "list_directory", { "path": at(".git") }]),
        json!(["call", "write_file", write(&at("Makefile"), "all: evil")]),
        json!(["call", "write_file", write(&at(".git/hooks"), "evil")]),
        json!(["call", "edit_file", { "path": at("run.sh"), "edits": edit }]),
        json!(["call", "move_file", { "source": at("server.key"), "destination": at("plain.txt") }]),
    ];
    rehearse(&format!("{}/s/filesystem/mcp", gateway.address), &peers, &good, &refused);
    drop(gateway);
    none_was_sent(&records, refused.len());
    assert_eq!(std::fs::read_to_string(at("sub/new.txt")).unwrap(), "written");
    assert!(!at("Makefile").exists() && at("server.key").exists() && !at("plain.txt").exists());
}

#[test]
fn the_policy_for_git_in_front_of_the_real_server() {
    let Some(peers) = peers() else { return };
    let folder = visible();
    let repository = repository(folder.path());
    std::fs::write(repository.join("new"), "new text").unwrap();
    let records = folder.path().join("records.jsonl");
    let mut config = shipped(&peers, "git.yaml", ("/srv/repos", folder.path()), &records);
    config["servers"]["git"]["command"][2] = json!(repository);
    let gateway = Running::start(folder.path(), &config);
    let call = |tool: &str, more: Value| {
        let mut arguments = json!({ "repo_path": repository });
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!(["call", tool, arguments])
    };
    let good = [
        (call("git_status", json!({})), "new"),
        (call("git_log", json!({ "max_count": 1 })), "first"),
        (call("git_show", json!({ "revision": "HEAD" })), "first"),
        (call("git_add", json!({ "files": ["new"] })), "staged"),
        (call("git_diff_staged", json!({})), "new text"),
        (call("git_create_branch", json!({ "branch_name": "side" })), "side"),
    ];
    let refused = [
        call("git_diff", json!({ "target": "--output=/tmp/lockgate-escaped" })),
        call("git_show", json!({ "revision": "--output=/tmp/lockgate-escaped" })),
        call("git_log", json!({ "max_count": -1 })),
        call("git_add", json!({ "files": ["."] })),
        call("git_add", json!({ "files": [".git/config"] })),
        call("git_create_branch", json!({ "branch_name": "--help" })),
        call("git_commit", json!({ "message": "a\u{1b}[2Jb" })),
        json!(["call", "git_status", { "repo_path": folder.path().join("../..") }]),
        json!(["call", "git_log", { "repo_path": "/etc" }]),
    ];
    rehearse(&format!("{}/s/git/mcp", gateway.address), &peers, &good, &refused);
    drop(gateway);
    none_was_sent(&records, refused.len());
    assert!(!Path::new("/tmp/lockgate-escaped").exists());
}
