//! Which archive of an index an installed package is of. Installers do not write that down.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use lockgate_model::hex;
use serde_json::Value;
use sha2::{Digest, Sha256};
use url::Url;

use super::distribution::{Distribution, normal};
use super::wheel;
use crate::read::{self, at};
use crate::setting::Setting;

/// Files that installers add to those of the archive.
const ADDED: [&str; 6] =
    ["INSTALLER", "REQUESTED", "direct_url.json", "uv_build.json", "uv_cache.json", "RECORD"];

/// The address of the index that pip and uv ask: `https://pypi.org/simple` where nothing else is said.
pub fn index(setting: &Setting<'_>) -> String {
    let variables = ["PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"];
    let named = variables.iter().find_map(|name| setting.variable(name)).map(str::to_owned);
    let own = setting.folder("XDG_CONFIG_HOME", ".config").map(|folder| folder.join("pip/pip.conf"));
    let file = setting.variable("PIP_CONFIG_FILE").map(|file| setting.directory.join(file));
    let old = setting.variable("HOME").map(|home| Path::new(home).join(".pip/pip.conf"));
    let files = [file, own, old, Some("/etc/pip.conf".into())];
    let written = || {
        files.into_iter().flatten().filter_map(|file| read::text(&file)).find_map(|text| {
            let value = |line: &str| {
                let (key, value) = line.split_once('=')?;
                (key.trim().replace('_', "-") == "index-url").then(|| value.trim().to_owned())
            };
            text.lines().find_map(value)
        })
    };
    let address = named.or_else(written).unwrap_or_else(|| "https://pypi.org/simple".to_owned());
    address.trim_end_matches('/').to_owned()
}

/// Why it is not known which archive a package was installed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Untraced {
    /// The package's own files do not say what it is.
    #[error("the package does not say what it is")]
    BadPackage,
    /// The index has no wheel of this name and version for the same machines and interpreters.
    #[error("the index has no such wheel")]
    NoWheel,
    /// The archive does not have the digest that the index says.
    #[error("the archive is not what the index says")]
    Digest,
    /// The archive is no wheel of this package.
    #[error("the archive cannot be read")]
    Unreadable,
    /// The list of files in the archive is another one.
    #[error("the archive that was installed is not the index's")]
    Other,
}

/// A package as it is installed.
#[derive(Debug)]
pub struct Installed {
    /// The name of its folder `dist-info`.
    info: String,
    name: String,
    version: String,
    /// The tags of its wheel, and its build where it has one.
    tags: BTreeSet<String>,
    build: Option<String>,
    record: String,
}

/// An archive that an index has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wheel {
    /// Its name: `name-1.0-py3-none-any.whl`.
    pub file: String,
    /// Where it is.
    pub address: String,
    /// Its SHA-256, as the index says.
    pub sha256: [u8; 32],
}

