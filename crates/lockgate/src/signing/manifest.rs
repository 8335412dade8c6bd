//! `lockgate manifest`: what a server offers, signed by its maker, and compared with what it offers now.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use lockgate_attest::{Difference, Manifest, PublicKey, SignedBy, Signer, Trust, Unproven, verify_statement};
use lockgate_model::{ServerName, Untrusted, hex};
use lockgate_provenance::lock::Lock;
use serde_json::{Value, json};

use super::keys::SigningKey;
use super::{offer, read, write};
use crate::command::Told;
use crate::config::{Config, Process, perhaps};
use crate::gateway::list_all;

/// What is done with signed lists.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Ask a server for everything it offers, and sign the list
    #[command(
        after_help = "Example: lockgate manifest sign --key release.pem -o manifest.json -- npx -y @example/notes"
    )]
    Sign {
        /// The private key
        #[arg(long, value_name = "FILE", required_unless_present = "statement")]
        key: Option<PathBuf>,
        /// Write the list unsigned, for who signs it otherwise: `cosign attest-blob --statement FILE --bundle BUNDLE`
        #[arg(long, conflicts_with = "key")]
        statement: bool,
        /// Take what a lock file says of the server, and ask nobody; with `--server` where it has several
        #[arg(long, value_name = "FILE", conflicts_with_all = ["config", "command"])]
        lock: Option<PathBuf>,
        /// Where the signed list goes
        #[arg(short, long, value_name = "FILE", default_value = "manifest.json")]
        output: PathBuf,
        #[command(flatten)]
        server: Which,
    },
    /// Say whether a list is signed by whom it must be, and whether the server offers exactly that now
    #[command(
        after_help = "Exits with 1 where the signature does not hold or anything differs.\n\nExample: lockgate manifest verify manifest.json --key release.pub -- npx -y @example/notes"
    )]
    Verify {
        /// The signed list, or a Sigstore bundle around it
        manifest: PathBuf,
        #[command(flatten)]
        signer: By,
        #[command(flatten)]
        server: Which,
        /// One JSON object for machines
        #[arg(long)]
        json: bool,
    },
    /// Show what stands in a list, if it is signed by whom it must be; no server is asked
    #[command(after_help = "Example: lockgate manifest show manifest.json --key release.pub")]
    Show {
        /// The signed list, or a Sigstore bundle around it
        manifest: PathBuf,
        #[command(flatten)]
        signer: By,
        /// One JSON object for machines
        #[arg(long)]
        json: bool,
    },
}

/// Which server it is.
#[derive(Args)]
pub(crate) struct Which {
    /// The configuration: a lockgate.yaml, or a client's mcp.json
    #[arg(short, long, default_value = "lockgate.yaml", value_name = "FILE")]
    config: PathBuf,
    /// The server, where the configuration has several
    #[arg(long, value_name = "NAME")]
    server: Option<String>,
    /// A server's program and its arguments; no configuration needed
    #[arg(last = true, value_name = "CMD", conflicts_with_all = ["config", "server"])]
    command: Vec<String>,
}

/// Where a list comes from.
enum Source {
    /// A server is asked.
    Server(Which),
    /// A lock file, and the server in it.
    Lock(PathBuf, Option<String>),
}

/// Who must have signed.
#[derive(Args)]
pub(crate) struct By {
    /// A file of public keys; may be given several times, and any one of them is enough
    #[arg(long, value_name = "FILE", required_unless_present = "identity")]
    key: Vec<PathBuf>,
    /// Who must have signed, as the certificate names them; `*` stands for characters other than `/` and `@`, and `**` at
    /// the end for any
    #[arg(long, value_name = "NAME", requires = "issuer", conflicts_with = "key")]
    identity: Option<String>,
    /// Who vouches for the identity, exactly
    #[arg(long, value_name = "URL", requires = "identity")]
    issuer: Option<String>,
    /// Roots of trust instead of those that are in this program
    #[arg(long, value_name = "FILE")]
    trusted_root: Option<PathBuf>,
}

pub(super) fn run(command: Command) -> Result<Told, String> {
    match command {
        Command::Sign { key, output, server, lock, statement: _ } => {
            let source = match lock {
                Some(file) => Source::Lock(file, server.server),
                None => Source::Server(server),
            };
            sign(key.as_deref(), &output, source)
        }
        Command::Verify { manifest, signer, server, json } => verify(&manifest, &signer, server, json),
        Command::Show { manifest, signer, json } => show(&manifest, &signer, json),
    }
}

