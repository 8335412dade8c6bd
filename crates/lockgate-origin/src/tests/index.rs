//! Which archive of an index a package was installed from.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;

use super::*;
use crate::{Archive, Installed, Kind, Origin, Untraced, Wheel};

const FILE: &str = "mcp_tool-1.4-py3-none-any.whl";
const SITE: &str = "venv/lib/python3.11/site-packages";
const PAGE: &str = "https://index.example/simple/mcp-tool/";

/// A zip archive; the files are packed or not.
fn zip(files: &[(&str, &str)], packed: bool) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (name, text) in files {
        let start = u32::try_from(archive.len()).unwrap();
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        let bytes = if packed { encoder.finish().unwrap() } else { text.as_bytes().to_vec() };
        let sizes = [bytes.len(), text.len()].map(|size| u32::try_from(size).unwrap().to_le_bytes()).concat();
        let method = [if packed { 8 } else { 0 }, 0];
        let length = u16::try_from(name.len()).unwrap().to_le_bytes();
        let head = [&[20, 0, 0, 0][..], &method, &[0; 8], &sizes, &length].concat();
        archive.extend([b"PK\x03\x04", &head[..], &[0; 2], name.as_bytes(), &bytes].concat());
        let entry = [b"PK\x01\x02\x14\0", &head[..], &[0; 12], &start.to_le_bytes(), name.as_bytes()];
        directory.extend(entry.concat());
    }
    let count = u16::try_from(files.len()).unwrap().to_le_bytes();
    let [size, start] = [directory.len(), archive.len()].map(|of| u32::try_from(of).unwrap().to_le_bytes());
    let end = [b"PK\x05\x06\0\0\0\0", &count[..], &count, &size, &start, &[0; 2]].concat();
    [archive, directory, end].concat()
}

/// What the archive says of its files: what is installed says the same, and more.
fn list(home: &Home) -> String {
    let text = fs::read_to_string(home.at(&format!("{SITE}/mcp_tool-1.4.dist-info/RECORD"))).unwrap();
    let own = text.lines().filter(|line| !line.starts_with("..") && !line.contains("__pycache__"));
    own.fold(String::new(), |list, line| list + line + "\n")
}

fn installed(home: &Home) -> Installed {
    let info = format!("{SITE}/mcp_tool-1.4.dist-info");
    home.write(&format!("{info}/WHEEL"), "Wheel-Version: 1.0\nTag: py3-none-any\n");
    Installed::read(&home.at(&info)).unwrap()
}

fn wheel(archive: &[u8]) -> Wheel {
    let sha256 = Sha256::digest(archive).into();
    Wheel { file: FILE.to_owned(), address: format!("https://index.example/{FILE}"), sha256 }
}

#[test]
fn a_package_is_of_the_archive_with_the_same_files() {
    let home = Home::new();
    home.environment("venv", "1.4");
    let (installed, list) = (installed(&home), list(&home));
    let record = "mcp_tool-1.4.dist-info/RECORD";
    let first = list.lines().find(|line| line.contains("__init__")).unwrap();
    let script = "mcp_tool-1.4.data/scripts/other,sha256=AAAA,1\n";
    let pure = list.replace("mcp_tool/__init__", "mcp_tool-1.4.data/purelib/mcp_tool/__init__");
    for (what, files, expected) in [
        ("the same", vec![(record, list.clone())], Ok(())),
        ("a script of its own", vec![(record, list.clone() + script)], Ok(())),
        ("another place", vec![(record, pure)], Ok(())),
        ("a file more", vec![(record, list.clone() + "more.py,sha256=AAAA,1\n")], Err(Untraced::Other)),
        ("a file less", vec![(record, list.replace(&format!("{first}\n"), ""))], Err(Untraced::Other)),
        (
            "another file",
            vec![(record, list.replace("__init__.py,sha256=", "__init__.py,sha256=A"))],
            Err(Untraced::Other),
        ),
        ("no digest", vec![(record, list.replace(first, "mcp_tool/__init__.py,,"))], Err(Untraced::Other)),
        ("two lists", vec![(record, list.clone()), (record, list.clone())], Err(Untraced::Unreadable)),
        ("no list", vec![("RECORD", list.clone())], Err(Untraced::Unreadable)),
    ] {
        let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
        for packed in [false, true] {
            let archive = zip(&[&[("mcp_tool/__init__.py", "main = 1\n")], &files[..]].concat(), packed);
            assert_eq!(installed.is_of(&wheel(&archive), &archive), expected, "{what}");
            let mut other = archive.clone();
            other.push(0);
            assert_eq!(installed.is_of(&wheel(&archive), &other), Err(Untraced::Digest), "{what}");
            for length in 0..archive.len() {
                let cut = &archive[..length];
                assert!(installed.is_of(&wheel(cut), cut).is_err(), "{what}: {length}");
            }
        }
    }
    assert_eq!(Installed::read(&home.at("venv")).err(), Some(Untraced::BadPackage));
}

#[test]
fn an_archive_is_looked_for_by_name_version_and_tags() {
    let home = Home::new();
    home.environment("venv", "1.4");
    let installed = installed(&home);
    assert_eq!(installed.page("https://index.example/simple/"), PAGE);
    let digest = "0a".repeat(32);
    for (file, fits) in [
        (FILE, true),
        ("MCP.Tool-1.4-py3-none-any.whl", true),
        ("mcp_tool-1.4-1-py3-none-any.whl", false),
        ("mcp_tool-1.5-py3-none-any.whl", false),
        ("mcp_tools-1.4-py3-none-any.whl", false),
        ("mcp_tool-1.4-py2.py3-none-any.whl", false),
        ("mcp_tool-1.4-cp311-cp311-linux_x86_64.whl", false),
        ("mcp_tool-1.4.tar.gz", false),
    ] {
        let json = format!(
            r#"{{"files":[{{"filename":"x","url":"../../f/{file}","hashes":{{"sha256":"{digest}"}}}}]}}"#
        );
        let html = format!("<html><a href=\"../../f/{file}#sha256={digest}\" data-x='1'>{file}</a><br/>");
        for page in [json, html] {
            let found = installed.wheel(page.as_bytes(), PAGE).map(|wheel| wheel.integrity());
            let expected = if fits { Ok(format!("{file} sha256:{digest}")) } else { Err(Untraced::NoWheel) };
            assert_eq!(found, expected, "{page}");
        }
    }
    for page in ["", "{}", "<a href=\"file:///mcp_tool-1.4-py3-none-any.whl#sha256=00\">"] {
        assert_eq!(installed.wheel(page.as_bytes(), PAGE), Err(Untraced::NoWheel));
    }
}

#[test]
fn a_lock_file_names_the_archive() {
    let wheel = wheel(b"");
    let origin = |integrity: &str| Origin {
        version: Some("1.4".to_owned()),
        integrity: Some(integrity.to_owned()),
        ..Origin::new(Kind::Pypi, "mcp-tool")
    };
    let archive = Archive::of(&origin(&wheel.integrity()));
    let (name, version) = ("mcp-tool".to_owned(), "1.4".to_owned());
    assert_eq!(archive, Some(Archive::Pypi { name, version, file: wheel.file, sha256: wheel.sha256 }));
    for other in ["", FILE, "sha256:00", "../x.whl sha256:00", "a.whl sha256:zz"] {
        assert_eq!(Archive::of(&origin(other)), None, "{other}");
    }
}
