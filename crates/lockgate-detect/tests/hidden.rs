//! Hidden text in texts of others that are not in the repository.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use lockgate_detect::Level;
use lockgate_detect::hidden::{HiddenKind, clean, look};
use lockgate_model::Json;

/// Descriptions and results of tools and files of public repositories hide nothing, or nearly nothing.
#[test]
fn texts_of_others_are_left_alone() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder =
        here.ancestors().map(|folder| folder.join("shared/data/train")).find(|folder| folder.is_dir());
    let Some(folder) = folder else {
        eprintln!("skipped: there are no recorded texts");
        return;
    };
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("benign_")));
    files.sort();
    for file in files {
        let output = Command::new("gzip").arg("-dc").arg(&file).output();
        let Some(output) = output.ok().filter(|output| output.status.success()) else {
            eprintln!("skipped: there is no gzip");
            return;
        };
        let (mut rows, mut block, mut review) = (0, 0, 0);
        let mut kinds: BTreeMap<(HiddenKind, Level), usize> = BTreeMap::new();
        for row in String::from_utf8(output.stdout).unwrap().lines() {
            rows += 1;
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
        eprintln!(
            "{}: {block} block, {review} review of {rows}; {kinds:?}",
            file.file_name().unwrap().display()
        );
        assert!(block * 1000 <= rows, "at most 1 of 1000 rows of {}", file.display());
        assert!(review * 100 <= rows, "at most 1 of 100 rows of {}", file.display());
    }
}