fn sign(key: Option<&Path>, output: &Path, source: Source) -> Result<Told, String> {
    let key = key.map(SigningKey::read).transpose()?;
    let asked = match source {
        Source::Server(server) => ask(server)?,
        Source::Lock(file, server) => Ok(locked(&file, server.as_deref())?),
    };
    let manifest = match asked {
        Ok(manifest) => manifest,
        Err(error) => return Ok(Told { text: error, code: 1 }),
    };
    let statement = manifest.write();
    let (text, how) = match key {
        Some(key) => (key.sign(&statement), format!("signed with {}", key.public().id())),
        None => (String::from_utf8_lossy(&statement).into_owned(), "not signed".to_owned()),
    };
    write(output, &text)?;
    let (count, named) = (count(manifest.definitions.len()), named(&manifest));
    Ok(Told { text: format!("{}: {count} of {named}, {how}", output.display()), code: 0 })
}

fn verify(file: &Path, expected: &By, server: Which, json: bool) -> Result<Told, String> {
    let (signed, by) = match proven(file, expected)? {
        Ok(proven) => proven,
        Err(error) => return Ok(unproven(file, error, json)),
    };
    let offered = match ask(server)? {
        Ok(offered) => offered,
        Err(error) if json => {
            return Ok(Told { text: json!({ "signed": true, "error": error }).to_string(), code: 1 });
        }
        Err(error) => return Ok(Told { text: error, code: 1 }),
    };
    let differences = signed.differences(&offered.definitions);
    let code = u8::from(!differences.is_empty());
    if json {
        let one = |((kind, name), found): (&(String, String), &Difference)| json!({ "kind": kind, "name": name, "difference": word(found) });
        let all: Vec<Value> = differences.iter().map(one).collect();
        let text =
            json!({ "signed": true, "by": by, "definitions": signed.definitions.len(), "differences": all });
        return Ok(Told { text: text.to_string(), code });
    }
    let mut text = format!("{} is signed by {by}", file.display());
    if differences.is_empty() {
        text.push_str(&format!("\nthe server offers exactly that: {}", count(signed.definitions.len())));
    }
    for ((kind, name), found) in &differences {
        text.push_str(&format!("\n{}: {}", word(found), offer::shown(kind, name)));
    }
    Ok(Told { text, code })
}

fn show(file: &Path, expected: &By, json: bool) -> Result<Told, String> {
    let (manifest, by) = match proven(file, expected)? {
        Ok(proven) => proven,
        Err(error) => return Ok(unproven(file, error, json)),
    };
    if json {
        let one = |((kind, name), digest): (&(String, String), &[u8; 32])| json!({ "kind": kind, "name": name, "digest": format!("sha256:{}", hex(digest)) });
        let text = json!({
            "signed": true, "by": by, "server": { "name": manifest.server, "version": manifest.version },
            "definitions": manifest.definitions.iter().map(one).collect::<Vec<_>>(),
        });
        return Ok(Told { text: text.to_string(), code: 0 });
    }
    let mut text = format!("{} of {}, signed by {by}", count(manifest.definitions.len()), named(&manifest));
    for ((kind, name), digest) in &manifest.definitions {
        text.push_str(&format!("\n  sha256:{}  {}", hex(digest), offer::shown(kind, name)));
    }
    Ok(Told { text, code: 0 })
}

/// The list, and who has signed it; the inner error is about the proof, the outer about what was named.
fn proven(file: &Path, by: &By) -> Result<Result<(Manifest, String), Unproven>, String> {
    let signer = signer(by)?;
    let roots = match &by.trusted_root {
        None => Trust::embedded().map_err(|error| error.to_string())?,
        Some(path) => Trust::read(&read(path, "a `trusted_root.json` of Sigstore")?)
            .map_err(|error| format!("{}: {error}", path.display()))?,
    };
    let bytes = read(file, "a signed manifest")?;
    Ok(verify_statement(&bytes, &signer, &roots).and_then(|proven| {
        let by = match proven.by {
            SignedBy::Key(id) => format!("the key {id}"),
            SignedBy::Identity(claims) => Untrusted::new(claims.name).escaped(NAME),
        };
        Ok((Manifest::read(&proven.statement.ok_or(Unproven::Predicate)?)?, by))
    }))
}

