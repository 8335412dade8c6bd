//! What a token of personal data stands for, sealed, so that whoever keeps it can neither read nor change it.

use lockgate_model::{Principal, ServerName};

use super::{Token, lock, unlock};
use crate::digest;

/// Seals what the token stands for. It holds for this principal, server and token alone.
pub(crate) fn keep(
    key: &[u8; 32],
    principal: &Principal,
    server: &ServerName,
    handle: &str,
    value: &str,
) -> Option<Token> {
    let sealed = lock(key, &bond(principal, server, handle), value.as_bytes())?;
    Some(Token { handle: handle.to_owned(), server: server.clone(), sealed })
}

/// What the token stands for; none where it was made with another key, for somebody else, or was changed.
pub(crate) fn recall(key: &[u8; 32], principal: &Principal, token: &Token) -> Option<String> {
    let bond = bond(principal, &token.server, &token.handle);
    String::from_utf8(unlock(key, &bond, &token.sealed)?).ok()
}

fn bond(principal: &Principal, server: &ServerName, handle: &str) -> Vec<u8> {
    let parts = ["personal", principal.as_str(), server.as_str(), handle];
    parts.iter().flat_map(|part| digest::bytes(part.as_bytes())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_opened_for_whom_it_was_made_and_for_nobody_else() {
        let (ann, bob) = (Principal::new("ann"), Principal::new("bob"));
        let (crm, mail) = (ServerName::parse("crm").unwrap(), ServerName::parse("mail").unwrap());
        let token = keep(&[7; 32], &ann, &crm, "lockgate-personal-A-1", "ada@service.test").unwrap();
        assert_eq!(recall(&[7; 32], &ann, &token).as_deref(), Some("ada@service.test"));
        assert!(!format!("{token:?}").contains("ada"));
        let mut other = token.clone();
        other.sealed.pop();
        let others = [
            recall(&[8; 32], &ann, &token),
            recall(&[7; 32], &bob, &token),
            recall(&[7; 32], &ann, &Token { server: mail, ..token.clone() }),
            recall(&[7; 32], &ann, &Token { handle: "lockgate-personal-A-2".to_owned(), ..token.clone() }),
            recall(&[7; 32], &ann, &other),
            recall(&[7; 32], &ann, &Token { sealed: "no seal".to_owned(), ..token }),
        ];
        assert_eq!(others, [const { None }; 6]);
    }
}
