//! What a server wants back, on its way to the agent and home again.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::wildcard_enum_match_arm,
    reason = "a test that fails here has found something"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use lockgate_core::{Boundary, Core, Event, Front, Headers, Identity, Received, Scope, Server, Step, Wire};
use lockgate_model::{
    ExchangeId, Integrity, Limits, Principal, ServerName, SessionId, Side, Tick, UnixMillis,
};
use serde_json::{Value, json};

/// What came of a message of the agent.
#[derive(Debug)]
enum Came {
    /// It went to a server: as which exchange, under which `Mcp-Name`, and what.
    Sent(ServerName, ExchangeId, Option<String>, Value),
    /// It was refused, with this reason.
    Refused(String),
}

impl Came {
    #[track_caller]
    fn sent(self) -> (ServerName, ExchangeId, Option<String>, Value) {
        match self {
            Self::Sent(server, exchange, name, message) => (server, exchange, name, message),
            Self::Refused(reason) => panic!("refused: {reason}"),
        }
    }

    #[track_caller]
    fn refused(self) -> String {
        match self {
            Self::Refused(reason) => reason,
            Self::Sent(..) => panic!("sent: {self:?}"),
        }
    }
}

/// An agent of the stateless era, or of the handshake, with servers that offer `get_x` and `get_y`.
struct Agent {
    core: Core,
    now: Tick,
    modern: bool,
    ids: u64,
}

#[derive(Clone, Copy)]
struct Who {
    session: &'static str,
    principal: &'static str,
    bound: &'static str,
    key: u8,
}

const WHO: Who = Who { session: "s", principal: "alice", bound: "context run", key: 1 };

impl Agent {
    fn new(who: Who, scope: Scope) -> Self {
        let servers = ["a", "b"].map(|name| (self::name(name), Server::new(Wire::Http)));
        let mut boundary = Boundary::new(BTreeMap::from(servers));
        boundary.seal = [who.key; 32];
        let identity = Identity {
            session: SessionId::new(who.session),
            principal: Principal::new(who.principal),
            client: None,
            bound: who.bound.to_owned(),
        };
        let core = Core::new(Arc::new(boundary), identity, scope, Front::Http);
        Self { core, now: Tick(0), modern: true, ids: 0 }
    }

    fn one(who: Who) -> Self {
        let mut agent = Self::new(who, Scope::One(name("a")));
        let asked = agent.ask("tools/list", json!({})).sent();
        agent.answer(&asked, json!({ "tools": tools(), "ttlMs": 0, "cacheScope": "private" }));
        agent
    }

