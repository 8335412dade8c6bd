use std::fmt;
use std::net::{Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Unsent;

/// Whom certificates are believed.
#[derive(Clone)]
pub struct Roots(Arc<ClientConfig>);

/// The system's root certificates cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system's root certificates cannot be read")]
pub struct BadRoots;

impl Roots {
    /// Those of the system: `SSL_CERT_FILE`, `SSL_CERT_DIR`, or where the system keeps them.
    pub fn of_the_system() -> Result<Self, BadRoots> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() { Err(BadRoots) } else { Ok(Self::of(roots)) }
    }

    pub(super) fn of(roots: RootCertStore) -> Self {
        Self(Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
    }
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Roots").finish_non_exhaustive()
    }
}

/// A machine and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Host {
    /// A name or an address, the latter without brackets.
    pub(super) name: String,
    pub(super) port: u16,
}

impl Host {
    /// Reads the host of an address that has nothing but that and perhaps a port.
    pub(super) fn of(url: &url::Url, port: u16) -> Option<Self> {
        let bare = url.username().is_empty()
            && url.password().is_none()
            && matches!(url.path(), "" | "/")
            && url.query().is_none()
            && url.fragment().is_none();
        let name = url.host_str().filter(|name| bare && !name.is_empty())?;
        let name = name.trim_start_matches('[').trim_end_matches(']').to_owned();
        Some(Self { name, port: url.port().unwrap_or(port) })
    }

    /// Is it this machine, so that nobody on the way can read?
    pub(super) fn is_this_machine(&self) -> bool {
        let address = self.name.parse::<std::net::IpAddr>();
        self.name == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }

    pub(super) fn pair(&self) -> (&str, u16) {
        (&self.name, self.port)
    }

    pub(super) async fn connect(&self) -> Result<Stream, Unsent> {
        let stream = TcpStream::connect(self.pair()).await.map_err(|_| Unsent::Unreachable)?;
        Ok(Stream::Plain(stream))
    }
}

/// A connection, encrypted or not.
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// The same connection, encrypted. One that is encrypted already stays as it is.
    pub(super) async fn encrypt(self, host: &Host, roots: &Roots) -> Result<Self, Unsent> {
        let Self::Plain(stream) = self else { return Ok(self) };
        let name = ServerName::try_from(host.name.clone()).map_err(|_| Unsent::Certificate)?;
        let connector = TlsConnector::from(Arc::clone(&roots.0));
        let stream = connector.connect(name, stream).await.map_err(|error| {
            let said = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>());
            if said.is_some() { Unsent::Certificate } else { Unsent::Unreachable }
        })?;
        Ok(Self::Tls(Box::new(stream)))
    }

    pub(super) fn is_encrypted(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    /// The address on this side.
    pub(super) fn local(&self) -> SocketAddr {
        let stream = match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.get_ref().0,
        };
        stream.local_addr().unwrap_or((Ipv6Addr::LOCALHOST, 0).into())
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
