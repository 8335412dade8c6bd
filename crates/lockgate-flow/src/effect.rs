use lockgate_model::Effect;

use crate::Definition;

/// Verbs by what they do. The first verb among the words of a tool's name decides; see [`effect_of`].
const VERBS: &[(Effect, &[&str])] = &[
    (
        Effect::Read,
        &[
            "get",
            "list",
            "read",
            "search",
            "find",
            "fetch",
            "query",
            "describe",
            "show",
            "view",
            "lookup",
            "look",
            "check",
            "count",
            "inspect",
            "status",
            "diff",
            "log",
            "browse",
            "scan",
            "stat",
            "head",
            "tail",
            "echo",
            "ping",
            "summarize",
            "summarise",
            "explain",
            "validate",
            "verify",
            "convert",
            "calculate",
            "compute",
            "compare",
            "preview",
            "tree",
            "info",
            "whoami",
            "help",
            "open",
            "navigate",
            "visit",
            "download",
            "export",
            "select",
            "retrieve",
            "observe",
            "monitor",
            "watch",
            "resolve",
            "translate",
            "analyze",
            "analyse",
            // Shows who one is, to the server itself.
            "login",
            "signin",
            "logout",
            "authenticate",
        ],
    ),
    (
        Effect::Write,
        &[
            "create",
            "write",
            "add",
            "update",
            "edit",
            "set",
            "put",
            "save",
            "insert",
            "append",
            "move",
            "rename",
            "copy",
            "upload",
            "patch",
            "modify",
            "change",
            "store",
            "mark",
            "assign",
            "register",
            "archive",
            "import",
            "commit",
            "checkout",
            "branch",
            "merge",
            "rebase",
            "init",
            "clone",
            "stage",
            "tag",
            "label",
            "schedule",
            "enable",
            "disable",
            "start",
            "stop",
            "configure",
            "make",
            "upsert",
            "toggle",
            "sync",
            "fill",
            "click",
            "type",
            "press",
            "draft",
            "star",
            "unstar",
            "like",
            "unlike",
            "follow",
            "unfollow",
            "unwatch",
            "bookmark",
            "favorite",
            "pin",
            "unpin",
            "unmark",
            "fork",
            "pull",
        ],
    ),
    (
        Effect::Egress,
        &[
            "send",
            "post",
            "publish",
            "email",
            "mail",
            "reply",
            "forward",
            "share",
            "tweet",
            "message",
            "notify",
            "comment",
            "broadcast",
            "submit",
            "push",
            "dispatch",
            "invoke",
            "request",
            "trigger",
            "webhook",
            "sms",
        ],
    ),
    (
        Effect::Commit,
        &[
            "pay",
            "transfer",
            "buy",
            "purchase",
            "order",
            "charge",
            "refund",
            "checkout_cart",
            "book",
            "reserve",
            "subscribe",
            "withdraw",
            "deposit",
            "wire",
            "trade",
            "sell",
            "donate",
            "tip",
            "bid",
            "payout",
            "invoice",
        ],
    ),
    (
        Effect::Grant,
        &[
            "grant",
            "invite",
            "permit",
            "authorize",
            "authorise",
            "allow",
            "approve",
            "promote",
            "delegate",
            "chmod",
            "chown",
            "elevate",
            "impersonate",
            "trust",
            "unlock",
            "passwd",
        ],
    ),
    (
        Effect::Destructive,
        &[
            "delete",
            "remove",
            "drop",
            "purge",
            "truncate",
            "destroy",
            "erase",
            "wipe",
            "reset",
            "kill",
            "terminate",
            "uninstall",
            "prune",
            "unlink",
            "rm",
            "rmdir",
            "clear",
            "revoke",
            "ban",
            "cancel",
            "close",
            "rollback",
            "revert",
            "format",
            "shred",
            "overwrite",
            "cleanup",
            "empty",
            "trash",
            "discard",
            "expunge",
            "deprovision",
            "flush",
            "evict",
            "abort",
            // These run whatever they are told.
            "execute",
            "exec",
            "run",
            "eval",
            "shell",
            "bash",
            "sh",
            "cmd",
            "command",
            "terminal",
            "script",
            "sql",
            "deploy",
            "apply",
            "install",
            "sudo",
            "spawn",
            "evaluate",
        ],
    ),
];