    fn legacy() -> Self {
        let mut agent = Self::new(WHO, Scope::One(name("a")));
        agent.modern = false;
        let asked =
            agent.ask("initialize", json!({ "protocolVersion": "2025-11-25", "capabilities": {} })).sent();
        agent
            .answer(&asked, json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {} }));
        let asked = agent.ask("tools/list", json!({})).sent();
        agent.answer(&asked, json!({ "tools": tools() }));
        agent
    }

    fn ask(&mut self, method: &str, mut params: Value) -> Came {
        self.ids += 1;
        let mut headers = None;
        if self.modern {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": {
                    "elicitation": {}, "extensions": { "io.modelcontextprotocol/tasks": {} } },
            });
            let name = ["name", "uri", "taskId"].iter().find_map(|field| params[*field].as_str());
            headers = Some(Headers {
                version: Some("2026-07-28".to_owned()),
                method: Some(method.to_owned()),
                name: name.map(str::to_owned),
                ..Headers::default()
            });
        }
        let text = json!({ "jsonrpc": "2.0", "id": self.ids, "method": method, "params": params });
        let bytes = Bytes::from(text.to_string());
        let received = Received::read(&bytes, Side::Agent, &Limits::default());
        let exchange = self.core.open();
        let at = UnixMillis(1_000_000 + self.now.0 / 1_000);
        let steps = self.event(Event::Agent { exchange, received, headers, at });
        steps
            .into_iter()
            .find_map(|step| match step {
                Step::Send(permit) => {
                    let message = serde_json::from_slice(permit.message()).unwrap();
                    let name = permit.head().name.clone();
                    Some(Came::Sent(permit.server().clone(), permit.exchange().unwrap(), name, message))
                }
                Step::Deliver(release) => {
                    let said: Value = serde_json::from_slice(release.message()).unwrap();
                    let reason = said["error"]["data"]["reason"].as_str();
                    let reason =
                        reason.or(said["result"]["_meta"]["io.lockgate/decision"]["reason"].as_str());
                    Some(Came::Refused(reason.unwrap_or_else(|| panic!("{said}")).to_owned()))
                }
                _ => None,
            })
            .unwrap()
    }

    fn call(&mut self, tool: &str, more: Value) -> Came {
        let mut params = json!({ "name": tool, "arguments": { "q": 1 } });
        params.as_object_mut().unwrap().append(&mut more.as_object().unwrap().clone());
        self.ask("tools/call", params)
    }

    /// The server answers: what the agent sees.
    fn answer(
        &mut self,
        asked: &(ServerName, ExchangeId, Option<String>, Value),
        mut result: Value,
    ) -> Value {
        if self.modern && result.get("resultType").is_none() {
            result["resultType"] = json!("complete");
        }
        let text = json!({ "jsonrpc": "2.0", "id": asked.3["id"], "result": result });
        self.says(&asked.0, Some(asked.1), &text)
    }

    fn says(&mut self, server: &ServerName, exchange: Option<ExchangeId>, text: &Value) -> Value {
        let bytes = Bytes::from(text.to_string());
        let received = Received::read(&bytes, Side::Server, &Limits::default());
        let steps = self.event(Event::Server { server: server.clone(), exchange, received });
        let said = steps.into_iter().find_map(|step| match step {
            Step::Deliver(release) => Some(serde_json::from_slice(release.message()).unwrap()),
            _ => None,
        });
        said.unwrap_or(Value::Null)
    }

    fn event(&mut self, event: Event<'_>) -> Vec<Step> {
        let mut steps = Vec::new();
        self.core.handle(event, self.now, &mut steps);
        steps
    }

    /// Calls a tool whose server asks for input, and returns the state that the agent gets.
    fn state(&mut self, tool: &str) -> String {
        let asked = self.call(tool, json!({})).sent();
        let said = self.answer(&asked, wants("the state of the server"));
        said["result"]["requestState"].as_str().unwrap().to_owned()
    }

    fn retry(&mut self, tool: &str, state: &str) -> Came {
        self.call(tool, json!({ "requestState": state, "inputResponses": {} }))
    }

    fn start_task(&mut self) -> String {
        let asked = self.call("get_x", json!({})).sent();
        let said = self.answer(&asked, task("t-1"));
        said["result"]["taskId"].as_str().unwrap().to_owned()
    }
}

fn name(text: &str) -> ServerName {
    ServerName::parse(text).unwrap()
}

fn tools() -> Value {
    json!(["get_x", "get_y"].map(|name| json!({ "name": name, "inputSchema": { "type": "object" } })))
}

fn wants(state: &str) -> Value {
    let question = json!({ "method": "elicitation/create", "params": { "message": "?" } });
    json!({ "resultType": "input_required", "inputRequests": { "q": question }, "requestState": state })
}

fn task(id: &str) -> Value {
    json!({ "resultType": "task", "taskId": id, "status": "working", "ttlMs": 5_000 })
}

#[test]
fn a_state_comes_home_as_it_left() {
    let mut agent = Agent::one(WHO);
    let state = agent.state("get_x");
    assert!(state.starts_with("lockgate-seal-") && !state.contains("server"), "{state}");
    let (_, _, named, message) = agent.retry("get_x", &state).sent();
    assert_eq!(message["params"]["requestState"], "the state of the server");
    assert_eq!(named.as_deref(), Some("get_x"));
    assert_eq!(agent.retry("get_x", &state).refused(), "state_spent");
}

