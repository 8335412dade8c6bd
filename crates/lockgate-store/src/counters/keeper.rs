//! The thread that brings changes to the disk and removes what counts no more, so that no call waits for
//! either.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior};

/// How long changes wait for the disk.
const PAUSE: Duration = Duration::from_secs(1);
/// So many changes do not wait that long.
const MANY: u32 = 1_000;
/// Pages in the log of `SQLite` from which on it is begun anew.
const LONG_LOG: i64 = 1_000;
/// How often counters that count no more are removed, while there are changes.
const PRUNE_EVERY: Duration = Duration::from_mins(1);
/// Most counters removed in one transaction: others wait for it.
const AT_ONCE: usize = 256;

/// Ends its thread when dropped.
#[derive(Debug)]
pub(super) struct Keeper {
    wake: Arc<Wake>,
    thread: Option<JoinHandle<()>>,
}

/// How the keeper is told that there is work.
#[derive(Debug, Default)]
pub(super) struct Wake {
    state: Mutex<Work>,
    told: Condvar,
}

#[derive(Debug, Default)]
struct Work {
    /// Changes that are not on the disk.
    changes: u32,
    end: bool,
}

impl Wake {
    /// There are changes that are not on the disk.
    pub(super) fn changed(&self) {
        let mut state = self.lock();
        state.changes = state.changes.saturating_add(1);
        if matches!(state.changes, 1 | MANY) {
            self.told.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Work> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keeper {
    pub(super) fn start(mut connection: Connection, wake: Arc<Wake>) -> std::io::Result<Self> {
        let told = Arc::clone(&wake);
        let work = move || {
            let mut failing = false;
            let mut pruned: Option<Instant> = None;
            loop {
                let end = wait(&told);
                let prune_too = pruned.is_none_or(|last| last.elapsed() >= PRUNE_EVERY);
                if prune_too {
                    pruned = Some(Instant::now());
                }
                let kept = keep(&mut connection, prune_too);
                if let Err(error) = &kept
                    && !failing
                {
                    eprintln!("lockgate: counters cannot be brought to the disk: {error}");
                }
                failing = kept.is_err();
                if end {
                    break;
                }
            }
        };
        let thread = std::thread::Builder::new().name("counters".to_owned()).spawn(work)?;
        Ok(Self { wake, thread: Some(thread) })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.wake.lock().end = true;
        self.wake.told.notify_all();
        if let Some(thread) = self.thread.take() {
            let _joined = thread.join();
        }
    }
}

/// Waits for changes, then a pause. Says whether it is the end.
fn wait(wake: &Wake) -> bool {
    let state = wake.told.wait_while(wake.lock(), |state| state.changes == 0 && !state.end);
    let state = state.unwrap_or_else(PoisonError::into_inner);
    let paused = wake.told.wait_timeout_while(state, PAUSE, |state| state.changes < MANY && !state.end);
    let (mut state, _) = paused.unwrap_or_else(PoisonError::into_inner);
    state.changes = 0;
    state.end
}

fn keep(connection: &mut Connection, prune_too: bool) -> rusqlite::Result<()> {
    if prune_too {
        prune(connection)?;
    }
    // Writes to the disk what was committed. Nobody waits for it: where another process is at it, that one
    // does the same.
    let log: i64 = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(1))?;
    if log >= LONG_LOG {
        // What was added meanwhile is little, but while there is any, the log is not used from its start
        // again. Callers wait for this; were it left to them, one of them would wait much longer for all of
        // it.
        connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(()))?;
    }
    Ok(())
}

/// Removes counters that count no more at the latest time seen.
pub(super) fn prune(connection: &mut Connection) -> rusqlite::Result<usize> {
    let mut all = 0;
    loop {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let removed = transaction.execute(
            "DELETE FROM counters WHERE key IN
             (SELECT key FROM counters WHERE until <= (SELECT high FROM clock) LIMIT ?1)",
            [i64::try_from(AT_ONCE).unwrap_or(i64::MAX)],
        )?;
        transaction.commit()?;
        all += removed;
        if removed < AT_ONCE {
            return Ok(all);
        }
    }
}