/// Things whose change gives rights, whatever the verb: `update_password`, `add_member`, `create_api_key`.
const RIGHTS: &[&str] = &[
    "password",
    "passwords",
    "passwd",
    "credential",
    "credentials",
    "permission",
    "permissions",
    "role",
    "roles",
    "member",
    "members",
    "collaborator",
    "collaborators",
    "apikey",
    "token",
    "tokens",
    "secret",
    "secrets",
    "acl",
    "policy",
    "admin",
    "sshkey",
    "mfa",
    "oauth",
    "owner",
    "owners",
    "ownership",
    "recovery",
    "allowlist",
    "whitelist",
];

/// Things whose change is an order or a payment, whatever the verb: `schedule_transaction`, `checkout_cart`.
const MONEY: &[&str] = &[
    "money",
    "fund",
    "funds",
    "payment",
    "payments",
    "transaction",
    "transactions",
    "payout",
    "payouts",
    "salary",
];

/// Kinds of keys that open something: `add_ssh_key`, but not `set_key`.
const OPENING: &[&str] =
    &["ssh", "api", "access", "deploy", "gpg", "public", "private", "secret", "signing", "host"];

/// What a tool does: the operator's word if there is one, else the first verb among the words of the name, raised by
/// what the server itself admits and by arguments that name somebody outside. A name without a known verb counts as
/// [`Effect::Write`]. Two verbs joined by `and` or `or` count as the more dangerous one. `readOnlyHint: true` lowers
/// nothing. O(length of the name).
pub fn effect_of(name: &str, definition: Definition, operator: Option<Effect>) -> Effect {
    operator.unwrap_or_else(|| admitted(effect_of_words(&words(name)), definition))
}

/// Is it only a hint of the server that makes a tool destructive whose own verb writes? Servers give the hint to whatever can
/// overwrite: `write_file`, `edit_file`.
pub fn is_destructive_by_hint(name: &str, definition: Definition) -> bool {
    let words = words(name);
    let writes = deciding(&words).next().is_some() && effect_of_words(&words) == Effect::Write;
    writes && definition.annotations.destructive == Some(true)
}

/// What the words of a name say.
pub(crate) fn effect_of_words(words: &[String]) -> Effect {
    let effect = deciding(words).filter_map(verb).max().unwrap_or(Effect::Write);
    let buys = || {
        let checkout = words.iter().any(|word| word == "checkout");
        words.iter().any(|word| {
            MONEY.contains(&word.as_str()) || checkout && matches!(word.as_str(), "cart" | "basket")
        })
    };
    match effect {
        Effect::Write if right(words).is_some() => Effect::Grant,
        Effect::Write | Effect::Egress if buys() => Effect::Commit,
        Effect::Read
        | Effect::Write
        | Effect::Egress
        | Effect::Commit
        | Effect::Grant
        | Effect::Destructive => effect,
    }
}

/// What the server itself admits, on top of what is known.
pub(crate) fn admitted(mut effect: Effect, definition: Definition) -> Effect {
    let annotations = definition.annotations;
    if annotations.destructive == Some(true) && annotations.read_only != Some(true) {
        effect = Effect::Destructive;
    }
    if annotations.read_only == Some(false) {
        effect = effect.max(Effect::Write);
    }
    // What hands something to a recipient does not only read.
    if effect == Effect::Read && definition.signs.reaches().is_some_and(|word| !word.starts_with("url")) {
        effect = Effect::Egress;
    }
    if effect == Effect::Write
        && (annotations.open_world == Some(true) || definition.signs.reaches().is_some())
    {
        effect = Effect::Egress;
    }
    effect
}

