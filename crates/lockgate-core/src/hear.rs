//! What servers say is remembered: everything that can reach the model, whatever way it comes.

use lockgate_flow::{Speech, for_each_text};
use lockgate_model::{Body, Confidentiality, ExchangeId, Json, Params, ServerName, Texts, quote};

use crate::agent::Request;
use crate::exchange::Exchange;
use crate::marking::Marking;
use crate::{Core, phase};

/// Longest arguments that are kept until the answer comes, to tell an echo from news. Bytes.
pub(crate) const ECHO: usize = 64 << 10;

impl Core {
    /// The answer to a request of the agent.
    pub(crate) fn hear_answer(
        &mut self,
        exchange: ExchangeId,
        open: &Exchange,
        server: &ServerName,
        body: &Body<'_>,
    ) {
        let (said, texts, failed) = match body {
            Body::Result { result, fields, .. } => (*result, fields.texts(), false),
            Body::Error { error, .. } => (*error, Texts::none(), true),
            Body::Request { .. } | Body::Notification { .. } => return,
        };
        if !failed && !speaks(open.method) {
            return self.hear_definitions(server, said);
        }
        let tool = open.target.tool.as_ref();
        let document = failed
            || open.method == "resources/read"
            || tool.is_some_and(|(tool, effect)| phase::is_document(self, server, tool, *effect));
        let echo =
            open.echo.as_deref().and_then(|echo| Json::check(echo, self.boundary.limits.argument_depth).ok());
        let mut trust = self.boundary.trust(server);
        let marking = self.marking(server, said, texts);
        marking.restrict(&mut trust);
        // Where somebody gives orders to the model, nothing is a record.
        let document = document || marking.untrusted || self.found.orders;
        if self.found.personal_left {
            trust.secrecy.level = trust.secrecy.level.max(Confidentiality::Private);
        }
        for class in &self.found.classes {
            trust.secrecy.level = trust.secrecy.level.max(class.confidentiality());
            if self.boundary.parts_off(class.word()) {
                trust.secrecy.compartments.insert(class.word().to_owned());
            }
        }
        let event = u32::try_from(exchange.0).unwrap_or(u32::MAX);
        let speech = Speech { server, trust: &trust, event, document, echo };
        self.history.read_with(&speech, said, texts);
        self.hear_unread(&speech);
    }

    /// What was taken out of what was said. It may still be used: by who knows it from elsewhere, or guesses it.
    fn hear_unread(&mut self, speech: &Speech<'_>) {
        for text in std::mem::take(&mut self.found.unread) {
            let text = quote(&text);
            if let Ok(text) = Json::check(text.as_bytes(), 1) {
                self.history.read(speech, text);
            }
        }
    }

    /// What the server says of what it returns. Its definitions and questions have no such labels.
    fn marking<'m>(&mut self, server: &ServerName, said: Json<'m>, texts: &Texts<'m>) -> Marking {
        let heard = self.boundary.servers.get(server).is_some_and(|server| server.labels_heard);
        let marking = if heard { Marking::read(said, texts) } else { Marking::default() };
        self.found.marking_ignored = marking.ignored;
        marking
    }

    /// What a server says of itself and of its tools.
    pub(crate) fn hear_definitions(&mut self, server: &ServerName, said: Json<'_>) {
        if !self.peer(server).is_news(said.raw()) {
            return;
        }
        let trust = self.boundary.trust(server);
        self.history.read(&Speech { server, trust: &trust, event: 0, document: true, echo: None }, said);
    }

    /// What the user wrote into a prompt, or answered to what a server asked (stateless era).
    pub(crate) fn hear_user_in(&mut self, request: &Request<'_>) {
        if request.method == "prompts/get"
            && self.boundary.flow.prompts_endorse
            && let Some(arguments) = request.params.arguments()
        {
            self.hear_words(arguments);
        }
        for (_, answer) in request.params.get("inputResponses").into_iter().flat_map(Json::members) {
            self.hear_choice(answer);
        }
    }

    /// What the user answered to a question of a server.
    pub(crate) fn hear_choice(&mut self, answer: Json<'_>) {
        let accepted = answer.get("action").and_then(Json::text).is_some_and(|word| word == "accept");
        if let Some(content) =
            answer.get("content").filter(|_| accepted && self.boundary.flow.answers_endorse)
        {
            self.hear_words(content);
        }
    }

    fn hear_words(&mut self, words: Json<'_>) {
        let history = &mut self.history;
        for_each_text(words, &mut |text| history.know_answer(text));
    }

    /// What a server says unasked: progress, log messages, questions.
    pub(crate) fn hear_unasked(
        &mut self,
        server: &ServerName,
        exchange: Option<ExchangeId>,
        params: &Params<'_>,
    ) {
        let Some(said) = params.whole() else { return };
        let trust = self.boundary.trust(server);
        let event = exchange.map_or(u32::MAX, |exchange| u32::try_from(exchange.0).unwrap_or(u32::MAX));
        let speech = Speech { server, trust: &trust, event, document: true, echo: None };
        self.history.read(&speech, said);
        self.hear_unread(&speech);
    }
}

/// Do answers to this method hold text of the server that is not a definition? Definitions (lists, instructions) taint
/// nothing: whether they may be shown at all is the matter of pins.
pub(crate) fn speaks(method: &str) -> bool {
    !matches!(
        method,
        "initialize"
            | "server/discover"
            | "tools/list"
            | "prompts/list"
            | "resources/list"
            | "resources/templates/list"
            | "ping"
            | "logging/setLevel"
            | "resources/subscribe"
            | "resources/unsubscribe"
            | "subscriptions/listen"
            | "tasks/cancel"
            | "tasks/update"
    )
}
