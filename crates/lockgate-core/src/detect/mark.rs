//! Texts of results between marks that say whose they are. A text cannot end its own mark: it would have to guess a word.

use lockgate_detect::media::mark::enclose;
use lockgate_model::{ExchangeId, Fields, Json, ServerName, Splice, quote};

use crate::Core;
use crate::handles::Seal;

impl Core {
    /// Marks every text of a tool's result, where the operator wants that.
    pub(crate) fn mark(
        &self,
        exchange: ExchangeId,
        server: &ServerName,
        fields: &Fields<'_>,
        splice: &mut Splice<'_>,
    ) {
        if !self.boundary.servers.get(server).is_some_and(|server| server.detect.marks) {
            return;
        }
        let word = Seal::of(&self.boundary, &self.identity).word(server, exchange);
        for block in fields.get("content").into_iter().flat_map(Json::elements) {
            let is_text = block.get("type").and_then(Json::text).is_some_and(|kind| kind == "text");
            if let Some(value) = block.get("text").filter(|_| is_text)
                && let Some(text) = value.text()
            {
                let marked = enclose(&text, &word, server.as_str());
                splice.replace(value, quote(&marked));
            }
        }
    }
}
