//! The tree over the records (RFC 9162, section 2.1): its root, and the proofs that something is in it or grew out of it.

use super::Hash;

/// Hashes of whole subtrees. A subtree of level `l` has `2^l` records; the one numbered `n` begins at record `n × 2^l`.
pub trait Subtrees {
    /// Why one could not be had.
    type Error;

    /// The hash of one.
    fn subtree(&self, level: u8, number: u64) -> Result<Hash, Self::Error>;
}

/// The hash of the records from `from` up to `to`, which must be a part that a tree is split into.
fn range<S: Subtrees>(tree: &S, from: u64, to: u64) -> Result<Hash, S::Error> {
    let size = to.saturating_sub(from);
    if size == 0 {
        return Ok(Hash::of_nothing());
    }
    if size.is_power_of_two() {
        let level = log2(size);
        return tree.subtree(level, from >> level);
    }
    let middle = from + split(size);
    Ok(Hash::of_pair(range(tree, from, middle)?, range(tree, middle, to)?))
}

/// The root over the first `size` records.
pub fn root<S: Subtrees>(tree: &S, size: u64) -> Result<Hash, S::Error> {
    range(tree, 0, size)
}

/// What proves that record `number` is among the first `size` (RFC 9162, section 2.1.3.1). None where it is not.
pub fn inclusion<S: Subtrees>(tree: &S, number: u64, size: u64) -> Result<Option<Vec<Hash>>, S::Error> {
    if number >= size {
        return Ok(None);
    }
    let (mut from, mut to) = (0, size);
    let mut path = Vec::new();
    while to - from > 1 {
        let middle = from + split(to - from);
        if number < middle {
            path.push(range(tree, middle, to)?);
            to = middle;
        } else {
            path.push(range(tree, from, middle)?);
            from = middle;
        }
    }
    path.reverse();
    Ok(Some(path))
}

/// What proves that the first `before` of `size` records are the same as they were (RFC 9162, section 2.1.4.1). None where
/// `before` is 0 or more than `size`.
pub fn consistency<S: Subtrees>(tree: &S, before: u64, size: u64) -> Result<Option<Vec<Hash>>, S::Error> {
    if before == 0 || before > size {
        return Ok(None);
    }
    let (mut from, mut to) = (0, size);
    let mut path = Vec::new();
    while before < to {
        let middle = from + split(to - from);
        if before <= middle {
            path.push(range(tree, middle, to)?);
            to = middle;
        } else {
            path.push(range(tree, from, middle)?);
            from = middle;
        }
    }
    // Who has the root of a whole left part needs no hash of it.
    if from > 0 {
        path.push(range(tree, from, to)?);
    }
    path.reverse();
    Ok(Some(path))
}

/// Does the path lead from this record to the root (RFC 9162, section 2.1.3.2)?
pub fn includes(root: Hash, size: u64, number: u64, leaf: Hash, path: &[Hash]) -> bool {
    if number >= size {
        return false;
    }
    let (mut number, mut last) = (number, size - 1);
    let mut hash = leaf;
    for step in path {
        if last == 0 {
            return false;
        }
        if number & 1 == 1 || number == last {
            hash = Hash::of_pair(*step, hash);
            while number & 1 == 0 && number != 0 {
                number >>= 1;
                last >>= 1;
            }
        } else {
            hash = Hash::of_pair(hash, *step);
        }
        number >>= 1;
        last >>= 1;
    }
    last == 0 && hash == root
}

/// Does the path lead from the root over `before` records to that over `size` (RFC 9162, section 2.1.4.2)?
pub fn continues(old: (u64, Hash), new: (u64, Hash), path: &[Hash]) -> bool {
    let ((before, first), (size, second)) = (old, new);
    if before == 0 || before > size {
        return false;
    }
    if before == size {
        return path.is_empty() && first == second;
    }
    let (mut number, mut last) = (before - 1, size - 1);
    while number & 1 == 1 {
        number >>= 1;
        last >>= 1;
    }
    let mut path = path.iter().copied();
    let start = if before.is_power_of_two() { Some(first) } else { path.next() };
    let Some(start) = start else { return false };
    let (mut then, mut now) = (start, start);
    for step in path {
        if last == 0 {
            return false;
        }
        if number & 1 == 1 || number == last {
            then = Hash::of_pair(step, then);
            now = Hash::of_pair(step, now);
            while number & 1 == 0 && number != 0 {
                number >>= 1;
                last >>= 1;
            }
        } else {
            now = Hash::of_pair(now, step);
        }
        number >>= 1;
        last >>= 1;
    }
    last == 0 && then == first && now == second
}

