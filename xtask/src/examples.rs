//! Every folder in `examples/` is read by the product itself.

use std::process::Command;

use anyhow::Result;

use crate::run::{self, cargo, root, say, target};

pub(crate) fn run() -> Result<()> {
    run::run(&mut cargo(&["build", "--package", "lockgate"]))?;
    let binary = target().join("debug/lockgate");
    let mut folders: Vec<_> = std::fs::read_dir(root().join("examples"))?.filter_map(Result::ok).collect();
    folders.sort_by_key(std::fs::DirEntry::path);
    for folder in folders {
        for name in ["lockgate.yaml", "mcp.json"] {
            let file = folder.path().join(name);
            if file.is_file() {
                say(&format!("--- {}", file.display()));
                // The examples name these variables; their values do not matter here.
                let example = [
                    ("GITHUB_TOKEN", "example-token-0000"),
                    ("ALICE_TOKEN", "example-token-of-alice"),
                    ("ANN_TOKEN", "example-token-of-ann"),
                    ("BOB_TOKEN", "example-token-of-bob"),
                    ("WEBHOOK_SECRET", "example-secret-0000"),
                ];
                run::run(Command::new(&binary).arg("check").arg(&file).envs(example))?;
            }
        }
    }
    Ok(())
}
