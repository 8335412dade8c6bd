use lockgate_model::{Annotations, Effect};

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
];

/// What a tool does: the operator's word if there is one, else the first verb among the words of the name, raised by
/// what the server itself admits. A name without a known verb counts as [`Effect::Write`]. Two verbs joined by `and`
/// or `or` count as the more dangerous one. `readOnlyHint: true` lowers nothing. O(length of the name).
pub fn effect_of(name: &str, annotations: Annotations, operator: Option<Effect>) -> Effect {
    if let Some(effect) = operator {
        return effect;
    }
    let words = words(name);
    let mut effect = None;
    let mut joined = true;
    for word in &words {
        if joined && let Some(found) = verb(word) {
            effect = effect.max(Some(found));
            joined = false;
        } else if effect.is_some() {
            joined = matches!(word.as_str(), "and" | "or" | "then");
        }
    }
    let mut effect = effect.unwrap_or(Effect::Write);
    if effect == Effect::Write && words.iter().any(|word| RIGHTS.contains(&word.as_str())) {
        effect = Effect::Grant;
    }
    if annotations.destructive == Some(true) && annotations.read_only != Some(true) {
        effect = Effect::Destructive;
    }
    if annotations.read_only == Some(false) {
        effect = effect.max(Effect::Write);
    }
    if annotations.open_world == Some(true) && effect == Effect::Write {
        effect = Effect::Egress;
    }
    effect
}

fn verb(word: &str) -> Option<Effect> {
    VERBS.iter().find(|(_, verbs)| verbs.contains(&word)).map(|(effect, _)| *effect)
}

/// The words of a name, in lower case: split at what is not a letter, and where a small letter meets a capital one.
fn words(name: &str) -> Vec<String> {
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
            ("frobnicate", Effect::Write),
            ("", Effect::Write),
        ] {
            assert_eq!(effect_of(name, Annotations::default(), None), effect, "{name}");
        }
    }

    #[test]
    fn hints_only_raise() {
        let hints = [None, Some(false), Some(true)];
        for name in ["read_file", "write_file", "send_mail", "delete_all", "frobnicate"] {
            let plain = effect_of(name, Annotations::default(), None);
            for read_only in hints {
                for destructive in hints {
                    for open_world in hints {
                        let hinted = Annotations { read_only, destructive, open_world };
                        assert!(effect_of(name, hinted, None) >= plain, "{name} {hinted:?}");
                    }
                }
            }
        }
        let destructive = Annotations { destructive: Some(true), ..Annotations::default() };
        assert_eq!(effect_of("tidy", destructive, None), Effect::Destructive);
        assert_eq!(effect_of("delete_all", Annotations::default(), Some(Effect::Read)), Effect::Read);
    }
}
