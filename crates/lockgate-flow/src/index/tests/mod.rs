use super::{Capacity, Index, Origin, Origins, Source, Way};

mod basic;
mod bounds;
mod copies;
mod evasion;
mod places;
mod properties;

fn source(origin: u8, event: u32) -> Source {
    Source { origin: Origin::new(origin).unwrap(), event }
}

fn only(origin: u8) -> Origins {
    Origins::only(Origin::new(origin).unwrap())
}

fn index() -> Index {
    Index::new([7; 16], Capacity::default())
}

/// An index that soon drops text.
fn small() -> Index {
    Index::new([7; 16], Capacity { ring: 8 * 1024, records: 64, tokens: 1024, fingerprints: 1024 })
}