fn signer(by: &By) -> Result<Signer, String> {
    if let (Some(name), Some(issuer)) = (&by.identity, &by.issuer) {
        return Signer::identity(name, issuer).map_err(|error| {
            format!("{error}\n  hint: `--identity https://github.com/org/repo/.github/workflows/release.yml@refs/tags/* --issuer https://token.actions.githubusercontent.com`")
        });
    }
    let keys = by.key.iter().map(|path| {
        let bytes = read(path, "a file of public keys")?;
        PublicKey::all_from_pem(&String::from_utf8_lossy(&bytes)).map_err(|error| {
            format!(
                "{}: {error}\n  hint: name the file that `lockgate keys new` has written with `.pub`",
                path.display()
            )
        })
    });
    Ok(Signer::Keys(keys.collect::<Result<Vec<_>, _>>()?.concat()))
}

fn unproven(file: &Path, error: Unproven, json: bool) -> Told {
    let text = if json {
        json!({ "signed": false, "code": error.code(), "error": error.to_string() }).to_string()
    } else {
        format!("{} is no proof: {error}", file.display())
    };
    Told { text, code: 1 }
}

/// What a lock file says of a server.
fn locked(file: &Path, server: Option<&str>) -> Result<Manifest, String> {
    let shown = file.display();
    let lock = Lock::read(&read(file, "a lock file")?).map_err(|error| format!("{shown}:{error}"))?;
    let known: Vec<&str> = lock.servers.keys().map(ServerName::as_str).collect();
    let name = choose(server, &known)?;
    let found = lock.servers.iter().find(|(server, _)| server.as_str() == name);
    found.and_then(|(_, locked)| offer::listed(locked)).ok_or_else(|| {
        format!(
            "{shown}: no definition of `{}` is approved\n  hint: approve them first",
            name.escape_default()
        )
    })
}

/// The server that is meant: the one that was named, else the only one.
fn choose<'n>(wanted: Option<&'n str>, known: &[&'n str]) -> Result<&'n str, String> {
    match (wanted, known) {
        (Some(wanted), known) if known.contains(&wanted) => Ok(wanted),
        (Some(wanted), _) => {
            let hint = format!("{}there is {}", perhaps(wanted, known), known.join(", "));
            Err(format!("no server `{}` is configured\n  hint: {hint}", wanted.escape_default()))
        }
        (None, [only]) => Ok(only),
        (None, _) => Err(format!("which server?\n  hint: `--server NAME`; there is {}", known.join(", "))),
    }
}

/// What the server offers now; the inner error says why that is not known.
fn ask(which: Which) -> Result<Result<Manifest, String>, String> {
    let config = if which.command.is_empty() {
        Config::load(&which.config, &Process).map_err(|errors| errors.to_string())?
    } else {
        Config::for_command(which.command)
    };
    let known: Vec<&str> = config.boundary.servers.keys().map(ServerName::as_str).collect();
    let name = choose(which.server.as_deref(), &known)?;
    let name = config.boundary.servers.keys().find(|server| server.as_str() == name).cloned();
    let name = name.ok_or("there is no server")?;
    let mut answers = list_all(&config, std::slice::from_ref(&name))?;
    Ok(match answers.remove(&name) {
        Some(Ok(offered)) => offer::list(&offered).map_err(|error| format!("the server `{name}`: {error}")),
        Some(Err(error)) => Err(format!("the server `{name}` cannot be asked what it offers: {error}")),
        None => Err(format!("the server `{name}` has not answered")),
    })
}

/// Most characters of a name that are shown.
const NAME: usize = 256;

fn named(manifest: &Manifest) -> String {
    let plain = |text: &str| Untrusted::new(text.to_owned()).escaped(NAME);
    format!("`{}` {}", plain(&manifest.server), plain(&manifest.version)).trim_end().to_owned()
}

fn count(definitions: usize) -> String {
    if definitions == 1 { "1 definition".to_owned() } else { format!("{definitions} definitions") }
}

fn word(difference: &Difference) -> &'static str {
    match difference {
        Difference::Added => "added",
        Difference::Removed => "removed",
        Difference::Changed => "changed",
    }
}