#[test]
fn a_state_is_good_for_one_request_of_one_agent_and_a_short_time() {
    let mut first = Agent::one(WHO);
    let state = first.state("get_x");
    for (what, who, good) in [
        ("after a restart", Who { session: "t", ..WHO }, true),
        ("another principal", Who { principal: "bob", ..WHO }, false),
        ("another run", Who { bound: "context other", ..WHO }, false),
        ("another gateway", Who { key: 2, ..WHO }, false),
    ] {
        match (Agent::one(who).retry("get_x", &state), good) {
            (Came::Sent(..), true) => {}
            (came, _) => assert_eq!(came.refused(), "foreign_state", "{what}"),
        }
    }
    assert_eq!(first.retry("get_y", &state).refused(), "foreign_state");
    let other = json!({ "arguments": { "q": 2 }, "requestState": state, "inputResponses": {} });
    assert_eq!(first.call("get_x", other).refused(), "foreign_state");
    let forged = json!({ "requestState": "the state of the server", "inputResponses": {} });
    assert_eq!(first.call("get_x", forged).refused(), "foreign_state");
    assert_eq!(first.call("get_x", json!({ "requestState": 7 })).refused(), "bad_params");
    // What was refused has not spent it.
    first.now = Tick(599_999_000);
    first.retry("get_x", &state).sent();
    let mut late = Agent::one(WHO);
    let state = late.state("get_x");
    late.now = Tick(600_000_000);
    assert_eq!(late.retry("get_x", &state).refused(), "state_expired");
}

#[test]
fn two_calls_that_get_the_same_state_can_both_go_on() {
    let mut agent = Agent::one(WHO);
    let (one, two) = (agent.state("get_x"), agent.state("get_x"));
    assert_ne!(one, two);
    agent.retry("get_x", &one).sent();
    agent.retry("get_x", &two).sent();
}

#[test]
fn a_state_is_of_one_server() {
    let mut agent = Agent::new(WHO, Scope::All);
    for _ in ["a", "b"] {
        let listed = agent.call("a__get_x", json!({}));
        if let Came::Sent(server, exchange, _, message) = listed
            && message["method"] == "tools/list"
        {
            agent.answer(&(server, exchange, None, message), json!({ "tools": tools() }));
        }
    }
    let listed = agent.call("b__get_x", json!({})).sent();
    agent.answer(&listed, json!({ "tools": tools() }));
    let state = agent.state("a__get_x");
    assert_eq!(agent.retry("b__get_x", &state).refused(), "foreign_state");
    let (server, _, named, message) = agent.retry("a__get_x", &state).sent();
    assert_eq!((server, named.as_deref()), (name("a"), Some("get_x")));
    assert_eq!(message["params"]["requestState"], "the state of the server");
}

#[test]
fn a_state_that_is_too_long_or_no_text_is_refused() {
    for (state, reason) in
        [(json!("x".repeat(70_000)), "state_too_large"), (json!(7), "server_broke_protocol")]
    {
        let mut agent = Agent::one(WHO);
        let asked = agent.call("get_x", json!({})).sent();
        let mut result = wants("");
        result["requestState"] = state;
        assert_eq!(agent.answer(&asked, result)["error"]["data"]["reason"], reason);
    }
}

#[test]
fn what_a_session_had_read_comes_back_with_its_state_and_its_tasks() {
    for carry in ["state", "task"] {
        let mut first = Agent::one(WHO);
        let asked = first.call("get_x", json!({})).sent();
        first.answer(&asked, json!({ "content": [{ "type": "text", "text": "do as I say" }] }));
        let brought = if carry == "state" { first.state("get_y") } else { first.start_task() };
        let mut second = Agent::one(Who { session: "t", ..WHO });
        assert_eq!(second.core.label().origins().count(), 0);
        let came = match carry {
            "state" => second.retry("get_y", &brought),
            _ => second.ask("tasks/get", json!({ "taskId": brought })),
        };
        came.sent();
        assert_eq!(second.core.label().integrity(), Integrity::FreeText, "{carry}");
        assert_eq!(second.core.label().origins().next(), Some(&name("a")), "{carry}");
    }
}

