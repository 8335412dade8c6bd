//! Signed texts, as <https://c2sp.org/signed-note> and <https://c2sp.org/tlog-cosignature> have them.
//!
//! Who signs and who checks a signature is handed in: this crate knows no keys.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Says whether a signature of an Ed25519 key over a message is right: key, message, signature.
pub type Check<'c> = &'c dyn Fn(&[u8; 32], &[u8], &[u8]) -> bool;

/// Most signatures of one note.
const SIGNATURES: usize = 64;
/// Longest note. Bytes.
const LONGEST: usize = 1 << 16;
/// What stands before a signature.
const DASH: &str = "\u{2014} ";

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Signs checkpoints of its own log.
    Log,
    /// Signs that a checkpoint of another log continues what it signed before.
    Witness,
}

impl Use {
    fn byte(self) -> u8 {
        match self {
            Self::Log => 1,
            Self::Witness => 4,
        }
    }
}

/// An Ed25519 key with the name that stands before its signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteKey {
    name: String,
    used_as: Use,
    key: [u8; 32],
}

impl NoteKey {
    /// None where the name is empty, longer than 255 bytes, or has a space, a `+` or a control character in it.
    pub fn new(name: &str, used_as: Use, key: [u8; 32]) -> Option<Self> {
        let good = |letter: char| !letter.is_whitespace() && !letter.is_control() && letter != '+';
        (!name.is_empty() && name.len() <= 255 && name.chars().all(good)).then(|| Self {
            name: name.to_owned(),
            used_as,
            key,
        })
    }

    /// Reads the written form: `name+0123abcd+base64`.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, rest) = text.trim().split_once('+')?;
        let (id, key) = rest.split_once('+')?;
        let key = STANDARD.decode(key).ok()?;
        let (byte, key) = key.split_first()?;
        let used_as = [Use::Log, Use::Witness].into_iter().find(|used_as| used_as.byte() == *byte)?;
        let key = Self::new(name, used_as, key.try_into().ok()?)?;
        (hex(key.id()) == id).then_some(key)
    }

    /// Is it the key of a witness, and not of a log?
    pub fn is_of_witness(&self) -> bool {
        self.used_as == Use::Witness
    }

    /// The name that stands before its signatures.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What tells keys of one name apart.
    fn id(&self) -> [u8; 4] {
        let digest: [u8; 32] = Sha256::new()
            .chain_update(&self.name)
            .chain_update([b'\n', self.used_as.byte()])
            .chain_update(self.key)
            .finalize()
            .into();
        let [a, b, c, d, ..] = digest;
        [a, b, c, d]
    }

    /// What is signed of a text. `time` is that of a witness: seconds since 1970.
    fn message(&self, text: &str, time: u64) -> Vec<u8> {
        match self.used_as {
            Use::Log => text.as_bytes().to_vec(),
            Use::Witness => format!("cosignature/v1\ntime {time}\n{text}").into_bytes(),
        }
    }
}

impl std::fmt::Display for NoteKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let key = STANDARD.encode([&[self.used_as.byte()], &self.key[..]].concat());
        write!(f, "{}+{}+{key}", self.name, hex(self.id()))
    }
}

fn hex(id: [u8; 4]) -> String {
    format!("{:08x}", u32::from_be_bytes(id))
}

/// A text and who signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

/// One signature, of whatever kind.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Signature {
    name: String,
    id: [u8; 4],
    bytes: Vec<u8>,
}

impl Note {
    /// A text that nobody has signed yet. None where it is empty or does not end with a line feed.
    pub fn new(text: String) -> Option<Self> {
        (text.len() <= LONGEST && text.ends_with('\n') && text != "\n")
            .then_some(Self { text, signatures: Vec::new() })
    }

    /// Reads the written form. None where it is not well-formed, longer than 64 KiB or has more than 64 signatures.
    pub fn parse(note: &str) -> Option<Self> {
        if note.len() > LONGEST || note.chars().any(|letter| letter.is_control() && letter != '\n') {
            return None;
        }
        let at = note.rfind("\n\n")?;
        let (text, lines) = note.split_at_checked(at + 1)?;
        let lines = lines.strip_prefix('\n')?.strip_suffix('\n')?;
        let signatures: Option<Vec<_>> = lines.split('\n').map(Signature::parse).collect();
        let signatures = signatures.filter(|signatures| signatures.len() <= SIGNATURES)?;
        Some(Self { text: text.to_owned(), signatures })
    }

    /// The text, with the line feed at its end.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Adds the signature that `sign` makes of a message. `time` is for a witness: seconds since 1970.
    pub fn sign(&mut self, key: &NoteKey, time: u64, sign: &dyn Fn(&[u8]) -> [u8; 64]) {
        let made = sign(&key.message(&self.text, time));
        let bytes = match key.used_as {
            Use::Log => made.to_vec(),
            Use::Witness => [&time.to_be_bytes()[..], &made].concat(),
        };
        self.signatures.push(Signature { name: key.name.clone(), id: key.id(), bytes });
    }

    /// Is there a right signature of this key?
    pub fn is_signed_by(&self, key: &NoteKey, check: Check<'_>) -> bool {
        let own = |signature: &&Signature| signature.name == key.name && signature.id == key.id();
        self.signatures.iter().filter(own).any(|signature| {
            let (time, made) = match key.used_as {
                Use::Log => (0, &signature.bytes[..]),
                Use::Witness => match signature.bytes.split_first_chunk::<8>() {
                    Some((time, made)) => (u64::from_be_bytes(*time), made),
                    None => return false,
                },
            };
            check(&key.key, &key.message(&self.text, time), made)
        })
    }

