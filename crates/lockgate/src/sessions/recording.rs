//! One recorded session: the calls of an agent with their results, and what its user said.

use lockgate_model::{Json, Kind, ServerName};

/// Deepest nesting of a recording.
const DEPTH: usize = 128;

pub(super) struct Recording<'l> {
    pub(super) id: String,
    /// Which catalogue its servers have.
    pub(super) catalogue: String,
    /// The servers that were there.
    pub(super) servers: Vec<ServerName>,
    /// What the user said, and before which call.
    pub(super) turns: Vec<(usize, String)>,
    pub(super) calls: Vec<Call<'l>>,
}

pub(super) struct Call<'l> {
    pub(super) server: ServerName,
    pub(super) tool: String,
    /// An object.
    pub(super) arguments: &'l [u8],
    /// An object.
    pub(super) result: &'l [u8],
}

impl<'l> Recording<'l> {
    /// Reads one line; else what is wrong with it. What a gateway cannot see is not looked at.
    pub(super) fn read(line: &'l [u8]) -> Result<Self, String> {
        let json = Json::check(line.trim_ascii(), DEPTH).map_err(|reason| reason.meaning().to_owned())?;
        let servers = member(json, "servers")?.elements().map(server).collect::<Result<_, _>>()?;
        let turn = |turn: Json<'l>| {
            let before = member(turn, "before_event")?.unsigned().ok_or("`before_event` is not a number")?;
            Ok((usize::try_from(before).unwrap_or(usize::MAX), text(turn, "text")?))
        };
        let turns = json.get("user_turns").into_iter().flat_map(Json::elements).map(turn);
        let turns = turns.collect::<Result<_, String>>()?;
        let calls = member(json, "events")?.elements().map(Call::read).collect::<Result<_, _>>()?;
        Ok(Self { id: text(json, "id")?, catalogue: text(json, "catalogue")?, servers, turns, calls })
    }
}

impl<'l> Call<'l> {
    fn read(json: Json<'l>) -> Result<Self, String> {
        Ok(Self {
            server: server(member(json, "server")?)?,
            tool: text(json, "tool")?,
            arguments: object(json, "args")?,
            result: object(json, "result")?,
        })
    }
}

fn member<'l>(json: Json<'l>, name: &str) -> Result<Json<'l>, String> {
    json.get(name).ok_or_else(|| format!("`{name}` is missing"))
}

fn text(json: Json<'_>, name: &str) -> Result<String, String> {
    let text = member(json, name)?.text().ok_or_else(|| format!("`{name}` is not a text"))?;
    Ok(text.into_owned())
}

fn object<'l>(json: Json<'l>, name: &str) -> Result<&'l [u8], String> {
    let object = member(json, name)?;
    if object.kind() == Kind::Object { Ok(object.raw()) } else { Err(format!("`{name}` is not an object")) }
}

fn server(name: Json<'_>) -> Result<ServerName, String> {
    let parsed = name.text().and_then(|name| ServerName::parse(&name));
    parsed.ok_or_else(|| "a server has no usable name: a-z, 0-9 and -, first a letter".to_owned())
}

#[cfg(test)]
mod tests {
    use super::Recording;

    #[test]
    fn what_is_wrong_is_said() {
        for (line, wrong) in [
            ("{", "the message is not well-formed JSON"),
            ("[]", "`servers` is missing"),
            ("{\"servers\":[\"A\"]}", "a server has no usable name: a-z, 0-9 and -, first a letter"),
            ("{\"servers\":[],\"user_turns\":[{\"before_event\":0}]}", "`text` is missing"),
            ("{\"servers\":[],\"user_turns\":[{\"before_event\":-1}]}", "`before_event` is not a number"),
            ("{\"servers\":[]}", "`events` is missing"),
            (
                "{\"servers\":[],\"events\":[{\"server\":\"a\",\"tool\":\"t\",\"args\":[]}]}",
                "`args` is not an object",
            ),
            ("{\"servers\":[],\"events\":[],\"id\":1}", "`id` is not a text"),
        ] {
            assert_eq!(Recording::read(line.as_bytes()).err().as_deref(), Some(wrong), "{line}");
        }
    }
}
