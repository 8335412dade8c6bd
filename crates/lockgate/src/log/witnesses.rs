//! Has checkpoints of the log signed by witnesses, and publishes them.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lockgate_audit::log::{Checkpoint, Note, NoteKey, Submission, consistency};
use lockgate_store::{Grown, LogError, LogFolder};
use lockgate_transport::submit;
use tokio::task::{JoinSet, spawn_blocking};

use super::is_right;
use crate::config::{RecordsSettings, Secret};
use crate::signing;

/// Longest time a witness, or who is sent a checkpoint, may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Largest answer of a witness. Bytes.
const ANSWER: usize = 16 << 10;
/// Longest time until a witness that was away is asked again; at first a second.
const PAUSE: Duration = Duration::from_mins(1);
/// Shortest time between two checkpoints that are published.
const PUBLISH: Duration = Duration::from_mins(1);

/// Witnesses of a log, and where its checkpoints go.
#[derive(Debug)]
pub(crate) struct Witnesses {
    folder: PathBuf,
    asked: Vec<Asked>,
    quorum: usize,
    file: Option<PathBuf>,
    webhook: Option<Secret>,
    /// The checkpoint that is signed now, with what signatures it has.
    note: Option<Note>,
    published: Option<(Instant, String)>,
    /// Why nothing could be witnessed the last time; said once.
    unsigned: Option<String>,
    /// A failure to publish is said once, until it works again.
    failing: bool,
    say: fn(&str),
}

/// A witness, and what is known of it.
#[derive(Debug)]
struct Asked {
    address: String,
    key: NoteKey,
    /// How many records the last checkpoint had that it signed; 0 where that is not known.
    size: u64,
    /// When it was away last, and how long it is left alone then.
    away: Option<(Instant, Duration)>,
}

impl Witnesses {
    /// None where there is nobody to ask and nowhere to publish. `say` is told who is away.
    pub(crate) fn new(settings: &RecordsSettings, say: fn(&str)) -> Option<Self> {
        let folder = settings.folder.clone()?;
        let asked = settings.witnesses.iter().map(|witness| Asked {
            address: format!("{}/add-checkpoint", witness.url),
            key: witness.key.clone(),
            size: 0,
            away: None,
        });
        let (file, webhook) = (settings.publish_file.clone(), settings.publish_webhook.clone());
        let asked: Vec<_> = asked.collect();
        (!asked.is_empty() || file.is_some() || webhook.is_some()).then_some(Self {
            folder,
            asked,
            quorum: settings.quorum,
            file,
            webhook,
            note: None,
            published: None,
            unsigned: None,
            failing: false,
            say,
        })
    }

    /// Brings the newest checkpoint to those who have not signed it, and publishes it once enough have. `last`: nobody comes
    /// after this.
    pub(crate) async fn look(&mut self, last: bool) {
        let unsigned = self.sign().await.err().map(|error| error.to_string());
        if let Some(error) = unsigned.as_ref().filter(|_| unsigned != self.unsigned) {
            (self.say)(&format!("checkpoints cannot be witnessed: {error}"));
        }
        self.unsigned = unsigned;
        let due = self.published.as_ref().is_none_or(|(when, _)| when.elapsed() >= PUBLISH);
        if due || last {
            let told = self.publish().await;
            if let Err(error) = &told
                && !self.failing
            {
                (self.say)(&format!("the checkpoint cannot be published: {error}"));
            }
            self.failing = told.is_err();
        }
    }

