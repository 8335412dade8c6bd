//! What decides what is trusted, and who changed it: on record. SAFE-T1201, SAFE-T1207.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lockgate_audit::{Change, Happening, Record};
use lockgate_model::{Principal, ServerName, Untrusted, Verdict, hex};
use lockgate_store::pins::{Event, What};
use sha2::{Digest, Sha256};

use super::Gateway;
use super::people::long_ago;
use super::session::lock;
use crate::config::{Files, INVALID, Process, Surroundings};

/// Most characters of a path that are written down.
const PATH: usize = 4_096;

/// A decision of people that is to be on record.
pub(super) struct Decided {
    pub(super) server: ServerName,
    /// The definition, in a form that is safe to print.
    pub(super) shown: String,
    pub(super) event: Event,
}

impl Gateway {
    /// Writes down what the gateway starts with. From here on, what people decide is written down as well.
    pub(super) fn record_start(&self) {
        if self.records.is_some() || self.alerting().is_some() {
            self.record_gateway("start");
            let files = Arc::clone(&lock(&self.state).files);
            self.record_files(&Files::default(), &files, Verdict::Forward, "start", standing(&files));
            self.record_decided(self.approved.decided(&self.people));
            self.record_people_now();
        }
    }

    /// Writes down that the gateway ends in good order. Of one that was killed there is a start and no stop.
    pub(super) fn record_stop(&self) {
        self.record_gateway("stop");
    }

    fn record_gateway(&self, what: &'static str) {
        self.record(Box::new(Record { notes: vec![what], ..Record::of_gateway(Happening::Gateway) }));
    }

    /// Writes down what is in force instead of what was.
    pub(super) fn record_change(&self, before: &Files, after: &Files) {
        self.record_files(before, after, Verdict::Forward, "reload", standing(after));
    }

    /// Writes down that other files than those in force were not put in force.
    pub(super) fn record_refused(&self, offered: &Files, unsigned: bool) {
        let before = Arc::clone(&lock(&self.state).files);
        let why = if unsigned { INVALID } else { "config_invalid" };
        self.record_files(&before, offered, Verdict::Deny, "reload", why);
    }

    /// The files in force and that of the configuration, as they are now.
    pub(super) fn files_now(&self, file: &Path) -> Files {
        let before = Arc::clone(&lock(&self.state).files);
        let file = Process.folder().join(file).components().collect();
        let paths: BTreeSet<_> = before.digests.keys().cloned().chain([file]).collect();
        let digest = |path: &Path| Process.file(path).map(|bytes| Sha256::digest(bytes).into()).ok();
        let digests = paths.into_iter().filter_map(|path| Some((path.clone(), digest(&path)?))).collect();
        Files { digests, signed: false }
    }

    /// Writes down what people have decided since this was last done. Called several times a second.
    pub(super) async fn record_pins(self: &Arc<Self>) {
        if !(self.boundary().records || self.boundary().counted)
            || !self.boundary().pins
            || !self.approved.is_undecided()
        {
            return;
        }
        let gateway = Arc::clone(self);
        let decided = tokio::task::spawn_blocking(move || gateway.approved.decided(&gateway.people)).await;
        self.record_decided(decided.unwrap_or_default());
    }

    pub(super) fn record_decided(&self, decided: Vec<Decided>) {
        for one in decided {
            self.record(Box::new(decision(one)));
        }
    }

    fn record_files(
        &self,
        before: &Files,
        after: &Files,
        verdict: Verdict,
        when: &'static str,
        note: &'static str,
    ) {
        if before.digests.is_empty() && after.digests.is_empty() {
            return;
        }
        let paths: BTreeSet<_> = before.digests.keys().chain(after.digests.keys()).collect();
        let change = |path: &PathBuf| Change {
            what: Untrusted::new(path.to_string_lossy().as_ref()).escaped(PATH),
            before: before.digests.get(path).map(written),
            after: after.digests.get(path).map(written),
        };
        let changes = paths.into_iter().map(change).collect();
        let notes = vec![when, note];
        self.record(Box::new(Record {
            changes,
            verdict,
            notes,
            ..Record::of_gateway(Happening::Configuration)
        }));
    }
}

fn standing(files: &Files) -> &'static str {
    if files.signed { "signed" } else { "unsigned" }
}

fn written(digest: &[u8; 32]) -> String {
    format!("sha256:{}", hex(digest))
}

fn decision(Decided { server, shown, event }: Decided) -> Record {
    let mut change = Change { what: "definition".to_owned(), before: event.replaced, after: None };
    let mut verdict = Verdict::Forward;
    match event.what {
        What::Refused => {
            verdict = Verdict::Deny;
            change.before = Some(event.digest);
        }
        What::Voted => {
            verdict = Verdict::Hold;
            change.after = Some(event.digest);
        }
        What::Forgotten => "server".clone_into(&mut change.what),
        What::Trusted | What::Approved | What::Locked => change.after = Some(event.digest),
    }
    let by = event.by.as_deref().map(Principal::new);
    let own = Record::of_gateway(Happening::Pin);
    Record {
        principal: by.unwrap_or(own.principal),
        server: Some(server),
        target: (event.what != What::Forgotten).then_some(shown),
        changes: vec![change],
        verdict,
        notes: vec![event.what.word()],
        decided: long_ago(event.at),
        ..own
    }
}
