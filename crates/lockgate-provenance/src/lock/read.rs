use std::collections::BTreeMap;

use lockgate_model::{Json, Kind as Form, ServerName, Untrusted};

use super::{BadLock, Definition, Fault, Lock, Locked};
use crate::definition::{Kind, Name};
use crate::digest::Digest;

/// Longest part of the file that an error repeats, in characters.
const QUOTED: usize = 64;
const DEEPEST: usize = 128;

pub(super) fn read(bytes: &[u8]) -> Result<Lock, BadLock> {
    let reader = Reader { bytes };
    if bytes.len() > Lock::LARGEST {
        return Err(reader.bad_at(0, Fault::TooLarge));
    }
    let json = Json::locate(bytes, DEEPEST).map_err(|(reason, at)| reader.bad_at(at, Fault::Json(reason)))?;
    reader.lock(json)
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn lock(&self, json: Json<'a>) -> Result<Lock, BadLock> {
        let [version, servers] =
            self.members(json, ["version", "servers"], "an object with `version` and `servers`")?;
        let version = version.ok_or_else(|| self.bad(json, Fault::Version))?;
        if version.unsigned() != Some(Lock::VERSION) {
            return Err(self.bad(version, Fault::Version));
        }
        let servers = servers.ok_or_else(|| self.bad(json, Fault::Missing("servers")))?;
        self.object(servers, "an object of servers")?;
        let mut lock = Lock::default();
        for (key, json) in servers.members() {
            let name = key.text();
            let server =
                ServerName::parse(&name).ok_or_else(|| self.bad(json, Fault::Server(escaped(&name))))?;
            lock.servers.insert(server, self.server(json)?);
        }
        Ok(lock)
    }

    fn server(&self, json: Json<'a>) -> Result<Locked, BadLock> {
        let [origin, owner, definitions] = self.members(
            json,
            ["origin", "owner", "definitions"],
            "an object of what is known of the server",
        )?;
        let mut locked = Locked {
            origin: origin.map_or_else(|| Ok(BTreeMap::new()), |json| self.texts(json))?,
            owner: owner.map_or_else(|| Ok(BTreeMap::new()), |json| self.texts(json))?,
            definitions: BTreeMap::new(),
        };
        let Some(definitions) = definitions else { return Ok(locked) };
        let kinds = self.members(definitions, Kind::ALL.map(Kind::word), "an object of definitions")?;
        for (kind, json) in Kind::ALL.into_iter().zip(kinds) {
            let Some(json) = json else { continue };
            if kind.key().is_none() {
                self.definition(&mut locked, Name::new(kind, ""), json)?;
                continue;
            }
            self.object(json, "an object of definitions by their names")?;
            for (key, json) in json.members() {
                self.definition(&mut locked, Name::new(kind, &key.text()), json)?;
            }
        }
        Ok(locked)
    }

    fn definition(&self, locked: &mut Locked, name: Name, json: Json<'a>) -> Result<(), BadLock> {
        let [digest, definition] =
            self.members(json, ["digest", "definition"], "an object with `digest` and `definition`")?;
        let digest = digest.ok_or_else(|| self.bad(json, Fault::Missing("digest")))?;
        let definition = definition.ok_or_else(|| self.bad(json, Fault::Missing("definition")))?;
        let said = digest.text().and_then(|text| Digest::parse(&text));
        let said =
            said.ok_or_else(|| self.bad(digest, Fault::Expected("`sha256:` and 64 digits of 0-9a-f")))?;
        if Name::of(name.kind, definition).as_ref() != Some(&name) {
            return Err(self.bad(definition, Fault::Name));
        }
        let approved = Definition::of(name.kind, definition);
        if approved.digest() != said {
            return Err(self.bad(digest, Fault::Digest));
        }
        match locked.definitions.insert(name, approved) {
            Some(_) => Err(self.bad(json, Fault::Twice)),
            None => Ok(()),
        }
    }

    /// Keys and texts.
    fn texts(&self, json: Json<'a>) -> Result<BTreeMap<String, String>, BadLock> {
        self.object(json, "an object of texts")?;
        json.members()
            .map(|(key, value)| {
                let text = value.text().ok_or_else(|| self.bad(value, Fault::Expected("a text")))?;
                Ok((key.text().into_owned(), text.into_owned()))
            })
            .collect()
    }

    /// The members of an object by these names; there may be no others.
    fn members<const N: usize>(
        &self,
        json: Json<'a>,
        names: [&'static str; N],
        what: &'static str,
    ) -> Result<[Option<Json<'a>>; N], BadLock> {
        self.object(json, what)?;
        let mut found = [None; N];
        for (key, value) in json.members() {
            let slot = names.iter().zip(&mut found).find(|(name, _)| key.is(name));
            match slot {
                Some((_, slot)) => *slot = Some(value),
                None => return Err(self.bad(value, Fault::Unknown(escaped(&key.text())))),
            }
        }
        Ok(found)
    }

    fn object(&self, json: Json<'a>, what: &'static str) -> Result<(), BadLock> {
        if json.kind() == Form::Object { Ok(()) } else { Err(self.bad(json, Fault::Expected(what))) }
    }

    /// Something is wrong with a value of the file.
    fn bad(&self, json: Json<'a>, fault: Fault) -> BadLock {
        let at = json.raw().as_ptr().addr().saturating_sub(self.bytes.as_ptr().addr());
        self.bad_at(at, fault)
    }

    fn bad_at(&self, at: usize, fault: Fault) -> BadLock {
        let before = self.bytes.get(..at).unwrap_or(self.bytes);
        let line = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        BadLock {
            line: before.split(|byte| *byte == b'\n').count(),
            column: 1 + String::from_utf8_lossy(line).chars().count(),
            fault,
        }
    }
}

fn escaped(text: &str) -> String {
    Untrusted::new(text).escaped(QUOTED)
}
