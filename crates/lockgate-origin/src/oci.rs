//! Container images, by how they are named in a command. Where the engine keeps them is its own matter: a tag may stand for
//! another image tomorrow, and only a digest pins one.

use crate::found::Found;
use crate::origin::{Kind, Origin};
use crate::setting::Setting;
use crate::unresolved::Unresolved;

/// Options of `run` that have no value.
const SWITCHES: [&str; 15] = [
    "--detach",
    "--disable-content-trust",
    "--init",
    "--interactive",
    "--no-healthcheck",
    "--no-hosts",
    "--oom-kill-disable",
    "--privileged",
    "--publish-all",
    "--quiet",
    "--read-only",
    "--replace",
    "--rm",
    "--sig-proxy",
    "--tty",
];
/// The same as single letters, which may stand together.
const LETTERS: &str = "ditPq";

/// Resolves `docker run` and its like. `Ok(None)` where it is none.
pub(crate) fn resolve(setting: &Setting<'_>, engine: &str) -> Result<Option<Found>, Unresolved> {
    if !["docker", "podman", "nerdctl"].contains(&engine) {
        return Ok(None);
    }
    let mut rest = setting.command.iter().skip(1).map(String::as_str);
    let mut verb = rest.next();
    if verb == Some("container") {
        verb = rest.next();
    }
    if verb != Some("run") {
        return Err(Unresolved::Launcher);
    }
    let image = image(rest)?;
    let reference = Reference::read(image).ok_or(Unresolved::Option)?;
    let origin = Origin {
        version: reference.tag.map(str::to_owned),
        integrity: reference.digest.map(str::to_owned),
        by: Some(engine.to_owned()),
        ..Origin::new(Kind::Oci, reference.name)
    };
    Ok(Some(Found { open: !origin.is_exact(), ..Found::new(origin) }))
}

/// The first word that is neither an option nor an option's value.
fn image<'w>(mut words: impl Iterator<Item = &'w str>) -> Result<&'w str, Unresolved> {
    while let Some(word) = words.next() {
        if word == "--" {
            return words.next().ok_or(Unresolved::Option);
        }
        let Some(option) = word.strip_prefix('-') else { return Ok(word) };
        if option.starts_with('-') {
            if !word.contains('=') && !SWITCHES.contains(&word) {
                words.next();
            }
            continue;
        }
        // Letters without a value, then one that may have it at once or in the next word.
        let with_value = option.trim_start_matches(|letter| LETTERS.contains(letter));
        if with_value.chars().count() == 1 {
            words.next();
        }
    }
    Err(Unresolved::Option)
}

/// `registry.example:5000/name:tag@sha256:…`
struct Reference<'r> {
    name: &'r str,
    tag: Option<&'r str>,
    digest: Option<&'r str>,
}

impl<'r> Reference<'r> {
    fn read(text: &'r str) -> Option<Self> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        let hex = |digest: &str| {
            let hex = digest.strip_prefix("sha256:").unwrap_or_default();
            hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        if digest.is_some_and(|digest| !hex(digest)) {
            return None;
        }
        // A colon before the last slash is that of a port.
        let from = rest.rfind('/').map_or(0, |slash| slash + 1);
        let colon = rest.get(from..)?.find(':').map(|colon| from + colon);
        let (name, tag) = match colon {
            Some(colon) => (rest.get(..colon)?, Some(rest.get(colon + 1..)?)),
            None => (rest, None),
        };
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-/:".contains(&b);
        let sound = |text: &str| !text.is_empty() && text.len() <= 512 && text.bytes().all(plain);
        (sound(name) && tag.is_none_or(sound)).then_some(Self { name, tag, digest })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn found(command: &str) -> Result<Option<Found>, Unresolved> {
        let command: Vec<String> = command.split(' ').map(str::to_owned).collect();
        resolve(&Setting { command: &command, environment: &[], directory: Path::new("/") }, &command[0])
    }

    #[test]
    fn the_image_is_found_among_options() {
        for command in [
            "docker run ghcr.io/a/mcp:1.0",
            "docker run -i --rm ghcr.io/a/mcp:1.0 --flag value",
            "docker run -i --rm -e TOKEN -e A=b --env=C=d ghcr.io/a/mcp:1.0",
            "docker run -it -v /a:/b --network none --mount type=bind,src=/a,dst=/b ghcr.io/a/mcp:1.0 /b",
            "docker container run -ie TOKEN --name x ghcr.io/a/mcp:1.0",
            "docker run -iv/a:/b -p8080:80 --pull=never ghcr.io/a/mcp:1.0",
            "docker run --init --read-only -- ghcr.io/a/mcp:1.0",
        ] {
            let found = found(command).unwrap().unwrap();
            assert_eq!(found.origin.name, "ghcr.io/a/mcp", "{command}");
            assert_eq!(found.origin.version.as_deref(), Some("1.0"), "{command}");
            assert!(found.open && !found.origin.is_exact(), "{command}");
        }
    }

    #[test]
    fn a_reference_is_taken_apart() {
        let hex = "0123456789abcdef".repeat(4);
        for (reference, name, tag, exact) in [
            ("mcp/git".to_owned(), "mcp/git", None, false),
            ("mcp/git:latest".to_owned(), "mcp/git", Some("latest"), false),
            ("localhost:5000/git".to_owned(), "localhost:5000/git", None, false),
            (format!("localhost:5000/git:2@sha256:{hex}"), "localhost:5000/git", Some("2"), true),
            (format!("mcp/git@sha256:{hex}"), "mcp/git", None, true),
        ] {
            let found = found(&format!("podman run {reference}")).unwrap().unwrap();
            assert_eq!((found.origin.name.as_str(), found.origin.version.as_deref()), (name, tag));
            assert_eq!((found.origin.is_exact(), found.open), (exact, !exact));
        }
    }

    #[test]
    fn what_is_no_image_is_refused() {
        for (command, why) in [
            ("docker run", Unresolved::Option),
            ("docker run --rm -e", Unresolved::Option),
            ("docker run a@sha256:00", Unresolved::Option),
            ("docker run a@md5:00", Unresolved::Option),
            ("docker run :latest", Unresolved::Option),
            ("docker run a:", Unresolved::Option),
            ("docker exec -i x server", Unresolved::Launcher),
            ("docker --context far run a", Unresolved::Launcher),
            ("docker mcp gateway run", Unresolved::Launcher),
        ] {
            assert_eq!(found(command).err(), Some(why), "{command}");
        }
        assert!(found("dockerd run a").unwrap().is_none());
    }
}
