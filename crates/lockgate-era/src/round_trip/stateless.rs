//! What an agent of the stateless era does otherwise.

use serde_json::{Value, json};

use super::client::{Client, Waits};

const META: &str = "io.modelcontextprotocol/";

impl Client {
    /// Every request is complete in itself.
    pub(super) fn introduce(&self, params: &mut Value) {
        let meta = &mut params["_meta"];
        meta[format!("{META}protocolVersion")] = json!("2026-07-28");
        meta[format!("{META}clientInfo")] = json!({ "name": "agent", "version": "1" });
        let capabilities = json!({ "elicitation": {}, "sampling": {}, "roots": {} });
        meta[format!("{META}clientCapabilities")] = capabilities;
        if self.level {
            meta[format!("{META}logLevel")] = json!("info");
        }
    }

    /// Subscribes to everything that is wanted now. An older subscription ends once the new one is acknowledged.
    pub(super) fn listen(&mut self) {
        let filter = json!({
            "toolsListChanged": true, "promptsListChanged": true, "resourcesListChanged": true,
            "resourceSubscriptions": self.watched,
        });
        self.ask("subscriptions/listen", json!({ "notifications": filter }), Waits::Changes);
    }

    /// Hears a change on the newest subscription that is acknowledged.
    pub(super) fn listened(&mut self, message: &Value) {
        let mut params = message["params"].clone();
        let meta = params.as_object_mut().unwrap().remove("_meta").unwrap();
        assert_eq!(meta.as_object().unwrap().len(), 1);
        let tag = meta[format!("{META}subscriptionId")].as_str().unwrap().to_owned();
        let method = message["method"].as_str().unwrap();
        let exchange = self.open.get(&tag).map(|(exchange, _)| *exchange);
        if method == "notifications/subscriptions/acknowledged" {
            if let Some(exchange) = exchange
                && let Some((old, _)) = self.listen.replace((tag, exchange))
            {
                self.take_back(&old);
            }
        } else if self.listen.as_ref().is_some_and(|(listen, _)| *listen == tag) {
            self.changed(method, &params);
        }
    }

    /// Answers what the server wants to know, and comes again.
    pub(super) fn input_required(&mut self, waits: &Waits, result: &Value) {
        let Waits::Call(_, method, asked) = waits else { panic!("{result}") };
        let mut params = asked.clone();
        if let Some(requests) = result.get("inputRequests") {
            let mut answers = serde_json::Map::new();
            for (key, request) in requests.as_object().unwrap() {
                let dismissed = json!({ "action": "cancel" });
                let answer = self.note(request["method"].as_str().unwrap(), &request["params"]);
                answers.insert(key.clone(), answer.unwrap_or(dismissed));
            }
            params["inputResponses"] = answers.into();
        }
        if let Some(state) = result.get("requestState") {
            params["requestState"] = state.clone();
        }
        self.ask(method, params, waits.clone());
    }

    /// A result as the handshake era has it, so that both can be compared.
    pub(super) fn strip(result: &mut Value) {
        assert_eq!(result["resultType"], "complete", "{result}");
        let result = result.as_object_mut().unwrap();
        result.retain(|key, value| match key.as_str() {
            "resultType" | "ttlMs" | "cacheScope" => false,
            "structuredContent" => value.is_object(),
            "_meta" => {
                let meta = value.as_object_mut().unwrap();
                meta.retain(|key, _| !key.starts_with(META));
                !meta.is_empty()
            }
            _ => true,
        });
    }
}
