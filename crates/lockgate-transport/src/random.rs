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
    Some(lockgate_model::hex(&key()?))
}
