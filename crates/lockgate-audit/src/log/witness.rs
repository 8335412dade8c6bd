//! What a log and its witnesses say to each other, as <https://c2sp.org/tlog-witness> has it.

use std::fmt;

use super::{Check, Checkpoint, Hash, Note, NoteKey, continues};

/// Most hashes of a proof that is sent.
const HASHES: usize = 63;

/// A checkpoint that a witness is asked to sign, and the proof that it continues the one it signed last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// How many records the last one had; 0 where there was none.
    pub old: u64,
    /// What proves that those are the first of the new one (RFC 9162, section 2.1.4); empty where there were none.
    pub proof: Vec<Hash>,
    /// The checkpoint, signed by its log.
    pub note: Note,
}

impl Submission {
    /// Reads what was sent. None where it is not well-formed, or has more than 63 hashes.
    pub fn parse(body: &str) -> Option<Self> {
        let (head, note) = body.split_once("\n\n")?;
        let mut lines = head.split('\n');
        let old = lines.next()?.strip_prefix("old ")?;
        let size: u64 = old.parse().ok()?;
        let proof = lines.map(Hash::parse).collect::<Option<Vec<_>>>()?;
        (size.to_string() == old && proof.len() <= HASHES).then_some(())?;
        Some(Self { old: size, proof, note: Note::parse(note)? })
    }

    /// What is said of it before anything is known of the log: is it of one of these logs, signed by it, and no older than what it
    /// begins with?
    pub fn admit(&self, logs: &[NoteKey], check: Check<'_>) -> Result<Checkpoint, Refusal> {
        let checkpoint = Checkpoint::parse(self.note.text()).ok_or(Refusal::Malformed)?;
        let mut of_log = logs.iter().filter(|key| key.name() == checkpoint.origin).peekable();
        of_log.peek().ok_or(Refusal::Unknown)?;
        if !of_log.any(|key| self.note.is_signed_by(key, check)) {
            return Err(Refusal::Unsigned);
        }
        if self.old > checkpoint.size { Err(Refusal::Shorter) } else { Ok(checkpoint) }
    }

    /// Does an admitted checkpoint continue the last one that was signed of its log?
    pub fn follow(&self, checkpoint: &Checkpoint, last: Option<&Checkpoint>) -> Result<(), Refusal> {
        let (size, root) = last.map_or((0, Hash::of_nothing()), |last| (last.size, last.root));
        if self.old != size {
            return Err(Refusal::Behind(size));
        }
        let proven = match (size, checkpoint.size) {
            (_, new) if new == size && checkpoint.root != root => return Err(Refusal::Forked(size)),
            (0, _) => self.proof.is_empty(),
            (_, new) => continues((size, root), (new, checkpoint.root), &self.proof),
        };
        if proven { Ok(()) } else { Err(Refusal::Unproven) }
    }
}

impl fmt::Display for Submission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.note)
    }
}

/// Why a witness does not sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// What was sent cannot be read.
    #[error("what was sent is not a checkpoint with a proof")]
    Malformed,
    /// The log is none of those that it watches.
    #[error("the log is not one that is watched here")]
    Unknown,
    /// No key of the log has signed the checkpoint.
    #[error("the checkpoint is not signed by its log")]
    Unsigned,
    /// It begins with more records than it has.
    #[error("the checkpoint is older than what it is to continue")]
    Shorter,
    /// It does not begin with the last one that was signed, which has so many records.
    #[error("the last checkpoint that was signed here has {0} records")]
    Behind(u64),
    /// It has as many records as the last one that was signed, and others.
    #[error("another checkpoint with {0} records was signed here")]
    Forked(u64),
    /// Nothing proves that it continues the last one.
    #[error("the proof does not lead from the last checkpoint that was signed here to this one")]
    Unproven,
}

impl Refusal {
    /// The HTTP status that says it.
    pub fn status(self) -> u16 {
        match self {
            Self::Malformed | Self::Shorter => 400,
            Self::Unsigned => 403,
            Self::Unknown => 404,
            Self::Behind(_) | Self::Forked(_) => 409,
            Self::Unproven => 422,
        }
    }