/// The largest power of two below `size`, which is at least 2.
fn split(size: u64) -> u64 {
    1 << log2(size - 1)
}

fn log2(size: u64) -> u8 {
    // At most 63.
    u8::try_from(size.ilog2()).unwrap_or(63)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    /// Records in memory, hashed as the RFC says it.
    struct Plain(Vec<Hash>);

    impl Plain {
        fn of(size: u64) -> Self {
            Self((0..size).map(|number| Hash::of_leaf(&number.to_be_bytes())).collect())
        }
    }

    fn plain(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Hash::of_nothing(),
            [one] => *one,
            many => {
                let (left, right) = many.split_at(many.len().next_power_of_two() / 2);
                Hash::of_pair(plain(left), plain(right))
            }
        }
    }

    impl Subtrees for Plain {
        type Error = Infallible;

        fn subtree(&self, level: u8, number: u64) -> Result<Hash, Infallible> {
            let size = 1_usize << level;
            let from = usize::try_from(number).unwrap() * size;
            Ok(plain(&self.0[from..from + size]))
        }
    }

    fn hex(text: &str) -> Hash {
        let bytes: Vec<_> = text
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect();
        Hash(bytes.try_into().unwrap())
    }

    /// The tree that every implementation of RFC 6962 is tried with.
    #[test]
    fn known_roots() {
        let leaves: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let tree = Plain(leaves.iter().map(|leaf| Hash::of_leaf(leaf)).collect());
        let roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        for (size, expected) in (0..).zip(roots) {
            assert_eq!(root(&tree, size).unwrap(), hex(expected), "{size}");
        }
    }

    #[test]
    fn every_record_of_every_small_tree_is_proven() {
        for size in 1..=40 {
            let tree = Plain::of(size);
            let root = root(&tree, size).unwrap();
            for number in 0..size {
                let path = inclusion(&tree, number, size).unwrap().unwrap();
                let leaf = tree.0[usize::try_from(number).unwrap()];
                assert!(includes(root, size, number, leaf, &path), "{number} of {size}");
                assert!(!includes(root, size, number ^ 1, leaf, &path) || size == 1);
                assert!(!includes(root, size, number, Hash::of_nothing(), &path));
                assert!(!includes(root, size, number, leaf, &[path.clone(), vec![leaf]].concat()));
            }
            assert_eq!(inclusion(&tree, size, size).unwrap(), None);
        }
    }

    #[test]
    fn every_small_tree_grows_out_of_every_smaller_one() {
        for size in 1..=40 {
            let tree = Plain::of(size);
            let new = (size, root(&tree, size).unwrap());
            for before in 1..=size {
                let old = (before, root(&tree, before).unwrap());
                let path = consistency(&tree, before, size).unwrap().unwrap();
                assert!(continues(old, new, &path), "{before} of {size}");
                let other = (before, Hash::of_nothing());
                assert!(!continues(other, new, &path), "{before} of {size}");
                assert!(!continues(old, (size, Hash::of_nothing()), &path), "{before} of {size}");
                assert!(!continues(old, new, &[path.clone(), vec![old.1]].concat()), "{before} of {size}");
            }
            assert_eq!(consistency(&tree, 0, size).unwrap(), None);
            assert_eq!(consistency(&tree, size + 1, size).unwrap(), None);
        }
    }

    proptest! {
        #[test]
        fn another_record_is_not_proven(size in 2_u64..300, number in 0_u64..300, other in 0_u64..300) {
            let (number, other) = (number % size, other % size);
            let tree = Plain::of(size);
            let root = root(&tree, size).unwrap();
            let path = inclusion(&tree, number, size).unwrap().unwrap();
            let leaf = tree.0[usize::try_from(other).unwrap()];
            prop_assert_eq!(includes(root, size, number, leaf, &path), number == other);
        }
    }
}
