//! Names behind one endpoint: whose tool, prompt, resource or task it is, told by its name alone.

use lockgate_model::{ServerName, ToolName};

/// Longest name of a tool that common clients accept.
const LONGEST: usize = 64;

/// The name under which a tool is offered beside those of other servers: `<server>__<tool>`, at most 64 characters of
/// `A-Z a-z 0-9 _ -`. A name that does not fit is shortened and carries eight digits of its digest, so that two
/// different tools keep two different names.
pub fn exposed_tool(server: &ServerName, tool: &ToolName) -> String {
    let full = format!("{server}__{}", tool.as_str());
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if full.len() <= LONGEST && full.chars().all(plain) {
        return full;
    }
    let cleaned: String = full.chars().map(|c| if plain(c) { c } else { '_' }).take(LONGEST - 9).collect();
    let digest: String = crate::digest::hex(full.as_bytes()).chars().take(8).collect();
    format!("{cleaned}_{digest}")
}

/// A prompt's name beside those of other servers.
pub(crate) fn exposed_prompt(server: &ServerName, prompt: &str) -> String {
    format!("{server}__{prompt}")
}

/// Splits `<server>__<rest>`. Server names hold no underscore, so there is only one way to split.
pub(crate) fn split_name(name: &str) -> Option<(ServerName, &str)> {
    let (server, rest) = name.split_once("__")?;
    Some((ServerName::parse(server)?, rest))
}

/// An address or task beside those of other servers: `<server>+<address>`. An address stays a valid URI, since a
/// scheme may hold `+`.
pub(crate) fn exposed_address(server: &ServerName, address: &str) -> String {
    format!("{server}+{address}")
}

/// Splits `<server>+<rest>`. Server names hold no plus.
pub(crate) fn split_address(address: &str) -> Option<(ServerName, &str)> {
    let (server, rest) = address.split_once('+')?;
    Some((ServerName::parse(server)?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(name: &str) -> ServerName {
        ServerName::parse(name).unwrap()
    }

    #[test]
    fn exposed_names_fit_and_differ() {
        let exposed = |tool: &str| exposed_tool(&server("files"), &ToolName::new(tool));
        assert_eq!(exposed("read_file"), "files__read_file");
        let long = "x".repeat(80);
        let names =
            [exposed(&long), exposed(&format!("{long}y")), exposed("a.b"), exposed("a/b"), exposed("a_b")];
        for (i, name) in names.iter().enumerate() {
            assert!(name.len() <= LONGEST, "{name}");
            assert!(names.iter().skip(i + 1).all(|other| other != name), "{name}");
        }
    }

    #[test]
    fn a_name_splits_in_one_way() {
        assert_eq!(split_name("files__a__b"), Some((server("files"), "a__b")));
        assert_eq!(split_name("Files__a"), None);
        assert_eq!(split_name("files"), None);
        assert_eq!(split_address("fs+file:///a+b"), Some((server("fs"), "file:///a+b")));
        assert_eq!(split_address("file:///a+b"), None);
    }
}
