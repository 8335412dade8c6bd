//! `opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest`

use std::borrow::Cow;

use super::message::{Message, attributes, resource, scope};
use crate::names::Named;
use crate::operation::{Error, OTHER};
use crate::span::{About, Role, Span};

/// `SPAN_KIND_SERVER` and `SPAN_KIND_CLIENT`
const KINDS: (u64, u64) = (2, 3);
/// `STATUS_CODE_ERROR`
const ERROR: u64 = 2;
/// The W3C flag of a trace that is kept.
const SAMPLED: u32 = 1;
/// `SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK` and `SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK`
const REMOTE: (u32, u32) = (0x100, 0x200);

/// A batch.
pub(crate) fn spans(batch: &[Span]) -> Vec<u8> {
    let scoped = Message::default().message(1, scope()).messages(2, batch.iter().map(span));
    let of_resource = Message::default().message(1, resource()).message(2, scoped);
    Message::default().message(1, of_resource).finish()
}

fn span(span: &Span) -> Message {
    let About { method, named, error, .. } = &span.about;
    let method = method.unwrap_or(OTHER);
    let name = named.as_ref().and_then(|(_, name)| name.as_deref());
    let title = name.map_or(Cow::from(method), |name| format!("{method} {name}").into());
    let (kind, remote) = match span.role {
        Role::Served { remote } => (KINDS.0, remote),
        Role::Asked => (KINDS.1, false),
    };
    let flags = SAMPLED | REMOTE.0 | if remote { REMOTE.1 } else { 0 };
    let message = Message::default().bytes(1, &span.trace.to_be_bytes()).bytes(2, &span.id.to_be_bytes());
    let message = match span.parent {
        Some(parent) => message.bytes(4, &parent.to_be_bytes()),
        None => message,
    };
    let message = message
        .text(5, &title)
        .number(6, kind)
        .fixed64(7, span.start)
        .fixed64(8, span.end)
        .messages(9, attributes(told(&span.about, method)));
    let message = match error {
        Some(_) => message.message(15, Message::default().number(3, ERROR)),
        None => message,
    };
    message.fixed32(16, flags)
}

fn told<'a>(about: &'a About, method: &'a str) -> [(&'static str, Option<Cow<'a, str>>); 14] {
    let name = |wanted: Named| {
        let (_, name) = about.named.as_ref().filter(|(named, _)| *named == wanted)?;
        Some(Cow::from(name.as_deref().unwrap_or("other")))
    };
    let finding = about.finding.as_ref();
    [
        ("mcp.method.name", Some(method.into())),
        ("mcp.session.id", Some(about.session.as_str().into())),
        ("gen_ai.operation.name", (method == "tools/call").then_some("execute_tool".into())),
        ("gen_ai.tool.name", name(Named::Tool)),
        ("gen_ai.prompt.name", name(Named::Prompt)),
        ("network.transport", Some(about.transport.word().into())),
        ("error.type", about.error.map(Error::text)),
        ("lockgate.server", about.server.as_ref().map(|server| server.as_str().into())),
        ("lockgate.correlation", Some(about.correlation.as_str().into())),
        ("lockgate.verdict", Some(about.verdict.word().into())),
        ("lockgate.reason", finding.map(|finding| finding.reason.code().into())),
        ("lockgate.phase", finding.map(|finding| finding.phase.word().into())),
        ("lockgate.rule", finding.map(|finding| finding.rule.as_str().into())),
        ("rpc.response.status_code", about.error.and_then(Error::code)),
    ]
}
