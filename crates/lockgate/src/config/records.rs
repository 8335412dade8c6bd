//! Where records go, who witnesses them, and where their checkpoints are published.

use std::path::PathBuf;
use std::time::Duration;

use lockgate_audit::log::NoteKey;
use lockgate_store::Retention;
use schemars::JsonSchema;

use super::error::{At, Place, Report, quoted};
use super::secret::{Resolver, Secret};
use super::section::Section;
use super::yaml::Node;
use super::{address, bounds, schema};

/// Most witnesses of one log.
const WITNESSES: usize = 16;

/// Where records go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordsSettings {
    /// The folder of the log that nobody can quietly change. Nobody has tried to open it yet.
    pub folder: Option<PathBuf>,
    /// Who signs its checkpoints as well. At most 16.
    pub witnesses: Vec<Witness>,
    /// How many of them must have signed one; not more than there are.
    pub quorum: usize,
    /// Where checkpoints are written, besides the folder.
    pub publish_file: Option<PathBuf>,
    /// Where checkpoints are sent.
    pub publish_webhook: Option<Secret>,
    /// How long what is in the log is kept. Default a hundred years.
    pub retention: Retention,
    /// The plain file. Nobody has tried to open it yet. It or the folder is there.
    pub file: Option<PathBuf>,
    /// Size at which it is put aside. Bytes; default 64 MiB.
    pub max_bytes: u64,
    /// How many put aside are kept. Default 5.
    pub keep: u32,
}

/// Somebody else who signs checkpoints of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// Where it is asked: the address before `/add-checkpoint`.
    pub url: String,
    /// The key that it signs with.
    pub key: NoteKey,
}

/// Where the records of every decision go. Read when the gateway starts, but for who witnesses and where checkpoints are
/// published.
#[derive(JsonSchema)]
#[schemars(rename = "Records", deny_unknown_fields)]
pub(super) struct RawRecords {
    /// A folder for a log that nobody can quietly change: every record is a leaf of a Merkle tree whose checkpoints are signed,
    /// and `lockgate log verify` finds what was changed, removed or put in. Relative to the folder of the configuration. While
    /// it cannot be written, calls are refused.
    #[schemars(with = "Option<String>")]
    pub(super) folder: Option<At<String>>,
    /// Who else signs checkpoints of that log, after having seen that each continues the one before: at most 16. The gateway goes
    /// on where one is away.
    #[schemars(with = "Option<Vec<RawWitness>>")]
    pub(super) witnesses: Option<At<Vec<RawWitness>>>,
    /// How many of them must have signed a checkpoint before it is kept as witnessed, and published.
    #[schemars(with = "Option<schema::Count>")]
    pub(super) quorum: At<u64>,
    /// Where checkpoints of that log are published, at most once a minute: a copy that whoever changes the folder cannot change.
    #[schemars(with = "Option<RawPublish>")]
    pub(super) publish: Option<RawPublish>,
    /// How long the log keeps the arguments of calls (`arguments: true`). They are kept beside the tree, and records have their
    /// digest, so that the log verifies without them. What goes goes in files of 256 records, and a record says so.
    #[schemars(with = "Option<schema::Days>")]
    pub(super) keep_contents: At<u64>,
    /// How long the log keeps records. Of those that go the hashes stay, so that the rest verifies. What goes goes in files of
    /// 256 records, and a record says so.
    #[schemars(with = "Option<schema::Days>")]
    pub(super) keep_records: At<u64>,
    /// A plain file, one JSON record a line, relative to the folder of the configuration. Whoever can write it can change it.
    #[schemars(with = "Option<String>")]
    pub(super) file: Option<At<String>>,
    /// Size at which the file is put aside and a new one is begun.
    #[schemars(with = "Option<schema::Size>")]
    pub(super) max_bytes: At<u64>,
    /// How many files put aside are kept, besides the one being written; the oldest is deleted.
    #[schemars(with = "Option<schema::Count>")]
    pub(super) keep: At<u64>,
    /// Keep the arguments of calls, not only their digest, up to 64 KiB each. `lockgate replay` and `lockgate learn` need
    /// them; whoever reads the records then reads what agents send, secrets and personal data with it.
    #[schemars(with = "Option<bool>", extend("default" = false))]
    pub(super) arguments: Option<At<bool>>,
    /// Give a signed receipt with every result that goes to the agent, in `_meta` under `io.lockgate/receipt`: what was called,
    /// what was decided and the digest of the result, signed with the key of the log.
    #[schemars(with = "Option<bool>", extend("default" = false))]
    pub(super) receipts: Option<At<bool>>,
}

