//! A server of the Python package index is pinned with the archive that it was installed from.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that fails here has found something"
)]

mod shell;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shell::{command, install as install_program, printed};

const FILE: &str = "mcp_tool-1.4-py3-none-any.whl";
const INFO: &str = "mcp_tool-1.4.dist-info";
const SITE: &str = "venv/lib/python3.11/site-packages";

/// What the server answers.
const CASES: [&str; 2] = [
    r#"*'"initialize"'*) result='{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"tool","version":"1.4"}}'"#,
    r#"*) result='{"tools":[{"name":"search","inputSchema":{"type":"object"}}]}'"#,
];

fn write(at: &Path, file: &str, text: &str) {
    std::fs::create_dir_all(at.join(file).parent().unwrap()).unwrap();
    if file.contains("/bin/") {
        install_program(&at.join(file), text);
    } else {
        std::fs::write(at.join(file), text).unwrap();
    }
}

/// Installs the package with this text as its module, and gives the list of its files.
fn install(at: &Path, module: &str) -> String {
    let entries = "[console_scripts]\nmcp-tool = mcp_tool:main\n";
    let metadata = "Metadata-Version: 2.1\nName: mcp-tool\nVersion: 1.4\n\n";
    let wheel = "Wheel-Version: 1.0\nTag: py3-none-any\n";
    let infos = [("METADATA", metadata), ("WHEEL", wheel), ("entry_points.txt", entries)];
    let infos = infos.map(|(name, text)| (format!("{INFO}/{name}"), text));
    let mut list = format!("{INFO}/RECORD,,\n");
    for (path, text) in [("mcp_tool.py".to_owned(), module)].iter().chain(&infos) {
        write(at, &format!("{SITE}/{path}"), text);
        let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(text));
        list += &format!("{path},sha256={digest},{}\n", text.len());
    }
    write(
        at,
        &format!("{SITE}/{INFO}/RECORD"),
        &format!("{list}{INFO}/INSTALLER,,\n../../../bin/mcp-tool,,\n"),
    );
    write(at, "venv/pyvenv.cfg", "home = /usr/bin\n");
    write(at, "venv/bin/python", &shell::server("", &CASES));
    write(at, "venv/bin/mcp-tool", &format!("#!{}/venv/bin/python\n", at.display()));
    list
}

/// A zip archive with one file, which is not packed.
fn zip(name: &str, text: &str) -> Vec<u8> {
    let size = u32::try_from(text.len()).unwrap().to_le_bytes();
    let length = u16::try_from(name.len()).unwrap().to_le_bytes();
    let head = [&[20, 0, 0, 0, 0, 0][..], &[0; 8], &size, &size, &length].concat();
    let local = [b"PK\x03\x04", &head[..], &[0; 2], name.as_bytes(), text.as_bytes()].concat();
    let entry = [b"PK\x01\x02\x14\0", &head[..], &[0; 16], name.as_bytes()].concat();
    let [size, start] = [entry.len(), local.len()].map(|of| u32::try_from(of).unwrap().to_le_bytes());
    let end = [b"PK\x05\x06\0\0\0\0\x01\0\x01\0", &size[..], &start, &[0; 2]].concat();
    [local, entry, end].concat()
}

/// An index with one archive. Gives its address, and what it was asked for.
fn index(archive: Vec<u8>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/simple", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let paths = Arc::clone(&asked);
    let digest =
        Sha256::digest(&archive).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    let page = json!({ "files": [{ "filename": FILE, "url": format!("/files/{FILE}"), "hashes": { "sha256": digest } }] });
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let Some(first) = lines.next() else { continue };
            let _rest = lines.take_while(|line| !line.is_empty()).count();
            let path = first.split(' ').nth(1).unwrap().to_owned();
            let body = match path.as_str() {
                "/simple/mcp-tool/" => page.to_string().into_bytes(),
                path if path.starts_with("/files/") => archive.clone(),
                _ => br#"{"version":1,"attestation_bundles":[]}"#.to_vec(),
            };
            paths.lock().unwrap().push(path);
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            stream.write_all(&[head.as_bytes(), &body].concat()).unwrap();
        }
    });
    (address, asked)
}

/// What `lockgate pin` prints, and how it ends.
fn pin(at: &Path, index: &str, more: &[&str]) -> (String, i32) {
    printed(command(at, "lockgate").env("PIP_INDEX_URL", index).arg("pin").args(more))
}

fn integrity(at: &Path) -> Value {
    let lock = std::fs::read_to_string(at.join("lockgate.lock")).unwrap();
    let lock: Value = serde_json::from_str(&lock).unwrap();
    lock["servers"]["tool"]["origin"]["integrity"].clone()
}

fn configured() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let config = json!({ "servers": { "tool": { "command": ["venv/bin/mcp-tool"] } } });
    write(folder.path(), "lockgate.yaml", &config.to_string());
    folder
}

#[test]
fn the_archive_is_found_once_and_pinned() {
    let folder = configured();
    let at = folder.path();
    let archive = zip(&format!("{INFO}/RECORD"), &install(at, "main = 1\n"));
    let (address, asked) = index(archive);
    let (text, code) = pin(at, &address, &[]);
    assert_eq!(code, 0, "{text}");
    let pinned = integrity(at);
    assert!(pinned.as_str().unwrap().starts_with(&format!("{FILE} sha256:")), "{text}");
    let paths = || asked.lock().unwrap().clone();
    let provenance = format!("/integrity/mcp-tool/1.4/{FILE}/provenance");
    assert_eq!(paths(), ["/simple/mcp-tool/".to_owned(), format!("/files/{FILE}"), provenance]);
    for more in [&["--check"][..], &["--check", "--offline"], &[]] {
        let (text, code) = pin(at, &address, more);
        assert_eq!(code, 0, "{more:?}: {text}");
        assert_eq!((integrity(at), paths().len()), (pinned.clone(), 3), "nobody is asked twice: {more:?}");
    }
}

/// SAFE-T1002: another archive was installed than the index has, with a list of files that fits it.
#[test]
fn what_is_not_of_the_index_is_told_and_has_no_archive() {
    let folder = configured();
    let at = folder.path();
    let archive = zip(&format!("{INFO}/RECORD"), &install(at, "main = 1\n"));
    install(at, "main = 2\n");
    let (address, asked) = index(archive);
    let (text, code) = pin(at, &address, &[]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("the archive that was installed is not the index's"), "{text}");
    assert_eq!((integrity(at), asked.lock().unwrap().len()), (Value::Null, 2));
}
