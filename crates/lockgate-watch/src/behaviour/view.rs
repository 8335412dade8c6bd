use lockgate_model::{Principal, ServerName, UnixMillis};

use super::Behaviour;

/// What is known, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Most recently seen first.
    pub principals: Vec<PrincipalView>,
    /// Likewise.
    pub servers: Vec<ServerView>,
    /// Likewise.
    pub tools: Vec<ToolView>,
}

/// What is known of a principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrincipalView {
    /// Who.
    pub name: Principal,
    /// The risk. 0 to 100.
    pub risk: u8,
    /// On how many occasions it called tools: sessions, and hours of long ones.
    pub occasions: u32,
    /// How many tools it is known to call.
    pub tools: usize,
    /// How many hosts it is known to name.
    pub hosts: usize,
    /// On how many days it worked, and in how many hours of the day.
    pub days: u32,
    /// See `days`.
    pub hours: usize,
    /// How many calls it makes in a minute at most, but for one time in a hundred.
    pub calls_a_minute: u64,
    /// How much it sends out in ten minutes at most, likewise. Bytes.
    pub sends: u64,
}

/// What is known of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerView {
    /// Which.
    pub name: ServerName,
    /// How well it has behaved. 0 to 100.
    pub reputation: u8,
    /// How many calls it gets in a minute at most, but for one time in a hundred.
    pub calls_a_minute: u64,
}

/// What is known of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolView {
    /// Its server.
    pub server: ServerName,
    /// Its name, in a form that is safe to print; `prompts/get` and `resources/read` stand for all prompts and resources.
    pub name: String,
    /// On how many occasions it was called.
    pub occasions: u32,
    /// How many forms its arguments have.
    pub shapes: usize,
    /// How many hosts they name.
    pub hosts: usize,
    /// How long its arguments are at most, but for one time in a hundred. Bytes.
    pub arguments: u64,
    /// And its answers.
    pub results: u64,
    /// How often a session makes the same call of it in ten minutes, likewise.
    pub repeats: u64,
    /// How many calls it gets in a minute, likewise.
    pub calls_a_minute: u64,
}

impl Behaviour {
    /// What is known at a moment.
    pub fn view(&self, now: UnixMillis) -> View {
        let settings = &self.settings;
        let mut principals: Vec<_> = self
            .principals
            .iter()
            .map(|(_, one)| PrincipalView {
                name: one.name.clone(),
                risk: one.score.at(now.0, settings.principal_half_life),
                occasions: one.tools.occasions(),
                tools: one.tools.len(),
                hosts: one.hosts.len(),
                days: one.hours.occasions(),
                hours: one.hours.len(),
                calls_a_minute: one.rate.usual.top(),
                sends: one.sent.top(),
            })
            .collect();
        principals.reverse();
        let mut servers: Vec<_> = self
            .servers
            .iter()
            .map(|(_, one)| ServerView {
                name: one.name.clone(),
                reputation: self.reputation(&one.name, now),
                calls_a_minute: one.rate.usual.top(),
            })
            .collect();
        servers.reverse();
        let mut tools: Vec<_> = self
            .tools
            .iter()
            .map(|(_, one)| ToolView {
                server: one.server.clone(),
                name: one.name.clone(),
                occasions: one.shapes.occasions(),
                shapes: one.shapes.len(),
                hosts: one.hosts.len(),
                arguments: one.arguments.top(),
                results: one.calls.results.top(),
                repeats: one.calls.repeats.top(),
                calls_a_minute: one.rate.usual.top(),
            })
            .collect();
        tools.reverse();
        View { principals, servers, tools }
    }
}
