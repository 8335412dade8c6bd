//! Texts of others that are not in the repository: how much of each entity is found in a thousand of them.

use std::collections::BTreeMap;

use lockgate_model::Json;

use crate::PERSONAL;
use crate::others::files;

/// Most texts of a thousand in which anything is found but addresses for e-mail, by the name of the file. Results of tau-bench
/// are about customers and have their names and addresses in them; files of repositories have who wrote a change.
const MOST: [(&str, usize); 3] =
    [("benign_results_taubench", 1000), ("benign_traces_taubench", 1000), ("benign_repo_files", 50)];
const USUAL: usize = 5;

#[test]
fn texts_of_others_are_mostly_left_alone() {
    for (name, rows) in files(|name| name.starts_with("benign_")) {
        let (mut all, mut fired) = (0, 0);
        let mut table: BTreeMap<&str, usize> = BTreeMap::new();
        for row in rows.lines() {
            all += 1;
            let json = Json::check(row.as_bytes(), 64).unwrap();
            let text = json.get("text").and_then(Json::text);
            let object = json.get("object").map(|object| object.written().into());
            let found = text.iter().chain(&object).flat_map(|text| PERSONAL.find("", text));
            let mut entities: Vec<_> = found.map(|datum| datum.entity.word()).collect();
            entities.sort_unstable();
            entities.dedup();
            fired += usize::from(entities.iter().any(|entity| *entity != "EMAIL_ADDRESS"));
            for entity in entities {
                *table.entry(entity).or_default() += 1;
            }
        }
        let share = |count: usize| count * 10_000 / all;
        eprintln!("{name}: {all} texts, {fired} with anything but e-mail");
        for (entity, count) in table {
            eprintln!("  {entity:<28} {count:>5}  {}.{} of 1000", share(count) / 10, share(count) % 10);
        }
        let most = MOST.iter().find(|(start, _)| name.starts_with(start)).map_or(USUAL, |(_, most)| *most);
        assert!(fired * 1000 <= all * most, "at most {most} of 1000 of {name}");
    }
}