#[test]
fn a_task_has_one_seal_wherever_it_is_shown() {
    let mut agent = Agent::one(WHO);
    let id = agent.start_task();
    assert!(id.starts_with("lockgate-seal-"), "{id}");
    agent.now = Tick(1_000_000);
    let asked = agent.ask("tasks/get", json!({ "taskId": id })).sent();
    assert_eq!((asked.2.as_deref(), &asked.3["params"]["taskId"]), (Some("t-1"), &json!("t-1")));
    let mut got = wants("of the task");
    got["taskId"] = json!("t-1");
    got["_meta"] = json!({ "io.modelcontextprotocol/related-task": { "taskId": "t-1" } });
    let said = agent.answer(&asked, got);
    assert_eq!(said["result"]["taskId"], json!(id));
    assert_eq!(said["result"]["_meta"]["io.modelcontextprotocol/related-task"]["taskId"], json!(id));
    // What one method asks for, another one brings.
    let state = said["result"]["requestState"].clone();
    let update = json!({ "taskId": id, "inputResponses": {}, "requestState": state });
    let (_, _, named, message) = agent.ask("tasks/update", update).sent();
    assert_eq!(named.as_deref(), Some("t-1"));
    assert_eq!(message["params"]["requestState"], "of the task");
    let asked = agent.ask("tasks/cancel", json!({ "taskId": id })).sent();
    assert_eq!(agent.answer(&asked, task("t-1"))["result"]["taskId"], json!(id));
    // News of it come on the stream that the agent opened, under the same name, also after a restart.
    for mut agent in [agent, Agent::one(Who { session: "t", ..WHO })] {
        let wanted = json!({ "notifications": { "taskIds": [id] } });
        let (server, exchange, _, message) = agent.ask("subscriptions/listen", wanted).sent();
        assert_eq!(message["params"]["notifications"]["taskIds"], json!(["t-1"]));
        let mut news = json!({ "jsonrpc": "2.0", "method": "notifications/tasks", "params": task("t-1") });
        news["params"]["_meta"] = json!({ "io.modelcontextprotocol/subscriptionId": message["id"] });
        assert_eq!(agent.says(&server, Some(exchange), &news)["params"]["taskId"], json!(id));
        news["method"] = json!("notifications/subscriptions/acknowledged");
        news["params"] = json!({ "notifications": { "taskIds": ["t-1"] }, "_meta": news["params"]["_meta"] });
        let agreed = agent.says(&server, Some(exchange), &news);
        assert_eq!(agreed["params"]["notifications"]["taskIds"], json!([id]));
    }
}

#[test]
fn behind_one_endpoint_each_server_hears_of_its_own_tasks() {
    let mut agent = Agent::new(WHO, Scope::All);
    let asked = agent.call("a__get_x", json!({})).sent();
    agent.answer(&asked, json!({ "tools": tools() }));
    let asked = agent.call("a__get_x", json!({})).sent();
    let id = agent.answer(&asked, task("t-1"))["result"]["taskId"].clone();
    assert!(id.as_str().unwrap().starts_with("a+lockgate-seal-"), "{id}");
    let moved = id.as_str().unwrap().replace("a+", "b+");
    assert_eq!(agent.ask("tasks/get", json!({ "taskId": moved })).refused(), "unknown_task");
    let wanted = |id: &Value| json!({ "notifications": { "taskIds": [id] } });
    assert_eq!(agent.ask("subscriptions/listen", wanted(&json!(moved))).refused(), "unknown_task");
    let (server, exchange, _, message) = agent.ask("subscriptions/listen", wanted(&id)).sent();
    assert_eq!((server, &message["params"]["notifications"]["taskIds"]), (name("a"), &json!(["t-1"])));
    for (server, exchange, agreed) in
        [("a", exchange, json!(["t-1"])), ("b", ExchangeId(exchange.0 + 1), json!([]))]
    {
        let meta = json!({ "io.modelcontextprotocol/subscriptionId": exchange.0 });
        let params = json!({ "notifications": { "taskIds": agreed }, "_meta": meta });
        let method = "notifications/subscriptions/acknowledged";
        let said = json!({ "jsonrpc": "2.0", "method": method, "params": params });
        let told = agent.says(&name(server), Some(exchange), &said);
        assert_eq!(server == "b", !told.is_null(), "{told}");
        if server == "b" {
            assert_eq!(told["params"]["notifications"]["taskIds"], json!([id]));
        }
    }
}

