//! What must hold for any input.

use proptest::prelude::*;

use crate::{
    Envelope, Pattern, PublicKey, Statement, Subject, Trust, armour, disarm, npm_attestations,
    pypi_attestations, verify_statement,
};

proptest! {
    #[test]
    fn nothing_that_is_read_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "[{}\\[\\]\",:a-z0-9]{0,80}") {
        for bytes in [&bytes[..], text.as_bytes()] {
            let _read = Envelope::read(bytes);
            let _read = Statement::read(bytes);
            let _read = npm_attestations(bytes);
            let _read = pypi_attestations(bytes);
            let _read = PublicKey::all_from_pem(&String::from_utf8_lossy(bytes));
            prop_assert!(Trust::read(bytes).is_err());
            let signer = crate::Signer::Keys(Vec::new());
            prop_assert!(verify_statement(bytes, &signer, &Trust::none()).is_err());
        }
    }

    #[test]
    fn what_is_armoured_is_read_again(label in "[A-Z ]{1,20}[A-Z]", der in proptest::collection::vec(any::<u8>(), 0..300)) {
        let text = armour(&label, &der);
        prop_assert!(text.lines().all(|line| line.len() <= 64));
        prop_assert_eq!(disarm(&text), Ok(vec![(label, der)]));
    }

    #[test]
    fn a_statement_is_read_as_it_was_written(names in proptest::collection::vec(".{0,20}", 1..8), kind in ".{0,20}") {
        let subjects: Vec<Subject> = names.iter().map(|name| Subject::sha256(name, &[7; 32])).collect();
        let read = Statement::read(&Statement::write(&subjects, &kind, &serde_json::json!({})));
        let read = read.map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!((read.subjects, read.predicate_type), (subjects, kind));
    }

    #[test]
    fn a_pattern_without_stars_matches_itself_alone(text in "[a-z/@.:]{1,30}", other in "[a-z/@.:]{1,30}") {
        let pattern = Pattern::new(&text).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert!(pattern.matches(&text));
        prop_assert_eq!(pattern.matches(&other), text == other);
    }

    #[test]
    fn what_a_star_stands_for_has_no_step_in_it(middle in "[a-z/@]{0,8}") {
        let pattern = Pattern::new("https://host.example/owner/*/end").map_err(|error| TestCaseError::fail(error.to_string()))?;
        let matches = pattern.matches(&format!("https://host.example/owner/{middle}/end"));
        prop_assert_eq!(matches, !middle.contains(['/', '@']));
    }
}