/// A witness: another Lockgate (`lockgate witness`), or any other program that speaks c2sp.org/tlog-witness.
#[derive(JsonSchema)]
#[schemars(rename = "Witness", deny_unknown_fields)]
pub(super) struct RawWitness {
    /// Where it is asked, without `/add-checkpoint`: `https`, or `http` to this machine.
    #[schemars(with = "String")]
    url: Option<At<String>>,
    /// The key that it signs with, as it says itself: `name+01234567+BASE64`.
    #[schemars(with = "String")]
    key: Option<At<String>>,
}

/// Where checkpoints are published, with the signatures of witnesses where there are any.
#[derive(JsonSchema)]
#[schemars(rename = "Publish", deny_unknown_fields)]
pub(super) struct RawPublish {
    /// A file that always has the newest, relative to the folder of the configuration.
    #[schemars(with = "Option<String>")]
    file: Option<At<String>>,
    /// An address that each is sent to, as it is, in a POST: `https`, or `http` to this machine. It is signed as it is.
    #[schemars(with = "Option<String>")]
    webhook: Option<At<String>>,
}

impl RawRecords {
    pub(super) fn read(section: Section<'_>, report: &Report) -> Self {
        let raw = Self {
            folder: section.text("folder"),
            witnesses: witnesses(&section, report),
            quorum: section.measure(&bounds::QUORUM),
            publish: section.section("publish").map(|section| {
                let raw = RawPublish { file: section.text("file"), webhook: section.text("webhook") };
                section.close();
                raw
            }),
            keep_contents: section.measure(&bounds::KEEP_CONTENTS),
            keep_records: section.measure(&bounds::KEEP_RECORDS),
            file: section.text("file"),
            max_bytes: section.measure(&bounds::MAX_BYTES),
            keep: section.measure(&bounds::KEEP),
            arguments: section.switch("arguments"),
            receipts: section.switch("receipts"),
        };
        if !section.has("file") && !section.has("folder") {
            let hint = "write `folder: lockgate-log`, or `file: lockgate-records.jsonl`";
            report.error(section.place(), "`records` names neither a folder nor a file", hint);
        }
        if !section.has("folder") {
            for key in ["witnesses", "quorum", "publish", "keep_contents", "keep_records", "receipts"] {
                if let Some(place) = section.place_of(key) {
                    let message = format!("`records.{key}` has no effect without `records.folder`");
                    report.error(place, message, "write `folder: lockgate-log`, or remove it");
                }
            }
        }
        section.close();
        raw
    }

    pub(super) fn check(&self, resolver: &Resolver<'_>) -> Option<RecordsSettings> {
        let report = resolver.report;
        let file = match &self.file {
            None => None,
            Some(file) => Some(named(file, resolver)?),
        };
        let folder = match &self.folder {
            None => None,
            Some(folder) => {
                let path = resolver.expand(folder)?;
                if path.is_empty() {
                    let hint = "write a folder: `lockgate-log`";
                    report.error(folder.place, "the folder of the records has no name", hint);
                    return None;
                }
                Some(resolver.base.join(path))
            }
        };
        let mut witnesses: Vec<Witness> = Vec::new();
        for raw in self.witnesses.iter().flat_map(|at| &at.value) {
            let Some(witness) = raw.check(resolver) else { continue };
            if witnesses.iter().any(|other| other.key == witness.key) {
                let place = raw.key.as_ref().map(|key| key.place).unwrap_or_default();
                report.error(place, "two witnesses have the same key", "one that signs twice is one witness");
            }
            witnesses.push(witness);
        }
        let quorum = usize::try_from(self.quorum.value).unwrap_or(usize::MAX);
        if quorum > witnesses.len().max(1) {
            let message = format!("{quorum} witnesses must sign, and there are {}", witnesses.len());
            report.error(self.quorum.place, message, "write a smaller `quorum`, or more `witnesses`");
        }
        let publish = self.publish.as_ref();
        let publish_file = publish.and_then(|publish| named(publish.file.as_ref()?, resolver));
        let webhook = publish.and_then(|publish| publish.webhook.as_ref());
        let publish_webhook = webhook.and_then(|url| reached("webhook", url, resolver)).map(Secret::new);
        let days = |at: &At<u64>| Duration::from_hours(at.value.saturating_mul(24));
        let retention = Retention { contents: days(&self.keep_contents), records: days(&self.keep_records) };
        let keeps_contents = self.arguments.as_ref().is_some_and(|at| at.value);
        if self.keep_contents.place != Place::default() && !keeps_contents {
            let message = "`records.keep_contents` has no effect: nothing is kept beside the log";
            report.error(self.keep_contents.place, message, "write `arguments: true`, or remove it");
        }
        let keep = u32::try_from(self.keep.value).unwrap_or(u32::MAX);
        let max_bytes = self.max_bytes.value;
        Some(RecordsSettings {
            folder,
            witnesses,
            quorum,
            publish_file,
            publish_webhook,
            retention,
            file,
            max_bytes,
            keep,
        })
    }
}