impl Installed {
    /// Reads what stands in a folder `NAME-VERSION.dist-info`.
    pub fn read(folder: &Path) -> Result<Self, Untraced> {
        let distribution = Distribution::read(folder).ok_or(Untraced::BadPackage)?;
        let text = |name: &str| read::text(&folder.join(name)).ok_or(Untraced::BadPackage);
        let (wheel, record) = (text("WHEEL")?, text("RECORD")?);
        let values = |key: &'static str| {
            let own = move |line: &str| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case(key).then(|| value.trim().to_owned())
            };
            wheel.lines().filter_map(own)
        };
        Ok(Self {
            info: crate::setting::name_of(folder),
            name: distribution.name,
            version: distribution.version,
            tags: values("Tag").collect(),
            build: values("Build").next(),
            record,
        })
    }

    /// Where an index lists the archives of it.
    pub fn page(&self, index: &str) -> String {
        format!("{}/{}/", index.trim_end_matches('/'), self.name)
    }

    /// The archive among those of an index's page that fits: JSON (PEP 691) or HTML (PEP 503). `address` is that of the page.
    pub fn wheel(&self, page: &[u8], address: &str) -> Result<Wheel, Untraced> {
        let base = Url::parse(address).map_err(|_| Untraced::NoWheel)?;
        let page = String::from_utf8_lossy(page);
        let links = match serde_json::from_str::<Value>(&page) {
            Ok(page) => listed(&page),
            Err(_) => linked(&page),
        };
        let wheel = links.into_iter().find_map(|(link, digest)| {
            let mut address = base.join(&link).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
            let file = address.path_segments()?.next_back()?.to_owned();
            self.fits(&file).then_some(())?;
            address.set_fragment(None);
            Some(Wheel { file, address: address.into(), sha256: bytes(&digest)? })
        });
        wheel.ok_or(Untraced::NoWheel)
    }

    /// Is a wheel of this name of this package and version, for what it was installed for?
    fn fits(&self, file: &str) -> bool {
        let Some(parts) = file.strip_suffix(".whl").map(|name| name.split('-').collect::<Vec<_>>()) else {
            return false;
        };
        let (name, version, build, python, abi, platform) = match parts.as_slice() {
            [name, version, python, abi, platform] => (name, version, None, python, abi, platform),
            [name, version, build, python, abi, platform] => {
                (name, version, Some(*build), python, abi, platform)
            }
            _ => return false,
        };
        let tags = python.split('.').flat_map(|python| {
            let both = abi.split('.').flat_map(move |abi| platform.split('.').map(move |one| (abi, one)));
            both.map(move |(abi, platform)| format!("{python}-{abi}-{platform}"))
        });
        normal(name).as_ref() == Some(&self.name)
            && *version == self.version.replace('-', "_")
            && build == self.build.as_deref()
            && tags.collect::<BTreeSet<_>>() == self.tags
    }

    /// Was it installed from this archive? Every file of the archive's list must be in its own with the same digest, and
    /// no other but those that installers add. That the files are as its list says, [`crate::resolve`] has seen.
    pub fn is_of(&self, wheel: &Wheel, archive: &[u8]) -> Result<(), Untraced> {
        if <[u8; 32]>::from(Sha256::digest(archive)) != wheel.sha256 {
            return Err(Untraced::Digest);
        }
        let list = wheel::file(archive, &format!("{}/RECORD", self.info)).ok_or(Untraced::Unreadable)?;
        let mut own = self.own();
        let data = format!("{}.data/", self.info.trim_end_matches(".dist-info"));
        for (path, digest) in lines(&list) {
            let signature = |name: &str| path == format!("{}/{name}", self.info);
            if ["RECORD", "RECORD.jws", "RECORD.p7s"].into_iter().any(signature) {
                continue;
            }
            let there = match path.strip_prefix(&data).and_then(|rest| rest.split_once('/')) {
                None => own.remove(&path),
                Some(("purelib" | "platlib", rest)) => own.remove(rest),
                // Their first line is another one once they are installed.
                Some(("scripts", _)) => continue,
                Some((_, rest)) => {
                    let outside =
                        |path: &&String| path.starts_with("../") && path.ends_with(&format!("/{rest}"));
                    let place = own.keys().find(outside).cloned();
                    place.and_then(|place| own.remove(&place))
                }
            };
            if there.as_ref() != Some(&digest) || digest.is_empty() {
                return Err(Untraced::Other);
            }
        }
        // What is left is beside the packages, where scripts are.
        if own.keys().all(|path| path.starts_with("../")) { Ok(()) } else { Err(Untraced::Other) }
    }

    /// The files of its list, without what installers add.
    fn own(&self) -> BTreeMap<String, String> {
        let added = |path: &str| {
            let own = path.strip_prefix(&self.info).and_then(|rest| rest.strip_prefix('/'));
            own.is_some_and(|name| ADDED.contains(&name)) || path.contains("__pycache__/")
        };
        lines(&self.record).filter(|(path, _)| !added(path)).collect()
    }
}

impl Wheel {
    /// As it stands in a lock file: `name-1.0-py3-none-any.whl sha256:…`.
    pub fn integrity(&self) -> String {
        format!("{} sha256:{}", self.file, hex(&self.sha256))
    }

    /// Reads what [`Wheel::integrity`] wrote: the file and its SHA-256.
    pub(crate) fn read(integrity: &str) -> Option<(String, [u8; 32])> {
        let (file, digest) = integrity.split_once(" sha256:")?;
        let letter = |b: u8| b.is_ascii_alphanumeric() || b"-_.+!".contains(&b);
        file.strip_suffix(".whl")?.bytes().all(letter).then_some(())?;
        Some((file.to_owned(), bytes(digest)?))
    }
}

/// The path and digest of each line of a list of files.
fn lines(record: &str) -> impl Iterator<Item = (String, String)> {
    record.lines().filter_map(|line| {
        let mut parts = line.rsplitn(3, ',');
        let (_size, digest, path) = (parts.next()?, parts.next()?, parts.next()?);
        Some((path.trim_matches('"').replace("\"\"", "\""), digest.to_owned()))
    })
}

/// Addresses and their SHA-256, of a page in JSON.
fn listed(page: &Value) -> Vec<(String, String)> {
    let files = page.get("files").and_then(Value::as_array).into_iter().flatten();
    let one =
        |file: &Value| Some((at(file, "url")?.to_owned(), at(file.get("hashes")?, "sha256")?.to_owned()));
    files.filter_map(one).collect()
}

/// The same of a page in HTML.
fn linked(page: &str) -> Vec<(String, String)> {
    let links = page.split("href=").skip(1).filter_map(|rest| {
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        rest.get(1..)?.split(quote).next()
    });
    let one = |link: &str| {
        let (address, digest) = link.split_once("#sha256=")?;
        Some((address.replace("&amp;", "&"), digest.to_owned()))
    };
    links.filter_map(one).collect()
}

fn bytes(hex: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(place * 2..place * 2 + 2)?, 16).ok()?;
    }
    Some(bytes)
}