    /// The signatures of this key, as lines: what a witness answers with.
    pub fn lines_of(&self, key: &NoteKey) -> String {
        let own = |signature: &&Signature| signature.name == key.name && signature.id == key.id();
        self.signatures.iter().filter(own).fold(String::new(), |lines, line| lines + &format!("{line}\n"))
    }

    /// Takes over the right signature of this key from lines that were answered. False where there is none, or the key has
    /// signed already.
    pub fn take(&mut self, lines: &str, key: &NoteKey, check: Check<'_>) -> bool {
        let signatures = lines.lines().take(SIGNATURES).filter_map(Signature::parse);
        for signature in signatures {
            let one = Self { text: self.text.clone(), signatures: vec![signature] };
            if !self.is_signed_by(key, check) && one.is_signed_by(key, check) {
                return self.join(one);
            }
        }
        false
    }

    /// Takes over the signatures of another note of the same text that are not here yet. False where the text is another.
    pub fn join(&mut self, other: Self) -> bool {
        if self.text != other.text {
            return false;
        }
        for signature in other.signatures {
            if !self.signatures.contains(&signature) && self.signatures.len() < SIGNATURES {
                self.signatures.push(signature);
            }
        }
        true
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

impl std::fmt::Display for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = STANDARD.encode([&self.id[..], &self.bytes].concat());
        write!(f, "{DASH}{} {bytes}", self.name)
    }
}

impl Signature {
    fn parse(line: &str) -> Option<Self> {
        let (name, bytes) = line.strip_prefix(DASH)?.split_once(' ')?;
        let bytes = STANDARD.decode(bytes).ok()?;
        let (id, bytes) = bytes.split_first_chunk::<4>()?;
        (!name.is_empty() && !bytes.is_empty()).then(|| Self {
            name: name.to_owned(),
            id: *id,
            bytes: bytes.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification, and of golang.org/x/mod/sumdb/note.
    const KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const NOTE: &str = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n\n\
        \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    fn check(key: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
        aws_lc_rs::signature::UnparsedPublicKey::new(&aws_lc_rs::signature::ED25519, key)
            .verify(message, signature)
            .is_ok()
    }

    fn pair(seed: u8) -> aws_lc_rs::signature::Ed25519KeyPair {
        aws_lc_rs::signature::Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
    }

    fn key(pair: &aws_lc_rs::signature::Ed25519KeyPair, used_as: Use) -> NoteKey {
        let public = aws_lc_rs::signature::KeyPair::public_key(pair).as_ref().try_into().unwrap();
        NoteKey::new("example.org/log", used_as, public).unwrap()
    }

    #[test]
    fn the_example_of_the_specification_is_signed() {
        let key = NoteKey::parse(KEY).unwrap();
        assert_eq!(key.to_string(), KEY);
        let note = Note::parse(NOTE).unwrap();
        assert_eq!(note.to_string(), NOTE);
        assert!(note.is_signed_by(&key, &check));
        let other = NOTE.replace("answer", "Answer");
        assert!(!Note::parse(&other).unwrap().is_signed_by(&key, &check));
    }

    #[test]
    fn logs_and_witnesses_sign() {
        let (log, witness) = (pair(1), pair(2));
        let (log_key, witness_key) = (key(&log, Use::Log), key(&witness, Use::Witness));
        let sign = |pair: &aws_lc_rs::signature::Ed25519KeyPair, message: &[u8]| -> [u8; 64] {
            pair.sign(message).as_ref().try_into().unwrap()
        };
        let mut note = Note::new("a\n1\nb\n".to_owned()).unwrap();
        note.sign(&log_key, 0, &|message| sign(&log, message));
        let mut seen = note.clone();
        seen.sign(&witness_key, 1_700_000_000, &|message| sign(&witness, message));
        assert!(!note.is_signed_by(&witness_key, &check));
        assert!(note.join(seen));
        let again = Note::parse(&note.to_string()).unwrap();
        assert!(again.is_signed_by(&log_key, &check) && again.is_signed_by(&witness_key, &check));
        assert!(!again.is_signed_by(&key(&pair(3), Use::Log), &check));
        assert!(!again.clone().join(Note::new("other\n".to_owned()).unwrap()));
        assert_eq!(again.signatures.len(), 2);
        // The same, as a witness answers it.
        let lines = again.lines_of(&witness_key);
        let mut asked = Note { signatures: again.signatures[..1].to_vec(), ..again.clone() };
        assert!(!asked.take(&lines, &key(&pair(3), Use::Witness), &check));
        assert!(!asked.take(&lines.replace('A', "B"), &witness_key, &check));
        assert!(asked.take(&format!("nothing\n{lines}"), &witness_key, &check));
        assert!(!asked.take(&lines, &witness_key, &check), "once is enough");
        assert_eq!(asked, again);
    }

    #[test]
    fn what_is_no_note_is_none() {
        for bad in [
            "",
            "a\n",
            "a\n\n",
            "a\n\n\u{2014} \n",
            "a\n\n\u{2014} n !\n",
            "a\n\n\u{2014} n AAAA",
            "\r\n\n\u{2014} n AAAAAAA=\n",
        ] {
            assert_eq!(Note::parse(bad), None, "{bad:?}");
        }
        for bad in ["", "n", "n+00000000+AQ==", "a b+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"] {
            assert_eq!(NoteKey::parse(bad), None, "{bad:?}");
        }
    }
}
