//! Scenarios of SAFE-MCP that are about texts, files, arguments and credentials, each with its harmless twin: real clients of both
//! eras, the gateway as a process, and real servers wherever one can carry the attack.
//!
//! Each file of `detect_scenes` is one scenario, called as SAFE-MCP numbers it where it does, in a session of its own: what a user would configure, what is in the folder that the
//! file server serves and on the pages of the web, what the agent does and what comes of it, and what is then written down. Real
//! servers cannot be brought to lie about their tools: where a definition is the attack, the server is a scripted one, and says so.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that fails here has found something"
)]

#[path = "detect_scenes/play.rs"]
mod play;
#[path = "detect_scenes/props.rs"]
mod props;

/// One test for each scenario, and one that finds a file without a test.
macro_rules! scenes {
    ($($name:ident: $file:literal,)*) => {
        $(#[test]
        fn $name() {
            play::play($file);
        })*

        #[test]
        fn each_scenario_is_played() {
            let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/detect_scenes");
            let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
            let mut found: Vec<_> = files
                .filter(|file| file.extension().is_some_and(|kind| kind == "yaml"))
                .map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned())
                .collect();
            found.sort();
            assert_eq!(found, [$($file),*]);
        }
    };
}

scenes! {
    commands_in_arguments: "T1101",
    orders_in_mails_and_pages: "T1102",
    paths_that_leave_their_folder: "T1105",
    orders_beside_pictures: "T1110",
    orders_before_any_call: "T1401",
    orders_that_nobody_sees: "T1402",
    what_is_kept_from_the_user: "T1404",
    schemas_that_ask_for_keys: "T1501",
    files_with_keys: "T1502",
    environments: "T1503",
    tokens_that_are_carried_on: "T1504",
    keys_in_a_memory: "T1505",
    tokens_in_what_is_written: "T1506",
    addresses_that_lead_inside: "addresses",
    what_results_bring: "output",
    personal_data: "personal",
    programs: "programs",
}