    async fn sign(&mut self) -> Result<(), LogError> {
        let log = LogFolder::new(&self.folder);
        let Some(newest) = log.checkpoint()?.filter(|_| !self.asked.is_empty()) else { return Ok(()) };
        let newer = |note: &Note| note.text() != newest.text();
        let mut note = self.note.take().filter(|note| !newer(note)).unwrap_or(newest);
        let Some(checkpoint) = Checkpoint::parse(note.text()) else { return Ok(()) };
        let mut answers = JoinSet::new();
        for (number, witness) in self.asked.iter().enumerate() {
            let rests = witness.away.is_some_and(|(when, pause)| when.elapsed() < pause);
            if !rests && !note.is_signed_by(&witness.key, &is_right) {
                let (address, size) = (witness.address.clone(), witness.size);
                let (folder, note) = (self.folder.clone(), note.clone());
                let size_now = checkpoint.size;
                answers.spawn(async move { (number, ask(&address, size, &folder, note, size_now).await) });
            }
        }
        let mut signed = false;
        while let Some(answer) = answers.join_next().await {
            let Ok((number, answer)) = answer else { continue };
            let Some(witness) = self.asked.get_mut(number) else { continue };
            let right = answer.and_then(|lines| {
                let right = note.take(&lines, &witness.key, &is_right);
                right.then_some(()).ok_or_else(|| "what it answered is not signed with its key".to_owned())
            });
            signed |= right.is_ok();
            witness.heard(right, checkpoint.size, self.say);
        }
        let right = self.asked.iter().filter(|witness| note.is_signed_by(&witness.key, &is_right)).count();
        if signed && right >= self.quorum {
            let (folder, note) = (self.folder.clone(), note.clone());
            let keep = spawn_blocking(move || LogFolder::new(folder).keep_witnessed(&note));
            keep.await.unwrap_or(Ok(()))?;
        }
        self.note = Some(note);
        Ok(())
    }

    async fn publish(&mut self) -> Result<(), String> {
        let log = LogFolder::new(&self.folder);
        let note = if self.asked.is_empty() { log.checkpoint() } else { log.witnessed() };
        let Some(note) = note.map_err(|error| error.to_string())? else { return Ok(()) };
        let text = note.to_string();
        if self.published.as_ref().is_some_and(|(_, before)| *before == text) {
            return Ok(());
        }
        // What fails is tried again in a minute.
        self.published = Some((Instant::now(), String::new()));
        if let Some(file) = self.file.clone() {
            let text = text.clone();
            let written = spawn_blocking(move || signing::write(&file, &text)).await;
            written.map_err(|error| error.to_string())??;
        }
        if let Some(webhook) = &self.webhook {
            let answer = submit(webhook.reveal(), text.clone(), ANSWER, PATIENCE).await;
            let (status, _) = answer.map_err(|error| format!("the webhook: {error}"))?;
            if !(200..300).contains(&status) {
                return Err(format!("the webhook answered with status {status}"));
            }
        }
        self.published = Some((Instant::now(), text));
        Ok(())
    }
}

impl Asked {
    fn heard(&mut self, answer: Result<(), String>, size: u64, say: fn(&str)) {
        let name = self.key.name();
        match answer {
            Ok(()) => {
                self.size = size;
                if self.away.take().is_some() {
                    say(&format!("the witness {name} signs again"));
                }
            }
            Err(why) => {
                if self.away.is_none() {
                    say(&format!("the witness {name} does not sign, and the log goes on without it: {why}"));
                }
                let pause = self.away.map_or(Duration::from_secs(1), |(_, pause)| (pause * 2).min(PAUSE));
                self.away = Some((Instant::now(), pause));
            }
        }
    }
}

/// Asks a witness that has signed a checkpoint with `old` records, as far as is known. Gives the lines it answers with.
async fn ask(address: &str, old: u64, folder: &Path, note: Note, size: u64) -> Result<String, String> {
    let mut old = old;
    // Once to hear what it has signed, once to continue that.
    for _ in 0..2 {
        let log = LogFolder::new(folder);
        let prove = move || consistency(&Grown::new(&log, size), old, size);
        let proof = spawn_blocking(prove).await.map_err(|error| error.to_string())?;
        let proof = proof.map_err(|error| error.to_string())?.unwrap_or_default();
        let sent = Submission { old, proof, note: note.clone() };
        let answer = submit(address, sent.to_string(), ANSWER, PATIENCE).await;
        let (status, body) = answer.map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&body).into_owned();
        match (status, text.trim().parse::<u64>()) {
            (200, _) => return Ok(text),
            (409, Ok(signed)) if signed > size => {
                return Err(format!("it has signed a log of {signed} records, and there are {size}"));
            }
            (409, Ok(signed)) if signed != old => old = signed,
            (409, _) => return Err(format!("it has signed another log of {old} records")),
            (422, _) => {
                return Err(format!("the log does not continue the one of {old} records it has signed"));
            }
            _ => return Err(format!("it answered with status {status}")),
        }
    }
    Err("it has signed something else meanwhile".to_owned())
}
