//! The transport over HTTP: one exchange a call, over TLS by rustls, under the roots of the machine and those that are added.
//!
//! It follows no redirect (what is sent goes to the host that was named, or nowhere), tries nothing twice, reads no more of
//! an answer than it was told to, and gives up after the time it was given. Connections are kept for the next call, but not
//! for long: one that the server has closed meanwhile looks like a lost answer.
//!
//! A proxy is an argument: the environment is read by the face.

use std::io;
use std::time::Duration;

use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Error, Proxy, Timeout};

use super::transport::{Call, Method, Reply, Transport, TransportError};

/// How long a connection is kept that nobody uses, in seconds: below what servers keep it.
const IDLE_S: u64 = 5;
/// How long a connection may take to be made, in seconds, where a call may take longer.
const CONNECT_S_MAX: u64 = 10;
/// The longest headers of an answer, in bytes.
const HEADERS_LEN_MAX: usize = 32 << 10;

/// How HTTP is spoken.
#[derive(Clone, Debug, Default)]
pub struct HttpOptions {
    /// How long one call may take, in seconds.
    pub timeout_s: u64,
    /// How many connections are kept.
    pub parallel: u16,
    /// Further certificate authorities, PEM.
    pub ca: Option<Vec<u8>>,
    /// The address of a proxy, `http://`, `https://` or `socks5://`.
    pub proxy: Option<String>,
}

/// Why HTTP cannot be spoken as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpOptionsError {
    /// The file of certificate authorities holds none.
    #[error("there is no certificate in it: {said}")]
    Ca {
        /// What was met.
        said: String,
    },
    /// The address of the proxy is none.
    #[error("{proxy:?} is no address of a proxy")]
    Proxy {
        /// The address.
        proxy: String,
    },
}

/// HTTP, spoken by `ureq`.
#[derive(Clone, Debug)]
pub struct Http {
    agent: Agent,
}

impl Http {
    /// Gets ready; nothing is connected yet.
    ///
    /// # Errors
    /// [`HttpOptionsError`].
    pub fn new(options: &HttpOptions) -> Result<Http, HttpOptionsError> {
        let proxy = match &options.proxy {
            Some(proxy) => Some(
                Proxy::new(proxy).map_err(|_| HttpOptionsError::Proxy { proxy: proxy.chars().take(80).collect() })?,
            ),
            None => None,
        };
        let roots = match &options.ca {
            Some(ca) => roots_with(ca)?,
            None => RootCerts::PlatformVerifier,
        };
        let timeout = Duration::from_secs(options.timeout_s);
        let kept = usize::from(options.parallel.max(1));
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(timeout))
            .timeout_connect(Some(timeout.min(Duration::from_secs(CONNECT_S_MAX))))
            .proxy(proxy)
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .user_agent(concat!("airtight/", env!("CARGO_PKG_VERSION")))
            .max_response_header_size(HEADERS_LEN_MAX)
            .max_idle_connections(kept)
            .max_idle_connections_per_host(kept)
            .max_idle_age(Duration::from_secs(IDLE_S))
            .build();
        Ok(Http { agent: config.new_agent() })
    }
}

/// Returns the machine's roots and those of a PEM file.
fn roots_with(pem: &[u8]) -> Result<RootCerts, HttpOptionsError> {
    let mut roots: Vec<Certificate<'static>> = Vec::new();
    for item in parse_pem(pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => roots.push(certificate),
            Ok(_) => {}
            Err(error) => return Err(HttpOptionsError::Ca { said: error.to_string() }),
        }
    }
    if roots.is_empty() {
        return Err(HttpOptionsError::Ca { said: "no PEM block of a certificate".into() });
    }
    let native = rustls_native_certs::load_native_certs().certs;
    roots.extend(native.iter().map(|certificate| Certificate::from_der(certificate.as_ref()).to_owned()));
    Ok(roots.into())
}

impl Transport for Http {
    fn call(&self, call: &Call<'_>) -> Result<Reply, TransportError> {
        let answered = match call.method {
            Method::Get => self.agent.get(call.url).header("accept", "*/*").call(),
            Method::Post => self
                .agent
                .post(call.url)
                .header("content-type", "application/json")
                .header("accept", "application/json")
                .send(call.body),
            Method::PostQuery => self
                .agent
                .post(call.url)
                .header("content-type", "application/timestamp-query")
                .header("accept", "application/timestamp-reply")
                .send(call.body),
        };
        let mut response = answered.map_err(|error| failed(&error, call.len_max))?;
        let headers = response.headers().iter();
        let headers = headers
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let status = response.status().as_u16();
        let limit = call.len_max as u64 + 1;
        let body = response.body_mut().with_config().limit(limit).read_to_vec();
        let body = body.map_err(|error| match failed(&error, call.len_max) {
            // An answer that began was asked for.
            TransportError::Unreachable { said } => TransportError::Lost { said },
            other => other,
        })?;
        if body.len() > call.len_max {
            return Err(TransportError::TooLarge { max: call.len_max });
        }
        Ok(Reply { status, headers, body })
    }
}

/// Tells what was never handed over from what may have been. In doubt it may have been.
fn failed(error: &Error, max: usize) -> TransportError {
    let said = match error {
        Error::Timeout(Timeout::Resolve | Timeout::Connect) => "no connection in the time given".to_owned(),
        Error::Timeout(_) => "no answer in the time given".to_owned(),
        Error::HostNotFound => "there is no such host".to_owned(),
        other => other.to_string(),
    };
    let is_unreachable = match error {
        Error::BodyExceedsLimit(_) => return TransportError::TooLarge { max },
        Error::Timeout(Timeout::Resolve | Timeout::Connect)
        | Error::HostNotFound
        | Error::ConnectionFailed
        | Error::ConnectProxyFailed(_)
        | Error::BadUri(_)
        | Error::Http(_)
        | Error::Tls(_)
        | Error::TlsRequired
        | Error::RequireHttpsOnly(_) => true,
        // A server that is not trusted is handed nothing; later errors of TLS come when something was.
        Error::Rustls(_) => said.contains("invalid peer certificate"),
        Error::Io(error) => {
            matches!(
                error.kind(),
                io::ErrorKind::ConnectionRefused
                    | io::ErrorKind::NetworkUnreachable
                    | io::ErrorKind::HostUnreachable
                    | io::ErrorKind::AddrNotAvailable
            ) || said.contains("failed to lookup address")
        }
        _ => false,
    };
    if is_unreachable { TransportError::Unreachable { said } } else { TransportError::Lost { said } }
}

#[cfg(test)]
mod tests;