#[test]
fn a_foreign_an_unknown_and_an_expired_task_are_alike() {
    let mut first = Agent::one(WHO);
    let id = first.start_task();
    let (before, after) = id.split_at(20);
    let changed = if after.starts_with('A') { 'B' } else { 'A' };
    let tampered = format!("{before}{changed}{}", &after[1..]);
    for (who, id) in [
        (Who { principal: "bob", ..WHO }, &id),
        (Who { bound: "context other", ..WHO }, &id),
        (WHO, &"t-1".to_owned()),
        (WHO, &tampered),
    ] {
        for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
            let came = Agent::one(who).ask(method, json!({ "taskId": id })).refused();
            assert_eq!(came, "unknown_task", "{method} {}", who.principal);
        }
        let wanted = json!({ "notifications": { "taskIds": [id] } });
        assert_eq!(Agent::one(who).ask("subscriptions/listen", wanted).refused(), "unknown_task");
    }
    first.now = Tick(4_999_000);
    first.ask("tasks/get", json!({ "taskId": id })).sent();
    first.now = Tick(5_000_000);
    assert_eq!(first.ask("tasks/get", json!({ "taskId": id })).refused(), "unknown_task");
}

#[test]
fn a_list_of_tasks_names_those_of_the_session() {
    let mut agent = Agent::legacy();
    let asked = agent.call("get_x", json!({ "task": {} })).sent();
    let said =
        agent.answer(&asked, json!({ "task": { "taskId": "t-1", "status": "working", "ttl": 60_000 } }));
    let id = said["result"]["task"]["taskId"].clone();
    let asked = agent.ask("tasks/list", json!({})).sent();
    let said = agent
        .answer(&asked, json!({ "tasks": [{ "taskId": "t-0" }, { "taskId": "t-1" }], "nextCursor": "c" }));
    assert_eq!(said["result"]["tasks"], json!([{ "taskId": id }]));
    let cursor = &said["result"]["nextCursor"];
    assert_eq!(agent.ask("tools/list", json!({ "cursor": cursor })).refused(), "bad_cursor");
    assert_eq!(agent.ask("tasks/list", json!({ "cursor": cursor })).sent().3["params"]["cursor"], "c");
    let asked = agent.ask("tasks/result", json!({ "taskId": id })).sent();
    assert_eq!(asked.3["params"]["taskId"], "t-1");
}

#[test]
fn a_question_that_belongs_to_a_task_is_answered_for_it() {
    let mut agent = Agent::legacy();
    agent.core.open();
    let asked = agent.call("get_x", json!({ "task": {} })).sent();
    let said = agent.answer(&asked, json!({ "task": { "taskId": "t-1", "status": "working" } }));
    let related = json!({ "io.modelcontextprotocol/related-task": { "taskId": "t-1" } });
    let news = json!({ "jsonrpc": "2.0", "method": "notifications/message",
        "params": { "level": "info", "data": "x", "_meta": related } });
    let said_again = agent.says(&name("a"), None, &news);
    let shown = &said_again["params"]["_meta"]["io.modelcontextprotocol/related-task"]["taskId"];
    assert_eq!(*shown, said["result"]["task"]["taskId"]);
}

#[test]
fn a_cursor_is_good_for_its_own_list() {
    let mut agent = Agent::one(WHO);
    let asked = agent.ask("tools/list", json!({})).sent();
    let page = json!({ "tools": tools(), "nextCursor": "page 2", "ttlMs": 0, "cacheScope": "private" });
    let said = agent.answer(&asked, page);
    let cursor = said["result"]["nextCursor"].clone();
    assert!(cursor.as_str().unwrap().starts_with("lockgate-seal-"), "{cursor}");
    let with = |cursor: &Value| json!({ "cursor": cursor });
    assert_eq!(agent.ask("tools/list", with(&cursor)).sent().3["params"]["cursor"], "page 2");
    assert_eq!(agent.ask("prompts/list", with(&cursor)).refused(), "bad_cursor");
    assert_eq!(agent.ask("tools/list", with(&json!("page 2"))).refused(), "bad_cursor");
    assert_eq!(agent.ask("tools/list", with(&json!(2))).refused(), "bad_params");
    let mut bob = Agent::one(Who { principal: "bob", ..WHO });
    assert_eq!(bob.ask("tools/list", with(&cursor)).refused(), "bad_cursor");
    agent.now = Tick(86_400_000_000);
    assert_eq!(agent.ask("tools/list", with(&cursor)).refused(), "bad_cursor");
}
