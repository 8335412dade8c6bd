//! Hidden text in texts of others that are not in the repository.

#![allow(clippy::unwrap_used, reason = "tests")]

mod others;

use std::collections::BTreeMap;

use lockgate_detect::Level;
use lockgate_detect::hidden::{HiddenKind, clean, look};
use lockgate_model::Json;
use others::files;

/// Descriptions and results of tools and files of public repositories hide nothing, or nearly nothing.
#[test]
fn texts_of_others_are_left_alone() {
    for (name, rows) in files(|name| name.starts_with("benign_")) {
        let (mut all, mut block, mut review) = (0, 0, 0);
        let mut kinds: BTreeMap<(HiddenKind, Level), usize> = BTreeMap::new();
        for row in rows.lines() {
            all += 1;
            let json = Json::check(row.as_bytes(), 64).unwrap();
            let Some(text) = json.get("text").and_then(Json::text) else { continue };
            let found = look(&text);
            let worst = found.iter().map(|hidden| hidden.level).max().unwrap_or_default();
            block += usize::from(worst == Level::Block);
            review += usize::from(worst == Level::Review);
            for hidden in &found {
                *kinds.entry((hidden.kind, hidden.level)).or_default() += 1;
            }
            if worst > Level::None {
                let id = json.get("id").and_then(Json::text).unwrap_or_default();
                eprintln!("{id}: {:?}", found.iter().find(|hidden| hidden.level == worst));
            } else {
                assert_eq!(clean(&text, &found), text);
            }
        }
        eprintln!("{name}: {block} block, {review} review of {all}; {kinds:?}");
        assert!(block * 1000 <= all, "at most 1 of 1000 rows of {name}");
        assert!(review * 100 <= all, "at most 1 of 100 rows of {name}");
    }
}
