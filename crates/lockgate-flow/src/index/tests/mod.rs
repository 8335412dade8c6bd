use super::{Capacity, Index, Origin, Origins, Source, Way};

mod basic;
mod evasion;

fn source(origin: u8, event: u32) -> Source {
    Source { origin: Origin::new(origin).unwrap(), event }
}

fn index() -> Index {
    Index::new([7; 16], Capacity::default())
}