    /// How many records the last checkpoint has that was signed, where that is what stands against it.
    pub fn last(self) -> Option<u64> {
        match self {
            Self::Behind(size) | Self::Forked(size) => Some(size),
            Self::Malformed | Self::Unknown | Self::Unsigned | Self::Shorter | Self::Unproven => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::super::{Subtrees, Use, consistency, root};
    use super::*;

    /// The hashes of records, as a tree.
    struct Leaves(Vec<Hash>);

    impl Subtrees for Leaves {
        type Error = Infallible;

        fn subtree(&self, level: u8, number: u64) -> Result<Hash, Infallible> {
            let first = usize::try_from(number).unwrap() << level;
            Ok(super::super::fold(&self.0[first..first + (1 << level)]).unwrap())
        }
    }

    fn leaves(size: usize, changed: Option<usize>) -> Leaves {
        let record =
            |number| format!("record {number}{}", if changed == Some(number) { " changed" } else { "" });
        Leaves((0..size).map(|number| Hash::of_leaf(record(number).as_bytes())).collect())
    }

    fn checkpoint(leaves: &Leaves, size: u64) -> Checkpoint {
        let Ok(root) = root(leaves, size);
        Checkpoint { origin: "example.org/log".to_owned(), size, root }
    }

    fn pair() -> aws_lc_rs::signature::Ed25519KeyPair {
        aws_lc_rs::signature::Ed25519KeyPair::from_seed_unchecked(&[1; 32]).unwrap()
    }

    fn key(name: &str) -> NoteKey {
        let public = aws_lc_rs::signature::KeyPair::public_key(&pair()).as_ref().try_into().unwrap();
        NoteKey::new(name, Use::Log, public).unwrap()
    }

    fn check(key: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
        aws_lc_rs::signature::UnparsedPublicKey::new(&aws_lc_rs::signature::ED25519, key)
            .verify(message, signature)
            .is_ok()
    }

    fn submission(leaves: &Leaves, old: u64, size: u64) -> Submission {
        let Ok(proof) = consistency(leaves, old, size);
        let mut note = Note::new(checkpoint(leaves, size).text()).unwrap();
        note.sign(&key("example.org/log"), 0, &|message| pair().sign(message).as_ref().try_into().unwrap());
        Submission { old, proof: proof.unwrap_or_default(), note }
    }

    #[test]
    fn what_is_asked_for_is_written_as_specified() {
        let leaves = leaves(7, None);
        let sent = submission(&leaves, 3, 7);
        let text = sent.to_string();
        assert!(text.starts_with("old 3\n") && text.contains("\n\nexample.org/log\n7\n"), "{text}");
        assert_eq!(Submission::parse(&text), Some(sent));
        for (good, bad) in
            [("old 3", "old 03"), ("old 3", "new 3"), ("old 3\n", "old 3\nAA==\n"), ("\n\n", "\n")]
        {
            assert_eq!(Submission::parse(&text.replacen(good, bad, 1)), None, "{bad}");
        }
        let many = format!("old 3\n{}", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n".repeat(64));
        assert_eq!(Submission::parse(&text.replacen("old 3\n", &many, 1)), None);
    }

    #[test]
    fn what_does_not_fit_is_refused_as_specified() {
        let (now, forked) = (leaves(9, None), leaves(9, Some(2)));
        let last = checkpoint(&now, 5);
        let logs = [key("example.org/log")];
        let judge = |sent: &Submission, logs: &[NoteKey], last: Option<&Checkpoint>| {
            let checkpoint = sent.admit(logs, &check)?;
            sent.follow(&checkpoint, last).map(|()| checkpoint.size)
        };
        let good = submission(&now, 5, 9);
        assert_eq!(judge(&good, &logs, Some(&last)), Ok(9));
        assert_eq!(judge(&submission(&now, 0, 9), &logs, None), Ok(9));
        assert_eq!(judge(&submission(&now, 5, 5), &logs, Some(&last)), Ok(5));
        let refused = |sent: Submission, logs: &[NoteKey]| {
            let refusal = judge(&sent, logs, Some(&last)).unwrap_err();
            (refusal, refusal.status())
        };
        assert_eq!(refused(good.clone(), &[]), (Refusal::Unknown, 404));
        assert_eq!(refused(good.clone(), &[key("example.org/other")]), (Refusal::Unknown, 404));
        let other = NoteKey::new("example.org/log", Use::Log, [7; 32]).unwrap();
        assert_eq!(refused(good.clone(), &[other]), (Refusal::Unsigned, 403));
        assert_eq!(refused(Submission { old: 10, ..good.clone() }, &logs), (Refusal::Shorter, 400));
        assert_eq!(refused(submission(&now, 4, 9), &logs), (Refusal::Behind(5), 409));
        assert_eq!(refused(submission(&now, 0, 9), &logs), (Refusal::Behind(5), 409));
        assert_eq!(refused(submission(&forked, 5, 5), &logs), (Refusal::Forked(5), 409));
        assert_eq!(refused(submission(&forked, 5, 9), &logs), (Refusal::Unproven, 422));
        assert_eq!(refused(Submission { proof: vec![], ..good }, &logs), (Refusal::Unproven, 422));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        /// Whatever a log does to a record that was witnessed, nothing it sends is signed again; what only grows is.
        #[test]
        fn only_what_continues_is_signed(size in 1_usize..200, more in 0_usize..200, at: prop::sample::Index) {
            let (old, new) = (size as u64, (size + more) as u64);
            let honest = leaves(size + more, None);
            let last = checkpoint(&honest, old);
            let sent = submission(&honest, old, new);
            prop_assert_eq!(sent.follow(&checkpoint(&honest, new), Some(&last)), Ok(()));
            let forked = leaves(size + more, Some(at.index(size)));
            // With its own proof, with the honest one, and with none.
            let own = submission(&forked, old, new);
            let honest = Submission { proof: sent.proof, ..own.clone() };
            let none = Submission { proof: vec![], ..own.clone() };
            for sent in [own, honest, none] {
                prop_assert!(sent.follow(&checkpoint(&forked, new), Some(&last)).is_err());
            }
        }
    }
}
