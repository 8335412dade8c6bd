//! Lists on their way to the agent: what is offered is learned, what is hidden is taken out, and where several servers
//! share one endpoint each name gets its server's.

use lockgate_model::{Era, Json, Kind, Reason, Revision, ServerName, Splice, quote};
use lockgate_policy::Subject;
use lockgate_provenance::Kind as Definition;

use crate::{Core, catalogue, names};

/// A page of a list, read.
pub(crate) struct Page {
    /// The entries that are offered, as the agent must see them.
    pub(crate) entries: Vec<Vec<u8>>,
    /// Is any entry left out or another than it came?
    pub(crate) changed: bool,
    /// Where the next page begins, raw.
    pub(crate) cursor: Option<Vec<u8>>,
}

/// The field of the result that holds the entries, and what rules are asked about them.
pub(crate) fn field(method: &str) -> Option<(&'static str, Option<Subject>)> {
    match method {
        "tools/list" => Some(("tools", Some(Subject::Tool))),
        "prompts/list" => Some(("prompts", Some(Subject::Prompt))),
        "resources/list" => Some(("resources", Some(Subject::Resource))),
        "resources/templates/list" => Some(("resourceTemplates", Some(Subject::Resource))),
        _ => None,
    }
}

/// Where the next page of a list begins, raw.
pub(crate) fn cursor(result: Json<'_>) -> Option<Vec<u8>> {
    let cursor = result.get("nextCursor").filter(|cursor| cursor.kind() == Kind::String);
    cursor.map(|cursor| cursor.raw().to_vec())
}

/// What the entries of a list define.
fn kind(method: &str) -> Option<Definition> {
    match method {
        "tools/list" => Some(Definition::Tool),
        "prompts/list" => Some(Definition::Prompt),
        "resources/list" => Some(Definition::Resource),
        "resources/templates/list" => Some(Definition::Template),
        _ => None,
    }
}

impl Core {
    /// Reads a page of a list and learns from it.
    pub(crate) fn read_page(
        &mut self,
        server: &ServerName,
        method: &str,
        result: Json<'_>,
        further: bool,
        revision: Revision,
    ) -> Result<Page, Reason> {
        let Some((name, subject)) = field(method) else {
            return Ok(Page { entries: Vec::new(), changed: false, cursor: None });
        };
        let list =
            result.get(name).filter(|list| list.kind() == Kind::Array).ok_or(Reason::ServerBrokeProtocol)?;
        self.admit_identity(server, result);
        let tools = subject == Some(Subject::Tool);
        if tools && !further {
            self.peer(server).catalogue.begin();
        }
        let mut page = Page { entries: Vec::new(), changed: false, cursor: cursor(result) };
        let entries: Vec<_> = list.elements().take(self.boundary.list_entries + 1).collect();
        if entries.len() > self.boundary.list_entries {
            return Err(Reason::TooManyPages);
        }
        let admitted = match kind(method) {
            Some(kind) => self.admit(server, kind, &entries, (further, page.cursor.is_none())),
            None => vec![false; entries.len()],
        };
        for (entry, admitted) in entries.into_iter().zip(admitted) {
            if !admitted {
                page.changed = true;
                continue;
            }
            match self.read_entry(server, subject, entry, revision) {
                Some(shown) => {
                    page.changed |= shown != entry.raw();
                    page.entries.push(shown);
                }
                None => page.changed = true,
            }
        }
        if tools {
            if self.peer(server).catalogue.len() > self.boundary.list_entries {
                return Err(Reason::TooManyPages);
            }
            if page.cursor.is_none() {
                self.peer(server).catalogue.end();
            }
        }
        Ok(page)
    }

    /// One entry as the agent must see it; none where it is not offered.
    fn read_entry(
        &mut self,
        server: &ServerName,
        subject: Option<Subject>,
        entry: Json<'_>,
        revision: Revision,
    ) -> Option<Vec<u8>> {
        let key = match subject? {
            Subject::Tool | Subject::Prompt => entry.get("name")?,
            Subject::Resource => entry.get("uri").or_else(|| entry.get("uriTemplate"))?,
        };
        let name = key.text()?;
        let operator = self.boundary.servers.get(server)?;
        let hidden = operator.intercept.as_ref().is_some_and(|policy| policy.hides(&name));
        let hidden = hidden && !self.boundary.observes;
        let listed = self.boundary.observes || operator.rules.lists(subject?, &name, &self.asked(None));
        if (hidden && subject? == Subject::Tool) || !listed {
            return None;
        }
        let aggregates = self.aggregates();
        let exposed = match subject? {
            Subject::Tool => {
                let (tool, mut offered) = match catalogue::read_tool(entry) {
                    Some(read) => read,
                    // Headers that repeat arguments belong to the stateless era alone.
                    None if revision.era() == Era::Legacy && catalogue::usable(&name) => {
                        (lockgate_model::ToolName::new(&name), catalogue::read_offered(entry))
                    }
                    None => return None,
                };
                if revision.era() == Era::Legacy {
                    offered.mirrors.clear();
                }
                let exposed = names::exposed_tool(server, &tool);
                if !self.peer(server).catalogue.add(server, tool, offered) {
                    return None;
                }
                exposed
            }
            Subject::Prompt => names::exposed_prompt(server, &name),
            Subject::Resource => names::exposed_address(server, &name),
        };
        if !aggregates {
            return Some(entry.raw().to_vec());
        }
        let mut splice = Splice::new(entry.raw());
        splice.replace(key, quote(&exposed));
        Some(splice.finish().to_vec())
    }
}
