//! `detect.indicators`: the lists of indicators of compromise.

use std::path::PathBuf;
use std::sync::Arc;

use lockgate_core::Shared;
use lockgate_detect::indicators::Indicators;

use super::error::{At, quoted};
use super::secret::{Resolver, plain};

/// Most bytes of one list.
const LARGEST: usize = 64 << 20;

/// Reads the lists. Errors name the line of the list.
pub(super) fn load(written: Option<&At<Vec<At<String>>>>, resolver: &Resolver<'_>) -> Shared<Indicators> {
    let Some(written) = written.filter(|written| !written.value.is_empty()) else { return Shared::default() };
    let report = resolver.report;
    let mut lists = Vec::new();
    for file in &written.value {
        let Some(name) = resolver.expand(file) else { continue };
        let path: PathBuf = resolver.base.join(name).components().collect();
        let shown = path.display().to_string();
        match resolver.surroundings.file(&path) {
            Ok(bytes) if bytes.len() > LARGEST => {
                report.error(
                    file.place,
                    format!("{} is larger than 64MiB", quoted(&shown)),
                    "name a smaller list",
                );
            }
            Ok(bytes) => lists.push((file.place, shown, String::from_utf8_lossy(&bytes).into_owned())),
            Err(error) => {
                let message = format!("{} cannot be read: {}", quoted(&shown), plain(&error));
                report.error(file.place, message, "name a file with an indicator on each line");
            }
        }
    }
    let texts: Vec<&str> = lists.iter().map(|(_, _, text)| text.as_str()).collect();
    match Indicators::read(&texts) {
        Ok(indicators) => Shared(Some(Arc::new(indicators))),
        Err((which, bad)) => {
            if let Some((place, shown, _)) = lists.get(which) {
                let message = format!("{shown}:{}: {}", bad.line, bad.why);
                let hint = "write a host, an address, a network, a page, a digest or `text: …`";
                report.error(*place, message, hint);
            }
            Shared::default()
        }
    }
}
