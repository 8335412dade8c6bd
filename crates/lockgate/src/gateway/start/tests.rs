use std::path::Path;
use std::process::Command;
use std::time::Instant;

use lockgate_attest::{BuildPolicy, Signer};
use lockgate_origin::{Origin, Owner};
use lockgate_transport::TlsKey;

use super::*;
use crate::config::Config;
use crate::gateway::{Unlisted, list_tools};

fn launch(folder: &Path, command: &[&str]) -> Launch {
    let path = std::env::var("PATH").unwrap_or_default();
    let home = folder.to_string_lossy().into_owned();
    Launch {
        command: command.iter().map(|word| (*word).to_owned()).collect(),
        environment: vec![("PATH".to_owned(), path), ("HOME".to_owned(), home)],
        directory: Some(folder.to_path_buf()),
    }
}

fn start(folder: &Path, command: &[&str], expected: Expected) -> Result<Launch, Reason> {
    let attestations = Attestations::new(&folder.join("attestations"));
    let compiled = folder.join("compiled");
    let start = Start { launch: launch(folder, command), expected, attestations, compiled };
    start.examined(&Cache::default()).map_err(|refused| refused.reason())
}

fn pinned(folder: &Path, command: &[&str]) -> Expected {
    let Launch { command, environment, .. } = launch(folder, command);
    let setting = Setting { command: &command, environment: &environment, directory: folder };
    Expected { pinned: Some(resolve(&setting, &Cache::default()).unwrap().origin), ..Expected::default() }
}

/// SAFE-T1002: a script that was pinned and is another one now.
#[test]
fn a_changed_server_is_not_started() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.sh");
    std::fs::write(&file, "echo one").unwrap();
    let command = ["bash", "server.sh"];
    let expected = pinned(folder.path(), &command);
    let launch = start(folder.path(), &command, expected.clone()).unwrap();
    assert!(Path::new(&launch.command[0]).is_absolute(), "the program that was looked at, and no other");
    std::fs::write(&file, "echo two").unwrap();
    assert_eq!(start(folder.path(), &command, expected.clone()).err(), Some(Reason::ArtefactChanged));
    assert!(start(folder.path(), &command, Expected::default()).is_ok(), "nobody has pinned it");
    std::fs::remove_file(&file).unwrap();
    assert_eq!(start(folder.path(), &command, expected).err(), Some(Reason::VersionNotPinned));
}

/// SAFE-T1207: what is pinned is installed no longer, so that npx would fetch what is newest.
#[test]
fn nothing_is_fetched_in_the_place_of_what_is_pinned() {
    let folder = tempfile::tempdir().unwrap();
    let expected = Expected {
        pinned: Some(Origin::new(lockgate_origin::Kind::Npm, "@maker/server")),
        ..Expected::default()
    };
    let refused = start(folder.path(), &["npx", "-y", "@maker/server@latest"], expected);
    assert_eq!(refused.err(), Some(Reason::VersionNotPinned));
}

/// SAFE-T1003: an image that nobody has approved, and one of which the lock file says only the tag.
#[test]
fn what_must_be_pinned_is_not_started_before_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let command = ["docker", "run", "-i", "--rm", "ghcr.io/evil/mcp:latest"];
    let must = Expected { must_be_pinned: true, ..Expected::default() };
    assert_eq!(start(folder.path(), &command, must).err(), Some(Reason::VersionNotPinned));
    let by_tag = pinned(folder.path(), &command);
    assert_eq!(start(folder.path(), &command, by_tag).err(), Some(Reason::VersionNotPinned));
    let exact = format!("ghcr.io/good/mcp@sha256:{}", "0a".repeat(32));
    let command = ["docker", "run", "-i", "--rm", &exact];
    assert!(start(folder.path(), &command, pinned(folder.path(), &command)).is_ok());
}

