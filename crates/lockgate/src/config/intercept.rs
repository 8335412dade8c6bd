//! Intercept policies: named by a server, or standing alone in front of one.

use std::path::Path;
use std::sync::Arc;

use lockgate_core::{Desk, Wire};
use lockgate_policy::intercept::Policy;

use super::error::{At, Place, Report, quoted};
use super::seal::Seal;
use super::secret::{Resolver, Surroundings, plain};
use super::yaml::{Form, Kind};
use super::{Config, ConfigErrors, bounds, yaml};

/// Is the text an Intercept policy rather than a configuration?
pub(super) fn is_it(text: &str) -> bool {
    // What is wrong with it is said by whoever reads it for good.
    let node = yaml::read(text, Form::Yaml, &Report::default());
    let Some(At { value: Kind::Map(members), .. }) = node else { return false };
    let has = |key: &str| members.iter().any(|(name, _)| name.value == key);
    has("version") && !has("servers") && !has("mcpServers")
}

/// Is the file an Intercept policy rather than a configuration?
pub fn is_intercept(file: &Path, surroundings: &dyn Surroundings) -> bool {
    surroundings.file(file).is_ok_and(|bytes| std::str::from_utf8(&bytes).is_ok_and(is_it))
}

/// Reads the policy that a server names.
pub(super) fn named(
    file: &At<String>,
    resolver: &Resolver<'_>,
    notes: &mut Vec<String>,
) -> Option<Arc<Policy>> {
    let report = resolver.report;
    let path = resolver.base.join(resolver.expand(file)?);
    let shown = path.display().to_string();
    let text = match resolver.surroundings.file(&path).map(String::from_utf8) {
        Ok(Ok(text)) => text,
        Ok(Err(_)) => {
            report.error(
                file.place,
                format!("{} is not UTF-8 text", quoted(&shown)),
                "save the file as UTF-8",
            );
            return None;
        }
        Err(error) => {
            let message = format!("{} cannot be read: {}", quoted(&shown), plain(&error));
            report.error(file.place, message, "name an Intercept policy, relative to this file");
            return None;
        }
    };
    match Policy::read(&text) {
        Ok((policy, lints)) => {
            notes.extend(lints.iter().map(|lint| format!("{shown}:{lint}")));
            Some(Arc::new(policy))
        }
        Err(errors) => {
            for error in errors {
                report.error(
                    file.place,
                    format!("{}:{error}", quoted(&shown)),
                    "docs/intercept.md says how such files are read",
                );
            }
            None
        }
    }
}

impl Config {
    /// One program behind an Intercept policy, and nothing else. `None` where the file is something else.
    pub fn for_intercept(
        file: &Path,
        command: Vec<String>,
        surroundings: &dyn Surroundings,
    ) -> Option<Result<Self, String>> {
        if !is_intercept(file, surroundings) {
            return None;
        }
        Some(Self::in_front(file, command, surroundings))
    }

    fn in_front(file: &Path, command: Vec<String>, surroundings: &dyn Surroundings) -> Result<Self, String> {
        let seal = Seal::open(file, surroundings).map_err(|errors| errors.to_string())?;
        let text = super::text_of(file, &seal).map_err(|errors| errors.to_string())?;
        let shown = file.display();
        let policy = Policy::read(&text).map_err(|errors| {
            let lines: Vec<_> = errors.iter().map(|error| format!("{shown}:{error}")).collect();
            lines.join("\n")
        });
        policy.map(|(policy, lints)| {
            let mut config = Self::for_command(command);
            let boundary = Arc::make_mut(&mut config.boundary);
            boundary.desk = Some(Desk { waits: false, valid: bounds::VALID.default });
            let policy = Arc::new(policy);
            for server in boundary.servers.values_mut().filter(|server| server.wire == Wire::Lines) {
                server.intercept = Some(Arc::clone(&policy));
            }
            config.notes = lints.iter().map(|lint| format!("{shown}:{lint}")).collect();
            config
        })
    }
}

/// What is said where a policy stands in the place of a configuration.
pub(super) fn misplaced(file: &str) -> ConfigErrors {
    ConfigErrors::one(
        file,
        Place::default(),
        "this is an Intercept policy, not a configuration",
        "use it with `lockgate wrap -c FILE -- CMD`, or name it under a server: `intercept: FILE`",
    )
}
