//! Speed, measured in `bench/` (a workspace of its own).

use anyhow::Result;

use crate::run::{self, cargo, root};

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    run::run(&mut cargo(&["build", "--release", "--package", "lockgate"]))?;
    let manifest = root().join("bench/Cargo.toml");
    let manifest = manifest.to_string_lossy();
    let run_bin = |bin, arguments| {
        let mut bench =
            cargo(&["run", "--release", "--quiet", "--manifest-path", &manifest, "--bin", bin, "--"]);
        run::run(bench.args::<&[String], _>(arguments))
    };
    run_bin("bench", arguments)?;
    run_bin("rules", &[])
}
