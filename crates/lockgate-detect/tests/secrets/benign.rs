//! Texts of others that are not in the repository: descriptions and results of tools, files of public repositories.

use lockgate_model::Json;

use crate::SECRETS;
use crate::others::files;

#[test]
fn texts_of_others_are_left_alone() {
    for (name, rows) in files(|name| name.starts_with("benign_")) {
        let (mut all, mut fired) = (0, 0);
        for row in rows.lines() {
            all += 1;
            let json = Json::check(row.as_bytes(), 64).unwrap();
            let text = json.get("text").and_then(Json::text);
            let object = json.get("object").map(|object| object.written().into());
            let found: Vec<_> = text.iter().chain(&object).flat_map(|text| SECRETS.find(text)).collect();
            fired += usize::from(!found.is_empty());
            for secret in found {
                eprintln!("{}: {}", json.get("id").and_then(Json::text).unwrap_or_default(), secret.kind);
            }
        }
        eprintln!("{name}: {fired} of {all}");
        assert!(fired * 1000 <= all, "at most 1 of 1000 rows of {name}");
    }
}