#[test]
fn who_answers_for_a_server_must_be_known_where_it_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("package.json"), r#"{"name":"a","author":"A Maker"}"#).unwrap();
    std::fs::write(folder.path().join("server.js"), "").unwrap();
    let command = ["node", "server.js"];
    let wants = |known: &[Part], owner: Owner| {
        let expected = Expected { known: known.to_vec(), owner, ..Expected::default() };
        start(folder.path(), &command, expected).err()
    };
    let security = Owner { security: Some("security@code.example".to_owned()), ..Owner::default() };
    let both = [Part::Maintainer, Part::Security];
    assert_eq!(wants(&[Part::Maintainer], Owner::default()), None);
    assert_eq!(wants(&both, Owner::default()), Some(Reason::OwnerUnknown));
    assert_eq!(wants(&both, security), None);
}

/// SAFE-T1002, second case: what nobody attests, and what another one has signed.
#[test]
fn what_must_be_attested_and_is_not_is_not_started() {
    let folder = tempfile::tempdir().unwrap();
    let package = folder.path().join("node_modules/sigstore");
    std::fs::create_dir_all(&package).unwrap();
    std::fs::write(package.join("package.json"), r#"{"name":"sigstore","version":"2.0.0"}"#).unwrap();
    std::fs::write(package.join("index.js"), "").unwrap();
    let integrity =
        "sha512-RtTi90xIdzFmQAAKb9+Ki1nx4IR2Z5c+mFn3dN0xuPHgk3gTt3f7ZqKsZ9UFQP40ZAlm7un8LMyjhwgrTIXNPA==";
    let list = format!(
        r#"{{"packages":{{"node_modules/sigstore":{{"version":"2.0.0","integrity":"{integrity}"}}}}}}"#
    );
    std::fs::write(folder.path().join("node_modules/.package-lock.json"), list).unwrap();
    let command = ["node", "node_modules/sigstore/index.js"];
    let attempt = |identity: &str| {
        let signer = Signer::identity(identity, "https://token.actions.githubusercontent.com").unwrap();
        let attested = Voucher { signer, build: BuildPolicy::default() };
        let expected = Expected { attested: Some(attested), ..Expected::default() };
        start(folder.path(), &command, expected).err()
    };
    let right = "https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main";
    assert_eq!(attempt(right), Some(Reason::ArtefactUnproven), "nothing was fetched");
    let Some(bundle) = bundle() else { return };
    let document = format!(r#"{{"attestations":[{{"predicateType":"p","bundle":{bundle}}}]}}"#);
    let origin = pinned(folder.path(), &command).pinned.unwrap();
    let kept = Attestations::new(&folder.path().join("attestations"));
    kept.keep(&Archive::of(&origin).unwrap(), document.as_bytes()).unwrap();
    assert_eq!(attempt(right), None);
    assert_eq!(attempt(&right.replace("sigstore-js", "evil-js")), Some(Reason::ArtefactUnproven));
}

/// SAFE-T1002: the archive that the lock file names counts only for the files that it was found for.
#[test]
fn a_package_of_python_is_attested_as_it_was_pinned() {
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("venv/lib/python3.11/site-packages");
    let info = site.join("tool-1.0.dist-info");
    std::fs::create_dir_all(&info).unwrap();
    std::fs::create_dir_all(folder.path().join("venv/bin")).unwrap();
    let python = folder.path().join("venv/bin/python");
    std::fs::copy("/bin/sh", &python).unwrap();
    std::fs::write(folder.path().join("venv/pyvenv.cfg"), "home = /usr/bin\n").unwrap();
    std::fs::write(info.join("METADATA"), "Name: tool\nVersion: 1.0\n\n").unwrap();
    std::fs::write(info.join("RECORD"), "tool.py,,\n").unwrap();
    std::fs::write(site.join("tool.py"), "main()\n").unwrap();
    let python = python.to_string_lossy().into_owned();
    let command = [python.as_str(), "-m", "tool"];
    let mut origin = pinned(folder.path(), &command).pinned.unwrap();
    assert_eq!(origin.kind, lockgate_origin::Kind::Pypi);
    let attempt = |origin: &Origin| {
        let github = "https://token.actions.githubusercontent.com";
        let signer =
            Signer::identity("https://github.com/org/tool/release.yml@refs/heads/main", github).unwrap();
        let attested = Some(Voucher { signer, build: BuildPolicy::default() });
        let expected = Expected { attested, pinned: Some(origin.clone()), ..Expected::default() };
        start(folder.path(), &command, expected).err()
    };
    assert_eq!(attempt(&origin), Some(Reason::ArtefactUnproven), "its archive is not known");
    origin.integrity = Some(format!("tool-1.0-py3-none-any.whl sha256:{}", "0a".repeat(32)));
    assert_eq!(attempt(&origin), Some(Reason::ArtefactUnproven), "nothing was fetched");
    let kept = Attestations::new(&folder.path().join("attestations"));
    let document = br#"{"version":1,"attestation_bundles":[]}"#;
    kept.keep(&Archive::of(&origin).unwrap(), document).unwrap();
    assert_eq!(attempt(&origin), Some(Reason::ArtefactUnproven), "nobody has signed it");
    let only_pinned = Expected { pinned: Some(origin.clone()), ..Expected::default() };
    assert_eq!(start(folder.path(), &command, only_pinned).err(), None);
    std::fs::write(site.join("tool.py"), "evil()\n").unwrap();
    assert_eq!(attempt(&origin), Some(Reason::ArtefactChanged));
}

/// The attestation of `sigstore@2.0.0`, which is among the test data of the library that verifies it.
fn bundle() -> Option<String> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))?;
    let path = "sigstore-verify-0.15.1/test_data/bundles/sigstore.js@2.0.0-provenance.sigstore.json";
    let mut sources = std::fs::read_dir(home.join("registry/src")).ok()?.flatten();
    let bundle = sources.find_map(|source| std::fs::read_to_string(source.path().join(path)).ok());
    if bundle.is_none() {
        eprintln!("skipped: the source of sigstore-verify is not in cargo's registry");
    }
    bundle
}

