//! Texts of others that are not in the repository: descriptions and results of tools, files of public repositories.

use std::path::Path;
use std::process::Command;

use lockgate_model::Json;

use crate::SECRETS;

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
        let (mut rows, mut fired) = (0, 0);
        for row in String::from_utf8(output.stdout).unwrap().lines() {
            rows += 1;
            let json = Json::check(row.as_bytes(), 64).unwrap();
            let text = json.get("text").and_then(Json::text);
            let object = json.get("object").map(|object| String::from_utf8_lossy(object.raw()));
            let found: Vec<_> = text.iter().chain(&object).flat_map(|text| SECRETS.find(text)).collect();
            fired += usize::from(!found.is_empty());
            for secret in found {
                eprintln!("{}: {}", json.get("id").and_then(Json::text).unwrap_or_default(), secret.kind);
            }
        }
        eprintln!("{}: {fired} of {rows}", file.file_name().unwrap().display());
        assert!(fired * 1000 <= rows, "at most 1 of 1000 rows of {}", file.display());
    }
}
