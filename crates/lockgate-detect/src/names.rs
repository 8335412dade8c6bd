//! The names of all rules, so that a name that somebody writes can be told from a slip.

use std::collections::BTreeSet;

use crate::attack::Attacks;
use crate::indicators;
use crate::injection::{LEARNED, rules};
use crate::personal::Entity;
use crate::secrets::Secrets;

/// Rules that are programs and stand in no file of rules.
const PROGRAMS: [&str; 72] = [
    "address_control_character",
    "address_disguised",
    "address_link_local",
    "address_loopback",
    "address_metadata",
    "address_private",
    "address_rebinding",
    "address_reserved",
    "address_scheme",
    "address_too_long",
    "address_unreadable",
    "address_user",
    "address_user_like_host",
    "address_without_host",
    "basic_password",
    "bearer_token",
    "hidden_comment",
    "hidden_control",
    "hidden_direction",
    "hidden_disguise",
    "hidden_gap",
    "hidden_private",
    "hidden_selectors",
    "hidden_styled",
    "hidden_tags",
    "hidden_terminal",
    "hidden_unread",
    "hidden_zero_width",
    "jwt",
    "media_comment",
    "media_description",
    "media_exif",
    "media_malformed",
    "media_polyglot",
    "media_trailing",
    "media_unknown_part",
    "named_connection",
    "named_password",
    "named_token",
    "null_byte",
    "path_climbs",
    "path_control_character",
    "path_encoded_climb",
    "path_odd_dots",
    "path_overlong_code",
    "path_share",
    "path_too_encoded",
    "private_key",
    "putty_key",
    "python_asyncio",
    "python_computed_attribute",
    "python_dunder",
    "python_dunder_in_text",
    "python_dynamic_code",
    "python_dynamic_import",
    "python_format",
    "python_import",
    "python_inner_attribute",
    "python_offered_module",
    "python_private_attribute",
    "python_relative_import",
    "python_restricted_builtin",
    "python_star_import",
    "python_too_deep",
    "python_too_long",
    "python_unreadable",
    "script_too_long",
    "too_long_to_search",
    "unread",
    "url_connection",
    "url_password",
    LEARNED,
];

/// Every rule that a finding can name, every kind of secret, and every sort of personal data. Some milliseconds.
pub fn names() -> BTreeSet<&'static str> {
    let mut names: BTreeSet<&'static str> = PROGRAMS.into_iter().collect();
    names.extend(rules::all().iter().map(|rule| rule.name));
    names.extend(Entity::ALL.iter().map(|entity| entity.word()));
    names.extend(Secrets::new().kinds().map(|(kind, _)| kind));
    names.extend(Attacks::new().names());
    names.extend(indicators::NAMES);
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where rules are programs: each of their names is written out there.
    const SOURCES: [&str; 12] = [
        include_str!("attack/mod.rs"),
        include_str!("attack/address.rs"),
        include_str!("attack/path.rs"),
        include_str!("code/python.rs"),
        include_str!("code/script.rs"),
        include_str!("hidden/mod.rs"),
        include_str!("media/metadata/mod.rs"),
        include_str!("secrets/assignment.rs"),
        include_str!("secrets/header.rs"),
        include_str!("secrets/jwt.rs"),
        include_str!("secrets/pem.rs"),
        include_str!("secrets/url.rs"),
    ];

    #[test]
    fn no_rule_is_missing() {
        let names = names();
        let is_rule = |word: &&str| {
            let begins = ["address_", "hidden_", "media_", "named_", "path_", "python_", "script_", "url_"];
            begins.iter().any(|begin| word.starts_with(begin))
                && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        };
        let mut seen = BTreeSet::new();
        for source in SOURCES {
            let source = source.split("#[cfg(test)]").next().unwrap();
            seen.extend(source.split('"').filter(is_rule));
            let kinds = source.split("kind: \"").skip(1).filter_map(|rest| rest.split('"').next());
            seen.extend(kinds);
        }
        assert!(seen.len() > 50, "{seen:?}");
        let missing: Vec<_> = seen.difference(&names).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn rules_of_files_are_among_them() {
        let names = names();
        for rule in [
            "conceals_from_user",
            "sql_tautology",
            "ssh_key",
            "github_pat",
            "EMAIL_ADDRESS",
            "prose_as_data",
            "reads_like_orders",
        ] {
            assert!(names.contains(rule), "{rule}");
        }
        assert!(!names.contains("-"));
    }
}
