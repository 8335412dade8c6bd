//! Whether a name is that of a secret.

/// What a name promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Password,
    /// Either of the two.
    Secret,
    Token,
}

/// What may come after the word that counts.
const AFTER: [&str; 20] = [
    "base",
    "value",
    "string",
    "text",
    "plain",
    "plaintext",
    "prod",
    "production",
    "dev",
    "development",
    "test",
    "stage",
    "staging",
    "live",
    "new",
    "old",
    "current",
    "default",
    "primary",
    "secondary",
];
/// What makes a key one that opens something.
const OPENS: [&str; 28] = [
    "api",
    "access",
    "secret",
    "private",
    "auth",
    "account",
    "encryption",
    "signing",
    "signature",
    "master",
    "shared",
    "service",
    "admin",
    "client",
    "app",
    "application",
    "session",
    "storage",
    "subscription",
    "license",
    "licence",
    "deploy",
    "hmac",
    "jwt",
    "webhook",
    "cookie",
    "token",
    "integration",
];
/// What makes a token or key one that opens nothing.
const OPENS_NOTHING: [&str; 33] = [
    "next",
    "page",
    "pagination",
    "continuation",
    "sync",
    "cursor",
    "csrf",
    "xsrf",
    "csrfmiddleware",
    "idempotency",
    "cache",
    "sort",
    "partition",
    "primary",
    "foreign",
    "public",
    "pub",
    "row",
    "item",
    "unique",
    "delta",
    "resume",
    "scroll",
    "skip",
    "start",
    "previous",
    "prev",
    "progress",
    "publishable",
    "site",
    "object",
    "fingerprint",
    "verification",
];

/// How the words begin that a name of a secret has one of, in lower case.
const BEGIN: [[u8; 3]; 9] = [*b"pas", *b"pwd", *b"ken", *b"sec", *b"cre", *b"tok", *b"key", *b"aut", *b"pat"];

/// What the name promises; nothing where it is another name.
pub(super) fn sort(name: &str) -> Option<Sort> {
    let begins = |three: &[u8; 3]| BEGIN.contains(&three.map(|byte| byte.to_ascii_lowercase()));
    if !name.as_bytes().array_windows().any(begins) {
        return None;
    }
    let words = words(name);
    let mut words = words
        .rsplit(' ')
        .filter(|word| !word.is_empty())
        .skip_while(|word| AFTER.contains(word) || word.bytes().all(|byte| byte.is_ascii_digit()));
    let last = words.next()?;
    let before = words;
    let joined = |ends: &[&str]| ends.iter().any(|end| last.ends_with(end));
    if joined(&["password", "passwd", "passphrase", "passcode", "pwd", "passwort"])
        || matches!(last, "pass" | "kennwort")
    {
        return Some(Sort::Password);
    }
    if joined(&["secret"]) || matches!(last, "secrets" | "credential" | "credentials" | "creds") {
        return Some(Sort::Secret);
    }
    let token = joined(&[
        "token",
        "apikey",
        "secretkey",
        "accesskey",
        "privatekey",
        "authkey",
        "accountkey",
        "masterkey",
    ]) || matches!(last, "auth" | "authorization" | "pat")
        || last == "key" && before.clone().any(|word| OPENS.contains(&word));
    let opens_nothing = || {
        let glued = |word: &&str| last.starts_with(*word) && last.len() > word.len();
        before.clone().any(|word| OPENS_NOTHING.contains(&word)) || OPENS_NOTHING.iter().any(glued)
    };
    (token && !opens_nothing()).then_some(Sort::Token)
}

/// The name in lower case, without marks.
pub(super) fn plain(name: &str) -> String {
    name.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| char::from(byte.to_ascii_lowercase())).collect()
}

/// The words of a name, in lower case, with blanks between them: `DB_PASSWORD`, `dbPassword`, `APIKey`, `db-password`.
fn words(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 16);
    let mut last = b' ';
    for (at, byte) in name.bytes().enumerate() {
        let next = name.as_bytes().get(at + 1).copied().unwrap_or(b' ');
        let begins = byte.is_ascii_uppercase()
            && (last.is_ascii_lowercase() || last.is_ascii_uppercase() && next.is_ascii_lowercase());
        let digit = byte.is_ascii_digit() != last.is_ascii_digit();
        if begins || digit || !byte.is_ascii_alphanumeric() {
            words.push(' ');
        }
        if byte.is_ascii_alphanumeric() {
            words.push(char::from(byte.to_ascii_lowercase()));
        }
        last = byte;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read() {
        let cases = [
            ("password", Some(Sort::Password)),
            ("DB_PASSWORD", Some(Sort::Password)),
            ("dbPassword", Some(Sort::Password)),
            ("spring.datasource.password", Some(Sort::Password)),
            ("password_2", Some(Sort::Password)),
            ("client_secret", Some(Sort::Secret)),
            ("SECRET_KEY_BASE", Some(Sort::Token)),
            ("APIKey", Some(Sort::Token)),
            ("X-Api-Key", Some(Sort::Token)),
            ("API key", Some(Sort::Token)),
            ("--token", Some(Sort::Token)),
            ("_authToken", Some(Sort::Token)),
            ("AccountKey", Some(Sort::Token)),
            ("GH_PAT", Some(Sort::Token)),
            ("key", None),
            ("public_key", None),
            ("primaryKey", None),
            ("nextPageToken", None),
            ("page_token", None),
            ("csrf_token", None),
            ("csrftoken", None),
            ("max_tokens", None),
            ("token_type", None),
            ("password_file", None),
            ("secretName", None),
            ("keyboard", None),
            ("author", None),
            ("api_key_id", None),
            ("", None),
        ];
        for (name, expected) in cases {
            assert_eq!(sort(name), expected, "{name}");
        }
    }
}
