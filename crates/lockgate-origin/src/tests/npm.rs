use std::fs;

use lockgate_model::Reason;
use sha2::{Digest, Sha512};

use super::Home;
use crate::{Kind, Unresolved, check};

/// The folder that npm names after `@maker/server@1.0.0`, `@maker/server@latest`, and `@maker/server`: the first 8 bytes of
/// the SHA-512 of the text.
fn key(spec: &str) -> String {
    let digest = Sha512::digest(spec);
    digest.iter().take(8).fold(String::new(), |key, byte| key + &format!("{byte:02x}"))
}

#[test]
fn the_registry_is_the_one_that_npm_asks() {
    let home = Home::new();
    let ask = |package: &str, environment: &[(&str, &str)]| {
        let place = home.at("").to_string_lossy().into_owned();
        let mut all = vec![("HOME".to_owned(), place)];
        all.extend(environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let directory = home.at("work");
        crate::npm_registry(
            &crate::Setting { command: &[], environment: &all, directory: &directory },
            package,
        )
    };
    assert_eq!(ask("a", &[]), "https://registry.npmjs.org/");
    home.write(".npmrc", "registry = https://one.example/\n@scope:registry=https://two.example/\n");
    assert_eq!(ask("a", &[]), "https://one.example/");
    assert_eq!(ask("@scope/a", &[]), "https://two.example/");
    assert_eq!(ask("@other/a", &[]), "https://one.example/");
    assert_eq!(ask("a", &[("npm_config_registry", "https://three.example/")]), "https://three.example/");
}

/// As npm 11.19.1 was seen to name it.
#[test]
fn npm_names_folders_so() {
    assert_eq!(key("semver@7.7.2"), "6fe57a799e347326");
}

#[test]
fn npx_starts_what_npm_has_kept() {
    let home = Home::new();
    let modules = home.executed(&key("@maker/server@1.0.0"), "1.0.0");
    let found = home.resolve("npx -y @maker/server@1.0.0 --stdio").unwrap();
    assert_eq!(found.origin.kind, Kind::Npm);
    assert_eq!(found.origin.name, "@maker/server");
    assert_eq!(found.origin.version.as_deref(), Some("1.0.0"));
    assert_eq!(found.origin.integrity.as_deref(), Some("sha512-AAAA"));
    assert!(found.origin.is_exact() && !found.open);
    assert_eq!(found.owner.maintainer.as_deref(), Some("A Maker maker@code.example"));
    assert_eq!(found.owner.security.as_deref(), Some("https://code.example/server/issues"));
    // npx itself is not started: it might fetch another version.
    let start = found.start.unwrap();
    let bin = home.at(&format!("{modules}/.bin/mcp-server")).to_string_lossy().into_owned();
    assert_eq!(start.command, [bin, "--stdio".to_owned()]);
    assert!(start.environment.contains(&("npm_config_offline".to_owned(), "true".to_owned())));
    let path = start.environment.iter().find(|(name, _)| name == "PATH").unwrap().1.clone();
    assert!(path.starts_with(&*home.at("bin").to_string_lossy()), "{path}");
}

/// The folder `.bin` of a project is not pinned: what lies there must not be taken for the program that runs the server.
#[test]
fn programs_beside_a_server_of_a_project_are_not_taken_for_others() {
    let home = Home::new();
    home.package("work/node_modules", "1.0.0");
    home.program("work/node_modules/.bin/node", "evil");
    let start = home.resolve("npx mcp-server").unwrap().start.unwrap();
    assert!(start.environment.iter().all(|(name, _)| name != "PATH"), "{start:?}");
}

#[test]
fn what_is_not_there_would_be_fetched() {
    let home = Home::new();
    assert_eq!(home.resolve("npx -y @maker/server").err(), Some(Unresolved::NotInstalled));
    home.executed(&key("@maker/server"), "1.0.0");
    assert!(home.resolve("npx -y @maker/server").unwrap().open);
    assert_eq!(home.resolve("npx -y @maker/server@1.0.1").err(), Some(Unresolved::NotInstalled));
    // A folder of that name with another version in it.
    home.executed(&key("@maker/server@1.0.1"), "1.0.2");
    assert_eq!(home.resolve("npx -y @maker/server@1.0.1").err(), Some(Unresolved::NotInstalled));
}

/// SAFE-T1207.
#[test]
fn a_tag_that_leads_to_another_version_is_told() {
    let home = Home::new();
    let modules = home.executed(&key("@maker/server@latest"), "1.0.0");
    let pinned = home.resolve("npx -y @maker/server@latest").unwrap();
    assert!(pinned.open);
    fs::remove_dir_all(home.at(&modules)).unwrap();
    home.executed(&key("@maker/server@latest"), "1.1.0");
    let found = home.resolve("npx -y @maker/server@latest").unwrap();
    let reason = check(&pinned.origin, &found.origin).unwrap_err().reason();
    assert_eq!(reason, Reason::VersionNotPinned);
}

/// SAFE-T1002.
#[test]
fn a_changed_file_of_a_package_or_of_what_it_needs_is_told() {
    for file in
        ["@maker/server/dist/index.js", "@maker/server/package.json", "helper/index.js", "helper/new.js"]
    {
        for local in [false, true] {
            let home = Home::new();
            let spec = "@maker/server@1.0.0";
            let modules = if local {
                home.package("work/node_modules", "1.0.0");
                "work/node_modules".to_owned()
            } else {
                home.executed(&key(spec), "1.0.0")
            };
            let command = format!("npx -y {spec}");
            let pinned = home.resolve(&command).unwrap().origin;
            assert_eq!(check(&pinned, &home.resolve(&command).unwrap().origin), Ok(()));
            let path = home.at(&format!("{modules}/{file}"));
            let mut text = fs::read_to_string(&path).unwrap_or_default();
            text.push(' ');
            fs::write(&path, text).unwrap();
            let difference = check(&pinned, &home.resolve(&command).unwrap().origin).unwrap_err();
            assert_eq!(difference.reason(), Reason::ArtefactChanged, "{file}");
        }
    }
}

#[test]
fn a_package_that_newly_goes_before_another_is_told() {
    let home = Home::new();
    home.package("work/node_modules", "1.0.0");
    let pinned = home.resolve("npx mcp-server").unwrap().origin;
    // Node looks here first.
    home.write("work/node_modules/@maker/node_modules/helper/index.js", "evil()");
    let found = home.resolve("npx mcp-server").unwrap().origin;
    assert_eq!(check(&pinned, &found).unwrap_err().reason(), Reason::ArtefactChanged);
}

#[test]
fn node_and_a_path_lead_to_the_same_package() {
    let home = Home::new();
    home.package("work/node_modules", "1.0.0");
    let origin = home.resolve("npx mcp-server").unwrap().origin;
    for command in [
        "node node_modules/@maker/server/dist/index.js --stdio",
        "~/work/node_modules/.bin/mcp-server",
        "npm exec -- mcp-server",
        "env A=b npx mcp-server",
    ] {
        assert_eq!(home.resolve(command).unwrap().origin, origin, "{command}");
    }
}

#[test]
fn an_entry_of_the_registry_names_the_owner_where_it_is_for_the_package() {
    for (entry, expected) in [
        (r#"{"name":"example.code/server"}"#, Some("example.code")),
        (r#"{"name":"com.other/x","packages":[{"identifier":"@maker/server"}]}"#, Some("com.other")),
        (r#"{"name":"com.other/x","packages":[{"identifier":"other"}]}"#, None),
        ("{", None),
    ] {
        let home = Home::new();
        home.package("work/node_modules", "1.0.0");
        let package = "work/node_modules/@maker/server";
        let manifest = r#"{"name":"@maker/server","version":"1.0.0","mcpName":"example.code/server"}"#;
        home.write(&format!("{package}/package.json"), manifest);
        home.write(&format!("{package}/server.json"), entry);
        let found = home.resolve("npx mcp-server").unwrap();
        assert_eq!(found.owner.maintainer.as_deref(), expected, "{entry}");
    }
}
