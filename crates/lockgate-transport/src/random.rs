/// A secret of this process: 128 random bits. None where the system has no randomness.
pub fn key() -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes)
}

/// A key for what is sealed: 256 random bits. None where the system has no randomness.
pub fn seal_key() -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes)
}

/// A fresh name that nobody can guess: 128 random bits in hexadecimal. None where the system has no randomness.
pub fn unguessable() -> Option<String> {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or('0');
    Some(key()?.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect())
}
