//! Asks registries what they attest of a package, once.

use std::path::Path;
use std::time::Duration;

use lockgate_attest::LARGEST;
use lockgate_origin::{Archive, Attestations, Installed, Origin, Untraced, Wheel};
use lockgate_transport::{Unfetched, fetch, fetch_as};

use super::ATTESTATIONS;

/// Longest wait for a registry.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why it is not known what attests a package.
#[derive(Debug, thiserror::Error)]
pub enum Unattested {
    /// Its registry attests nothing of it, or cannot be told from what its installer left on the disk.
    #[error("nothing says which archive it was installed from")]
    NoArchive,
    /// The registry did not give them out.
    #[error("its registry gives out no attestations: {0}")]
    Unfetched(#[from] Unfetched),
    /// They cannot be kept.
    #[error("what attests it cannot be kept: {0}")]
    Unkept(#[from] std::io::Error),
}

/// Fetches what the registry attests of a package, and keeps it in the state folder; asks nobody where it is kept already.
/// Nothing is verified here: that is done whenever the server is started.
pub async fn fetch_attestations(state: &Path, origin: &Origin, registry: &str) -> Result<(), Unattested> {
    let archive = Archive::of(origin).ok_or(Unattested::NoArchive)?;
    let kept = Attestations::new(&state.join(ATTESTATIONS));
    if kept.find(&archive).is_some() {
        return Ok(());
    }
    let document = fetch(&archive.address(registry), LARGEST, PATIENCE).await?;
    Ok(kept.keep(&archive, &document)?)
}

/// Largest page of an index, and largest archive. Bytes.
const PAGE: usize = 16 << 20;
const WHEEL: usize = 64 << 20;
/// What a page of an index is read as.
const PAGES: &str = "application/vnd.pypi.simple.v1+json, text/html;q=0.5";

/// Why it is not known which archive of the index a package of Python was installed from.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unlocated {
    #[error(transparent)]
    Unfetched(#[from] Unfetched),
    #[error(transparent)]
    Untraced(#[from] Untraced),
}

/// Finds the archive in an index that a package was installed from, and compares them. Fetches two documents.
pub(crate) async fn locate(folder: &Path, index: &str) -> Result<Wheel, Unlocated> {
    let installed = Installed::read(folder)?;
    let address = installed.page(index);
    let page = fetch_as(PAGES, &address, PAGE, PATIENCE).await?;
    let wheel = installed.wheel(&page, &address)?;
    installed.is_of(&wheel, &fetch_as("*/*", &wheel.address, WHEEL, PATIENCE).await?)?;
    Ok(wheel)
}

#[cfg(test)]
mod tests {
    use lockgate_origin::Kind;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_registry_is_asked_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let registry = format!("http://{}", listener.local_addr().unwrap());
        let serve = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = [0; 64];
            let count = stream.read(&mut asked).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await.unwrap();
            String::from_utf8_lossy(&asked[..count]).into_owned()
        });
        let folder = tempfile::tempdir().unwrap();
        let origin = Origin {
            version: Some("1.0.0".to_owned()),
            integrity: Some(format!("sha512-{}==", "A".repeat(86))),
            ..Origin::new(Kind::Npm, "@a/b")
        };
        fetch_attestations(folder.path(), &origin, &registry).await.unwrap();
        let asked = serve.await.unwrap();
        assert!(asked.starts_with("GET /-/npm/v1/attestations/@a%2fb@1.0.0 HTTP/1.1\r\n"), "{asked}");
        // Nobody listens there any more.
        fetch_attestations(folder.path(), &origin, &registry).await.unwrap();
        let other = Origin { integrity: Some(format!("sha512-B{}==", "A".repeat(85))), ..origin };
        let gone = fetch_attestations(folder.path(), &other, &registry).await;
        assert!(matches!(gone, Err(Unattested::Unfetched(_))), "{gone:?}");
        let unknown = fetch_attestations(folder.path(), &Origin::new(Kind::Pypi, "a"), &registry).await;
        assert!(matches!(unknown, Err(Unattested::NoArchive)), "{unknown:?}");
    }
}
