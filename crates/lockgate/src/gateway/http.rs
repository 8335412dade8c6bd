//! The agent's HTTP requests: which session each belongs to.

use std::sync::Arc;

use bytes::Bytes;
use lockgate_core::{Core, Front, Identity, Received, Scope};
use lockgate_model::{Reason, Revision, SessionId, Side};
use lockgate_transport::front::{FrontMethod, FrontRequest, FrontResponse, FrontTurn, Handler, Route};
use lockgate_watch::Event as Told;

use super::Gateway;
use super::session::Session;
use super::sessions::Key;

impl Handler for Gateway {
    async fn handle(self: Arc<Self>, request: FrontRequest) -> FrontResponse {
        match request.method {
            FrontMethod::Post(_) => self.post(request).await,
            FrontMethod::Get => self.get(request).await,
            FrontMethod::Delete => self.delete(request).await,
        }
    }

    fn refused(&self, reason: Reason) {
        if let Some(event) = Told::of_refusal(reason) {
            self.tell(event);
        }
    }

    async fn turn(self: Arc<Self>, turn: FrontTurn) -> FrontResponse {
        self.hear_turn(&turn)
    }
}

/// A session as it was found for a message, and the id to tell the agent where it is new.
struct Found {
    session: Arc<Session>,
    minted: Option<String>,
}

impl Gateway {
    async fn post(self: Arc<Self>, request: FrontRequest) -> FrontResponse {
        let FrontMethod::Post(body) = &request.method else { return FrontResponse::Empty { status: 405 } };
        let limits = self.boundary().limits;
        let received = Received::read(body, Side::Agent, &limits);
        let wants_answer = received.is_request();
        let opens = received.is_initialize();
        let found = match self.find(&request, &received) {
            Ok(found) => found,
            Err(reason) => {
                return FrontResponse::Refuse(
                    reason,
                    lockgate_model::peek_id(body).map(Bytes::copy_from_slice),
                );
            }
        };
        let session = Arc::clone(&found.session);
        let _in_use = session.in_use();
        let (exchange, steps) = session.from_agent(body, received, Some(request.headers.clone()));
        let response = match () {
            () if opens => session.respond_at_last(exchange, steps).await,
            () if wants_answer => session.respond(exchange, steps).await,
            () => session.accept(exchange, steps).await,
        };
        let minted = found.minted;
        if let Some(id) = &minted
            && session.core().revision().is_none()
        {
            // The handshake failed: there is no session to come back to.
            self.sessions.remove(&Key::Legacy(id.clone()));
            session.end().await;
        }
        match response {
            FrontResponse::Json { status, body, .. } => FrontResponse::Json { status, body, session: minted },
            FrontResponse::Stream { body, .. } => FrontResponse::Stream { body, session: minted },
            other @ (FrontResponse::Empty { .. } | FrontResponse::Refuse(..)) => other,
        }
    }

    /// The session a message belongs to. `design: architecture, section 4`.
    fn find(self: &Arc<Self>, request: &FrontRequest, received: &Received<'_>) -> Result<Found, Reason> {
        let scope = match &request.route {
            Route::All => Scope::All,
            Route::One(server) if self.boundary().servers.contains_key(server) => Scope::One(server.clone()),
            Route::One(_) => return Err(Reason::UnknownServer),
        };
        let claims_modern = request.headers.version.as_deref() == Some(Revision::R2026_07_28.as_str());
        if received.message().is_none() && request.session.is_none() {
            // It cannot be read, so it belongs to nobody: a session of its own refuses it.
            let (_, session) = self.new_session(request, received, scope, None)?;
            return Ok(Found { session, minted: None });
        }
        if received.is_modern() || claims_modern {
            let who = request.context.clone().map(|context| format!("context {context}"));
            let client = received.client().map(|client| format!("client {client}"));
            let (who, route) = (who.or(client).unwrap_or_default(), route_name(&request.route));
            // What finds the session again finds it after a restart, too.
            let bound = format!("run {route} {who}");
            let key = Key::Modern { principal: request.principal.clone(), route, who };
            let session = self.sessions.find_or_place(key, self.most_sessions(), || {
                let (_, session) = self.new_session(request, received, scope, Some(bound))?;
                session.restore();
                session.know_learned();
                session.know_tokens();
                session.know_pins();
                session.hear_earlier();
                Ok(session)
            })?;
            return Ok(Found { session, minted: None });
        }
        if received.is_initialize() && request.session.is_none() {
            let (id, session) = self.new_session(request, received, scope, None)?;
            self.sessions
                .find_or_place(Key::Legacy(id.clone()), self.most_sessions(), || Ok(Arc::clone(&session)))?;
            session.restore();
            session.know_learned();
            session.know_tokens();
            session.know_pins();
            session.hear_earlier();
            return Ok(Found { session, minted: Some(id) });
        }
        let id = request.session.clone().ok_or(Reason::MissingSession)?;
        self.legacy(request, &id).map(|session| Found { session, minted: None })
    }

    /// A session by its id, for the principal it belongs to and nobody else, at the endpoint it was opened at: what
    /// stands in front may let somebody through to one server alone.
    fn legacy(&self, request: &FrontRequest, id: &str) -> Result<Arc<Session>, Reason> {
        let session = self.sessions.find(&Key::Legacy(id.to_owned()));
        let own = |session: &Arc<Session>| {
            let here = match (session.core().scope(), &request.route) {
                (Scope::All, Route::All) => true,
                (Scope::One(server), Route::One(wanted)) => server == wanted,
                (Scope::All, Route::One(_)) | (Scope::One(_), Route::All) => false,
            };
            here && session.principal == request.principal
        };
        session.filter(own).ok_or(Reason::UnknownSession)
    }

    /// `bound` is what finds the session, where that is not its id.
    fn new_session(
        self: &Arc<Self>,
        request: &FrontRequest,
        received: &Received<'_>,
        scope: Scope,
        bound: Option<String>,
    ) -> Result<(String, Arc<Session>), Reason> {
        let id = Self::mint()?;
        // Records show the beginning of the id: enough to tell sessions apart, too little to take one over.
        let shown: String = id.chars().take(12).collect();
        let identity = Identity {
            session: SessionId::new(&shown),
            principal: request.principal.clone(),
            client: received.client(),
            bound: bound.unwrap_or_else(|| format!("session {shown}")),
        };
        let core = Core::new(self.boundary(), identity, scope, Front::Http);
        Ok((id, Session::new(Arc::clone(self), request.principal.clone(), request.context.clone(), core)))
    }

    async fn get(self: Arc<Self>, request: FrontRequest) -> FrontResponse {
        let Some(id) = &request.session else {
            return FrontResponse::Refuse(Reason::HttpMethodNotAllowed, None);
        };
        let session = match self.legacy(&request, id) {
            Ok(session) => session,
            Err(reason) => return FrontResponse::Refuse(reason, None),
        };
        session.stream(request.last_event_id.as_deref()).await
    }

    async fn delete(self: Arc<Self>, request: FrontRequest) -> FrontResponse {
        let Some(id) = &request.session else {
            return FrontResponse::Refuse(Reason::HttpMethodNotAllowed, None);
        };
        match self.legacy(&request, id) {
            Ok(session) => {
                self.sessions.remove(&Key::Legacy(id.clone()));
                session.forget_label().await;
                session.end().await;
                FrontResponse::Empty { status: 200 }
            }
            Err(reason) => FrontResponse::Refuse(reason, None),
        }
    }
}

fn route_name(route: &Route) -> String {
    match route {
        Route::All => String::new(),
        Route::One(server) => server.to_string(),
    }
}
