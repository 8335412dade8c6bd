//! What a request is about: its server, and its tool, prompt, resource or task.

use lockgate_model::{Json, Reason, Revision, ServerName, ToolName, quote};
use lockgate_policy::Subject;

use crate::agent::Request;
use crate::seal::Sealed;
use crate::{Core, Scope, names};

/// The extension that brings tasks to the stateless era (SEP-2663).
pub(crate) const TASKS: &str = "io.modelcontextprotocol/tasks";

/// What a request turned out to be about.
pub(crate) struct Located<'m> {
    pub(crate) server: ServerName,
    pub(crate) subject: Option<(Subject, String)>,
    pub(crate) tool: Option<ToolName>,
    /// Values to replace, for the server to know them.
    pub(crate) edits: Vec<(Json<'m>, String)>,
    pub(crate) shown: String,
    /// The task it is about, as the agent names it and opened.
    pub(crate) task: Option<(Json<'m>, Sealed)>,
}

/// Why a request cannot be located: for good, or until a server's tools are known.
pub(crate) enum Lost {
    Refused(Reason),
    Unlearnt(ServerName),
}

impl Core {
    pub(crate) fn locate<'m>(&self, request: &Request<'m>) -> Result<Located<'m>, Lost> {
        let params = &request.params;
        let (field, subject) = match request.method {
            "tools/call" => ("name", Some(Subject::Tool)),
            "prompts/get" => ("name", Some(Subject::Prompt)),
            "skills/get" => ("name", None),
            "completion/complete" => return self.locate_reference(request),
            "tasks/get" | "tasks/update" | "tasks/cancel" | "tasks/result" => {
                return self.locate_task(request);
            }
            _ => ("uri", Some(Subject::Resource)),
        };
        let given = params.get(field).filter(|given| given.text().is_some());
        let given = given.ok_or(Lost::Refused(Reason::BadParams))?;
        let name = given.text().unwrap_or_default();
        if let Scope::One(server) = &self.scope {
            if subject == Some(Subject::Tool) && self.unlearnt(server, &name) {
                return Err(Lost::Unlearnt(server.clone()));
            }
            return Ok(Located {
                server: server.clone(),
                subject: subject.map(|subject| (subject, name.to_string())),
                tool: (subject == Some(Subject::Tool)).then(|| ToolName::new(&name)),
                edits: Vec::new(),
                shown: shown(&name, subject),
                task: None,
            });
        }
        let (server, inner) = match subject {
            Some(Subject::Resource) => {
                names::split_address(&name).ok_or(Lost::Refused(Reason::UnknownResource))?
            }
            Some(Subject::Prompt) | None => {
                names::split_name(&name).ok_or(Lost::Refused(Reason::UnknownPrompt))?
            }
            Some(Subject::Tool) => names::split_name(&name).ok_or(Lost::Refused(Reason::UnknownTool))?,
        };
        if !self.boundary.servers.contains_key(&server) {
            return Err(Lost::Refused(match subject {
                Some(Subject::Tool) => Reason::UnknownTool,
                Some(Subject::Resource) => Reason::UnknownResource,
                Some(Subject::Prompt) | None => Reason::UnknownPrompt,
            }));
        }
        let mut tool = None;
        let mut inner = inner.to_owned();
        if subject == Some(Subject::Tool) {
            let peer = self.peers.get(&server);
            let catalogue = peer.map(|peer| &peer.catalogue);
            let withheld = || peer.and_then(|peer| peer.definitions.withheld_behind(&server, &name));
            let known = catalogue.and_then(|catalogue| catalogue.behind(&name)).cloned().or_else(withheld);
            match known {
                _ if catalogue.is_some_and(crate::catalogue::Catalogue::is_outdated) => {
                    return Err(Lost::Unlearnt(server));
                }
                Some(known) => {
                    known.as_str().clone_into(&mut inner);
                    tool = Some(known);
                }
                None if catalogue.is_some_and(crate::catalogue::Catalogue::is_complete) => {
                    return Err(Lost::Refused(Reason::UnknownTool));
                }
                None => return Err(Lost::Unlearnt(server)),
            }
        }
        let edits = vec![(given, quote(&inner))];
        let shown = shown(&inner, subject);
        let subject = subject.map(|subject| (subject, inner));
        Ok(Located { server, subject, tool, edits, shown, task: None })
    }

    fn locate_reference<'m>(&self, request: &Request<'m>) -> Result<Located<'m>, Lost> {
        let reference = request.params.get("ref").ok_or(Lost::Refused(Reason::BadParams))?;
        let (given, subject) = match (reference.get("name"), reference.get("uri")) {
            (Some(name), None) => (name, Subject::Prompt),
            (None, Some(uri)) => (uri, Subject::Resource),
            _ => return Err(Lost::Refused(Reason::BadParams)),
        };
        let name = given.text().ok_or(Lost::Refused(Reason::BadParams))?;
        let (server, inner, edits) = match (&self.scope, subject) {
            (Scope::One(server), _) => (server.clone(), name.to_string(), Vec::new()),
            (Scope::All, Subject::Resource) => {
                let (server, inner) =
                    names::split_address(&name).ok_or(Lost::Refused(Reason::UnknownResource))?;
                (server, inner.to_owned(), vec![(given, quote(inner))])
            }
            (Scope::All, Subject::Prompt | Subject::Tool) => {
                let (server, inner) = names::split_name(&name).ok_or(Lost::Refused(Reason::UnknownPrompt))?;
                (server, inner.to_owned(), vec![(given, quote(inner))])
            }
        };
        let shown = shown(&inner, Some(subject));
        Ok(Located { server, subject: Some((subject, inner)), tool: None, edits, shown, task: None })
    }

    fn locate_task<'m>(&self, request: &Request<'m>) -> Result<Located<'m>, Lost> {
        let declared =
            request.params.reserved("clientCapabilities").and_then(|all| all.get("extensions")?.get(TASKS));
        if request.revision == Revision::R2026_07_28 && declared.is_none() {
            return Err(Lost::Refused(Reason::MissingClientCapability));
        }
        let given = request.params.get("taskId").ok_or(Lost::Refused(Reason::BadParams))?;
        let (server, sealed) = self.open_task(given).map_err(Lost::Refused)?;
        let edits = vec![(given, sealed.value.clone())];
        let task = Some((given, sealed));
        Ok(Located { server, subject: None, tool: None, edits, shown: "task".to_owned(), task })
    }

    /// Is it possible that the server offers this tool and we have not seen its list?
    fn unlearnt(&self, server: &ServerName, tool: &str) -> bool {
        self.boundary.servers.contains_key(server)
            && self.peers.get(server).is_none_or(|peer| {
                let known = peer.catalogue.find(tool).is_some() || peer.definitions.withholds_tool(tool);
                peer.catalogue.is_outdated() || !(known || peer.catalogue.is_complete())
            })
    }
}

/// A name in a form that is safe to print.
pub(crate) fn shown(name: &str, subject: Option<Subject>) -> String {
    match subject {
        Some(Subject::Resource) => lockgate_model::Untrusted::new(name).escaped(200),
        Some(Subject::Tool | Subject::Prompt) | None => ToolName::new(name).shown().to_owned(),
    }
}