/// SAFE-T1407.
#[test]
fn a_server_elsewhere_is_the_one_that_was_pinned() {
    let key = |letter: &str| format!("sha256/{}=", letter.repeat(43));
    let pinned = |url: &str, letter: Option<&str>| {
        let mut origin = remote(url).unwrap();
        origin.key = letter.map(key);
        Expected { pinned: Some(origin), ..Expected::default() }
    };
    let written =
        |letter: &str, expected: Expected| Expected { key: TlsKey::parse(&key(letter)), ..expected };
    let must = Expected { must_be_pinned: true, ..Expected::default() };
    let here = "https://mcp.example/mcp";
    for (expected, reason) in [
        (Expected::default(), None),
        (must, Some(Reason::VersionNotPinned)),
        (pinned(here, Some("A")), None),
        (pinned("https://mcp.example/other", Some("A")), None),
        (pinned("https://evil.example/mcp", Some("A")), Some(Reason::VersionNotPinned)),
        (pinned("http://mcp.example/mcp", Some("A")), Some(Reason::VersionNotPinned)),
        (pinned(here, None), Some(Reason::VersionNotPinned)),
        (written("A", pinned(here, Some("A"))), None),
        (written("E", pinned(here, Some("A"))), Some(Reason::ServerKeyChanged)),
    ] {
        let refused = examine_remote(here, &expected).err().map(|refused| refused.reason());
        assert_eq!(refused, reason, "{expected:?}");
    }
}

