//! What else the name of a tool says.

use lockgate_model::Effect;

use crate::effect::words;
use crate::list::lists;

/// Verbs of tools that hand out what somebody wrote, as it is.
const OPENS: &str =
    "read fetch browse visit open navigate cat scrape crawl download extract goto load retrieve";
/// Things that somebody wrote.
const DOCUMENTS: &str =
    "page webpage website url file document doc content contents html text article readme markdown pdf site";
/// What such a tool hands out is made by its program all the same.
const LISTED: &str = "list search find tree info metadata stat status directory directories index history";

/// Does the tool return a document: text whose form is somebody's, whatever it looks like?
pub fn is_document(name: &str, effect: Effect) -> bool {
    let words = words(name);
    let any = |list: &'static str| words.iter().any(|word| lists(list, word));
    effect == Effect::Read && any(OPENS) && any(DOCUMENTS) && !any(LISTED)
}

/// Words for changes of what belongs to what, with the words for their way back. To delete is not among them: what is
/// created again is not what it was.
const WAYS_BACK: &[(&str, &str)] = &[
    ("remove", "add"),
    ("unstar", "star"),
    ("unfollow", "follow"),
    ("unlike", "like"),
    ("unpin", "pin"),
    ("unarchive", "archive"),
    ("unmark", "mark"),
    ("unwatch", "watch"),
    ("unsubscribe", "subscribe"),
    ("deselect", "select"),
    ("unlabel", "label"),
    ("disable", "enable"),
    ("close", "reopen"),
    ("close", "open"),
];

/// Things that hold no more than what was chosen: to empty one of them loses little.
const CHOICES: &str = "cart basket selection filter filters wishlist cache highlight highlights";

/// Does the server offer the way back from what this tool does? `siblings`: the names of all its tools.
pub fn undoable<'n>(name: &str, siblings: impl Iterator<Item = &'n str>) -> bool {
    let own = words(name);
    if own.iter().any(|word| lists(CHOICES, word)) {
        return true;
    }
    let back: Vec<Vec<String>> = WAYS_BACK
        .iter()
        .filter_map(|(there, back)| {
            let at = own.iter().position(|word| word == there)?;
            let mut wanted = own.clone();
            let word: &mut String = wanted.get_mut(at)?;
            (*back).clone_into(word);
            Some(wanted)
        })
        .collect();
    !back.is_empty() && siblings.map(words).any(|sibling| back.contains(&sibling))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_ways_back() {
        for (name, siblings, expected) in [
            ("remove_label", &["add_label", "delete_label"][..], true),
            ("git_unstar", &["git_star"], true),
            ("unstar", &["list"], false),
            ("delete_repo", &["create_repo"], false),
            ("clear_cart", &[], true),
            ("remove_user", &["invite_user"], false),
        ] {
            assert_eq!(undoable(name, siblings.iter().copied()), expected, "{name}");
        }
    }

    #[test]
    fn names_of_documents() {
        for (name, expected) in [
            ("read_file", true),
            ("browse_webpage", true),
            ("fetch_url", true),
            ("list_directory", false),
            ("get_issue", false),
            ("read_emails", false),
        ] {
            assert_eq!(is_document(name, Effect::Read), expected, "{name}");
        }
    }
}
