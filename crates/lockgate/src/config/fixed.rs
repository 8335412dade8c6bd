//! What holds from start to end: settings that a reload does not put in force.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use lockgate_model::Principal;
use lockgate_store::Retention;

use super::{Admin, Config, HttpSettings, Secret, Telemetry, Webhook};

/// The settings that are read when the gateway starts, and then no more.
#[derive(Clone)]
pub struct Fixed {
    listen: SocketAddr,
    http: HttpSettings,
    principals: Vec<(Principal, Secret)>,
    admin: Option<Admin>,
    webhook: Option<Webhook>,
    hook: Option<Secret>,
    state: Option<PathBuf>,
    records: Option<Kept>,
    telemetry: Option<Telemetry>,
    label_ttl: Duration,
}

/// Where records are kept, and how much of them; not who watches.
#[derive(Clone, PartialEq, Eq)]
struct Kept {
    folder: Option<PathBuf>,
    file: Option<PathBuf>,
    max_bytes: u64,
    keep: u32,
    retention: Retention,
}

impl Fixed {
    /// Those of a configuration.
    pub fn of(config: &Config) -> Self {
        let records = config.records.as_ref().map(|records| Kept {
            folder: records.folder.clone(),
            file: records.file.clone(),
            max_bytes: records.max_bytes,
            keep: records.keep,
            retention: records.retention,
        });
        Self {
            listen: config.listen,
            // How long a stream may be quiet holds at once.
            http: HttpSettings { poll_after: Duration::ZERO, ..config.http.clone() },
            principals: config.principals.clone(),
            admin: config.admin.clone(),
            webhook: config.webhook.clone(),
            hook: config.hook.clone(),
            state: config.state.clone(),
            records,
            telemetry: config.telemetry.clone(),
            label_ttl: config.label_ttl,
        }
    }

    /// The settings in which these are others, by their names in the file: they hold from the next start on.
    pub fn others(&self, new: &Self) -> Vec<&'static str> {
        let all = [
            ("listen", self.listen == new.listen),
            ("http", self.http == new.http),
            ("principals", self.principals == new.principals),
            ("admin", self.admin == new.admin),
            ("approvals.webhook", self.webhook == new.webhook),
            ("flow.hook", self.hook == new.hook),
            ("state", self.state == new.state),
            ("records", self.records == new.records),
            ("telemetry", self.telemetry == new.telemetry),
            ("flow.session", self.label_ttl == new.label_ttl),
        ];
        all.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect()
    }
}
