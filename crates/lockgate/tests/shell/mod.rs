//! Lockgate as a program in a folder of its own, and servers in a few lines of shell.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// A server that answers with the `result` of the first case that the message is of. `start` comes before the first message.
pub(crate) fn server(start: &str, cases: &[&str]) -> String {
    let cases = cases.join(" ;;\n    ");
    format!(
        r#"#!/bin/sh
{start}
while read -r line; do
    id=$(printf '%s' "$line" | sed -n 's/.*"id":\([0-9]*\).*/\1/p')
    [ -n "$id" ] || continue
    case "$line" in
    {cases} ;;
    esac
    printf '{{"jsonrpc":"2.0","id":%s,"result":%s}}\n' "$id" "$result"
done
"#
    )
}

/// Writes a program.
pub(crate) fn install(file: &Path, text: &str) {
    std::fs::write(file, text).unwrap();
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// A program in a folder, with its state below it; programs are found there and beside Lockgate.
pub(crate) fn command(at: &Path, program: &str) -> Command {
    let mut command = Command::new(program);
    let own = Path::new(env!("CARGO_BIN_EXE_lockgate")).parent().unwrap();
    let path = format!("{}:{}:{}", at.display(), own.display(), std::env::var("PATH").unwrap());
    command.current_dir(at).env("PATH", path).env("LOCKGATE_STATE", at.join("state"));
    command.env_remove("LOCKGATE_ENVIRONMENT").env_remove("LOCKGATE_TRUSTED_KEYS");
    command
}

/// What it prints, and how it ends.
#[track_caller]
pub(crate) fn printed(command: &mut Command) -> (String, i32) {
    let output = command.output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (text, output.status.code().unwrap())
}