/// The first verb, and each that is joined to it by `and`, `or` or `then`.
pub(crate) fn deciding(words: &[String]) -> impl Iterator<Item = &str> {
    let (mut found, mut joined) = (false, true);
    words.iter().map(String::as_str).filter(move |word| {
        if joined && verb(word).is_some() {
            (found, joined) = (true, false);
            return true;
        }
        if found {
            joined = matches!(*word, "and" | "or" | "then");
        }
        false
    })
}

/// A word for something whose change gives rights, as the list has it.
pub(crate) fn right(words: &[String]) -> Option<&'static str> {
    let opening = |pair: &[String]| match pair {
        [kind, key] if matches!(key.as_str(), "key" | "keys") => {
            OPENING.iter().find(|known| *known == kind).copied()
        }
        _ => None,
    };
    let known = words.iter().find_map(|word| RIGHTS.iter().find(|known| *known == word).copied());
    known.or_else(|| words.windows(2).find_map(opening))
}

/// What a verb says, as the table has it.
pub(crate) fn verb_word(word: &str) -> Option<&'static str> {
    known(word).map(|(_, verb)| verb)
}

pub(crate) fn verb(word: &str) -> Option<Effect> {
    known(word).map(|(effect, _)| effect)
}

fn known(word: &str) -> Option<(Effect, &'static str)> {
    // Most verbs differ in the first letter already.
    let first = word.as_bytes().first();
    let is = |verb: &&&str| verb.as_bytes().first() == first && **verb == word;
    VERBS.iter().find_map(|(effect, verbs)| Some((*effect, *verbs.iter().find(is)?)))
}

/// The words of a name, in lower case: split at what is not a letter, and where a small letter meets a capital one.
pub(crate) fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in name.chars() {
        if c.is_alphabetic() {
            if c.is_uppercase() && before.is_lowercase() {
                words.push(String::new());
            }
            if let Some(word) = words.last_mut() {
                word.extend(c.to_lowercase());
            }
        } else {
            words.push(String::new());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use lockgate_model::Annotations;

    use super::*;

    #[test]
    fn the_first_verb_decides() {
        for (name, effect) in [
            ("read_file", Effect::Read),
            ("get_delete_status", Effect::Read),
            ("list_and_delete", Effect::Destructive),
            ("createIssue", Effect::Write),
            ("create_or_update_file", Effect::Write),
            ("send_message", Effect::Egress),
            ("transfer_money", Effect::Commit),
            ("update_password", Effect::Grant),
            ("add_collaborator", Effect::Grant),
            ("get_password_policy", Effect::Read),
            ("deleteRows", Effect::Destructive),
            ("drop-table", Effect::Destructive),
            ("execute", Effect::Destructive),
            ("users.remove", Effect::Destructive),
            ("send_money", Effect::Commit),
            ("schedule_transaction", Effect::Commit),
            ("get_transactions", Effect::Read),
            ("checkout_cart", Effect::Commit),
            ("git_checkout", Effect::Write),
            ("add_ssh_key", Effect::Grant),
            ("set_key", Effect::Write),
            ("login", Effect::Read),
            ("frobnicate", Effect::Write),
            ("", Effect::Write),
        ] {
            assert_eq!(effect_of(name, Definition::default(), None), effect, "{name}");
        }
    }

    #[test]
    fn hints_only_raise() {
        let hints = [None, Some(false), Some(true)];
        for name in ["read_file", "write_file", "send_mail", "delete_all", "frobnicate"] {
            let plain = effect_of(name, Definition::default(), None);
            for read_only in hints {
                for destructive in hints {
                    for open_world in hints {
                        let annotations = Annotations { read_only, destructive, open_world };
                        let hinted = Definition { annotations, ..Definition::default() };
                        assert!(effect_of(name, hinted, None) >= plain, "{name} {hinted:?}");
                    }
                }
            }
        }
        let annotations = Annotations { destructive: Some(true), ..Annotations::default() };
        let destructive = Definition { annotations, ..Definition::default() };
        assert_eq!(effect_of("tidy", destructive, None), Effect::Destructive);
        assert_eq!(effect_of("delete_all", Definition::default(), Some(Effect::Read)), Effect::Read);
    }
}
