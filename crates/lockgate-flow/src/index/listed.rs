use super::{Index, Origins, record_hash};
use crate::text::plain;

impl Index {
    /// Who listed exactly this value as a record, however short it is: a server knows its own `7` as well as an address.
    pub fn listed(&self, value: &str) -> Origins {
        self.records.get(record_hash(self.key, &plain(value))).map_or(Origins::NONE, |listed| listed.origins)
    }
}
