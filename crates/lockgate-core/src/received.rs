use bytes::Bytes;
use lockgate_model::{Body, ClientName, Json, Limits, Message, Params, Reason, Side};

/// A message as it came and as it was read: the two cannot be parted, so what was inspected is what is sent.
#[derive(Debug)]
pub struct Received<'a> {
    pub(crate) bytes: &'a Bytes,
    pub(crate) message: Result<Message<'a>, Reason>,
}

impl<'a> Received<'a> {
    /// Phase *parse*: reads a message strictly. Pure work without the session's lock; the outcome, good or bad, goes
    /// through the door.
    pub fn read(bytes: &'a Bytes, side: Side, limits: &Limits) -> Self {
        Self { bytes, message: Message::parse(bytes, side, limits) }
    }

    /// A message of a server that was cut off because it is too large: its beginning, which may name its exchange.
    pub fn too_large(beginning: &'a Bytes) -> Self {
        Self { bytes: beginning, message: Err(Reason::ResultTooLarge) }
    }

    /// A message of the agent that was cut off because it is too large: its beginning, which may name its id.
    pub fn cut_off(beginning: &'a Bytes) -> Self {
        Self { bytes: beginning, message: Err(Reason::MessageTooLarge) }
    }

    /// The message, where it could be read: for finding its session.
    pub fn message(&self) -> Option<&Message<'a>> {
        self.message.as_ref().ok()
    }

    /// Id, method and parameters, where it is a request.
    pub(crate) fn request(&self) -> Option<(Json<'a>, &str, Params<'a>)> {
        match &self.message()?.body {
            Body::Request { id, method, params } => Some((*id, method, *params)),
            Body::Notification { .. } | Body::Result { .. } | Body::Error { .. } => None,
        }
    }

    /// Is it an `initialize` request?
    pub fn is_initialize(&self) -> bool {
        self.message().is_some_and(|message| message.initialize_revision().is_some())
    }

    /// Is it a request (rather than a notification or an answer)?
    pub fn is_request(&self) -> bool {
        self.request().is_some()
    }

    /// Does the message itself say that it is of the modern era?
    pub fn is_modern(&self) -> bool {
        self.message().is_some_and(|message| message.modern_revision().is_some())
    }

    /// `clientInfo.name`, where the message carries one.
    pub fn client(&self) -> Option<ClientName> {
        let (Body::Request { params, .. } | Body::Notification { params, .. }) = &self.message()?.body else {
            return None;
        };
        let info = params.get("clientInfo").or_else(|| params.reserved("clientInfo"))?;
        let name = info.get("name")?.text()?;
        Some(ClientName::new(&name.chars().take(100).collect::<String>()))
    }
}
