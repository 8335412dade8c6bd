//! The same server, seen by agents of both eras, is the same.

use serde_json::{Value, json};
use testkit::eras::{only, reference, with};
use testkit::hostile::Gate;
use testkit::peers::{operate, peers, python, repository, results, server};

/// Servers of both eras, of the stateless one and of the older one alone, before agents of either, in both orders.
#[test]
fn agents_of_both_eras_see_the_same_definitions() {
    let Some(peers) = peers() else { return };
    let home = tempfile::tempdir().unwrap();
    let repository = repository(home.path());
    let git = server(&peers, "mcp-server-git", &["--repository", &repository.to_string_lossy()]);
    let orders = [(["legacy", "2026-07-28"], git.clone()), (["2026-07-28", "legacy"], only("legacy", &git))];
    for (modes, git) in orders {
        let mut servers = vec![
            ("git", git),
            ("time", server(&peers, "mcp-server-time", &[])),
            ("every", server(&peers, "mcp-server-everything", &["stdio"])),
        ];
        if let Some(reference) = reference() {
            servers.push(("ref", only("modern", &with(&reference, &["--stdio"]))));
        }
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let named: serde_json::Map<_, _> = servers
            .iter()
            .map(|(name, command)| ((*name).to_owned(), json!({ "command": command, "timeout": "60s" })))
            .collect();
        let gate = Gate::start_in(folder.path(), json!({ "servers": named, "state": state }));
        let mut seen = Vec::new();
        for mode in modes {
            let steps = json!([["tools"], ["prompts"], ["resources"], ["call", "git__git_log", { "repo_path": repository }]]);
            let said = python(&peers, mode, &steps, &[format!("http://{}/mcp", gate.host)]);
            assert_eq!(results(&said).len(), 1, "{mode}: {said:?}");
            let of = |key: &str| said.iter().find_map(|step| step.get(key).cloned()).unwrap_or(Value::Null);
            seen.push((of("tools"), of("prompts"), of("resources")));
        }
        let (_, known) = operate(&state, "", &["quarantine", "list", "--all"]);
        let known = known["quarantine"].as_array().unwrap();
        assert!(known.len() >= 30, "{modes:?}: {}", known.len());
        let others: Vec<_> = known
            .iter()
            .filter(|entry| entry["standing"] != "approved" || entry["cause"] == "changed")
            .collect();
        assert!(others.is_empty(), "{modes:?}: {others:?}");
        assert_eq!(seen[0], seen[1], "{modes:?}");
    }
}