/// What a server that is started as the configuration says offers: its tools, or the reason why not.
fn tools(config: &Config) -> Result<usize, Reason> {
    let servers: Vec<ServerName> = config.launches.keys().cloned().collect();
    let lists = list_tools(config, &servers).unwrap();
    match lists.into_values().next().unwrap() {
        Ok(tools) => Ok(tools.len()),
        Err(Unlisted::Found(reason)) => Err(reason),
        Err(other) => panic!("{other}"),
    }
}

/// Pins what the one server of the configuration is now.
fn pin(config: &mut Config) -> Origin {
    let (name, launch) = config.launches.iter().next().unwrap();
    let crate::config::Launch::Command { command, .. } = launch else { panic!("a program") };
    let environment: Vec<(String, String)> =
        ["PATH", "HOME"].iter().map(|name| ((*name).to_owned(), std::env::var(name).unwrap())).collect();
    let here = std::env::current_dir().unwrap();
    let setting = Setting { command, environment: &environment, directory: &here };
    let cache = Cache::default();
    let from = Instant::now();
    let origin = resolve(&setting, &cache).unwrap().origin;
    let cold = from.elapsed();
    let from = Instant::now();
    resolve(&setting, &cache).unwrap();
    eprintln!("{name}: {cold:?} cold, {:?} again", from.elapsed());
    let expected = Expected { pinned: Some(origin.clone()), ..Expected::default() };
    config.expected.insert(name.clone(), expected);
    origin
}

fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(status.is_ok_and(|status| status.success()));
}

/// SAFE-T1002 with real servers of npm and `PyPI`: as they were pinned they start and answer; with one byte changed in one
/// file of what they depend on they do not.
#[test]
fn real_servers_start_as_they_were_pinned_and_not_otherwise() {
    let Some(peers) = testkit::peers::peers() else { return };
    let folder = tempfile::tempdir().unwrap();
    let modules = folder.path().join("node_modules");
    copy(&peers.join("node_modules"), &modules);
    let server = modules.join(".bin/mcp-server-everything");
    let mut config = Config::for_command(vec![server.to_string_lossy().into_owned(), "stdio".to_owned()]);
    let origin = pin(&mut config);
    assert_eq!(
        (origin.kind.word(), origin.name.as_str()),
        ("npm", "@modelcontextprotocol/server-everything")
    );
    assert!(origin.integrity.is_some_and(|integrity| integrity.starts_with("sha512-")));
    assert!(tools(&config).unwrap() > 5);
    let dependency = modules.join("zod/package.json");
    let mut text = std::fs::read(&dependency).unwrap();
    let space = text.iter().position(|byte| *byte == b' ').unwrap();
    text[space] = b'\t';
    std::fs::write(&dependency, text).unwrap();
    assert_eq!(tools(&config), Err(Reason::ArtefactChanged));
}

#[test]
fn a_real_server_of_python_starts_as_it_was_pinned_and_not_otherwise() {
    let Some(peers) = testkit::peers::peers() else { return };
    let folder = tempfile::tempdir().unwrap();
    let python = folder.path().join("python");
    copy(&peers.join("python"), &python);
    // Its script names the interpreter by where it was installed, and this is a copy.
    let mut config = Config::for_command(vec![
        python.join("bin/python").to_string_lossy().into_owned(),
        "-m".to_owned(),
        "mcp_server_git".to_owned(),
    ]);
    let origin = pin(&mut config);
    assert_eq!((origin.kind.word(), origin.name.as_str()), ("pypi", "mcp-server-git"));
    config.state = Some(folder.path().join("state"));
    assert!(tools(&config).unwrap() > 5);
    assert!(folder.path().join("state/compiled").is_dir());
    let sites = std::fs::read_dir(python.join("lib")).unwrap().next().unwrap().unwrap().path();
    let module = sites.join("site-packages/mcp_server_git/server.py");
    let text = std::fs::read_to_string(&module).unwrap();
    std::fs::write(&module, format!("{text}#")).unwrap();
    assert_eq!(tools(&config), Err(Reason::ArtefactChanged));
}