impl RawWitness {
    fn read(path: &str, node: &Node, report: &Report) -> Option<Self> {
        let section = Section::open(path, node, report)?;
        for (key, hint) in [
            ("url", "write `url: https://…`, the address that the witness is asked at"),
            ("key", "write `key: …`, which `lockgate witness` says when it starts"),
        ] {
            if !section.has(key) {
                report.error(section.place(), format!("`{path}` has no `{key}`"), hint);
            }
        }
        let raw = Self { url: section.text("url"), key: section.text("key") };
        section.close();
        Some(raw)
    }

    fn check(&self, resolver: &Resolver<'_>) -> Option<Witness> {
        let key = self.key.as_ref().and_then(|at| {
            let key = NoteKey::parse(&resolver.expand(at)?).filter(NoteKey::is_of_witness);
            if key.is_none() {
                let message = format!("{} is not the key of a witness", quoted(&at.value));
                let hint = "write it as the witness says it: `name+01234567+BASE64`";
                resolver.report.error(at.place, message, hint);
            }
            key
        });
        let url = self.url.as_ref().and_then(|url| reached("witness", url, resolver));
        Some(Witness { url: url?.trim_end_matches('/').to_owned(), key: key? })
    }
}

fn witnesses(section: &Section<'_>, report: &Report) -> Option<At<Vec<RawWitness>>> {
    let At { value: items, place } =
        section.list("witnesses", "write `witnesses:` and under it `- { url: https://…, key: … }`")?;
    if items.is_empty() || items.len() > WITNESSES {
        let message = format!("`records.witnesses` has {} witnesses", items.len());
        report.error(place, message, "name 1 to 16, or remove it");
    }
    let read = |(number, item)| RawWitness::read(&format!("records.witnesses[{number}]"), item, report);
    Some(At { value: items.iter().enumerate().filter_map(read).collect(), place })
}

/// A file that can be named so.
fn named(file: &At<String>, resolver: &Resolver<'_>) -> Option<PathBuf> {
    let path = resolver.expand(file)?;
    if path.is_empty() || path.ends_with(['/', '.']) {
        let message = format!("{} is not the name of a file", quoted(&file.value));
        let hint = "write a file in a folder that exists: `lockgate-records.jsonl`";
        resolver.report.error(file.place, message, hint);
        return None;
    }
    Some(resolver.base.join(path))
}

/// An address that something is sent to. It may hold a secret, so that no message shows it.
fn reached(whose: &str, url: &At<String>, resolver: &Resolver<'_>) -> Option<String> {
    let text = resolver.expand(url)?;
    let wrong = |what: &str, hint: &str| {
        resolver.report.error(url.place, format!("the address of the {whose} {what}"), hint);
    };
    match address::Target::parse(&text) {
        Err((what, hint)) => wrong(what, hint),
        Ok(target) if !target.encrypted && !target.is_this_machine() => {
            wrong("is not encrypted", "write `https://…`; `http` is for this machine alone");
        }
        Ok(_) => return Some(text),
    }
    None
}
