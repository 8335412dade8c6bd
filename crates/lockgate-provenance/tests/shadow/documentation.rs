//! `docs/poisoning.md` has every code, and says of each what the code says.

use lockgate_provenance::shadow::Code;

const PAGE: &str = include_str!("../../../../docs/poisoning.md");

#[test]
fn the_table_has_every_code() {
    let rows: Vec<Vec<&str>> = PAGE
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    let table: Vec<(&str, &str)> = rows.iter().map(|row| (row[0].trim_matches('`'), row[3])).collect();
    let codes: Vec<(&str, &str)> = Code::ALL.iter().map(|code| (code.word(), code.weight().word())).collect();
    assert_eq!(table, codes);
    for row in rows {
        assert_eq!(row.len(), 5, "{row:?}");
        assert!(
            row[2].split(' ').all(|technique| technique.starts_with('T') && technique.len() == 5),
            "{row:?}"
        );
    }
}
