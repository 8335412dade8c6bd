//! Real servers and clients for the end-to-end tests, installed once from npm and `PyPI`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::run::{has, root, run, say};

/// Installs the peers where they are missing, and gives the folder they are in.
pub(crate) fn install() -> Result<PathBuf> {
    let source = root().join("testkit/peers");
    let mut digest = Sha256::new();
    for name in ["package.json", "package-lock.json", "requirements.txt"] {
        digest.update(
            std::fs::read(source.join(name)).with_context(|| format!("testkit/peers/{name} is missing"))?,
        );
    }
    let first = digest.finalize().iter().take(8).fold(0_u64, |key, byte| key << 8 | u64::from(*byte));
    let key = format!("{first:016x}");
    let folder = cache()?.join("lockgate-peers").join(key);
    std::fs::create_dir_all(&folder)?;
    // Two runs at a time install once. The lock goes with the file.
    let lock = std::fs::File::create(folder.join("lock"))?;
    lock.lock()?;
    // The interpreter is a link to the machine's own: after an upgrade of that, it may lead nowhere.
    if folder.join("complete").is_file() && folder.join("python/bin/python").is_file() {
        return Ok(folder);
    }
    for (program, package) in [("node", "nodejs"), ("npm", "npm"), ("python3", "python3")] {
        if !has(program) {
            bail!("the end-to-end tests need `{program}`\n  hint: apt-get install {package}");
        }
    }
    say(&format!("installing servers and clients for the end-to-end tests into {}", folder.display()));
    for name in ["package.json", "package-lock.json"] {
        std::fs::copy(source.join(name), folder.join(name))?;
    }
    // Scripts of packages are not run: nothing here needs them, and they could do anything.
    run(Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", "--prefix"])
        .arg(&folder))?;
    let python = folder.join("python");
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&python))
        .context("hint: apt-get install python3-venv")?;
    run(Command::new(python.join("bin/pip"))
        .args(["install", "--quiet", "--disable-pip-version-check", "--requirement"])
        .arg(source.join("requirements.txt")))?;
    std::fs::write(folder.join("complete"), b"")?;
    Ok(folder)
}

/// Where things that can be made again are kept.
fn cache() -> Result<PathBuf> {
    let from = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    from("XDG_CACHE_HOME")
        .or_else(|| from("HOME").map(|home| home.join(".cache")))
        .filter(|path| path != Path::new("/"))
        .context("neither XDG_CACHE_HOME nor HOME is set")
}
