//! The way of requests to a log: the transport with its proxy and roots, the clock, the bar, and what is said of the rest.

use airtight::sync::upload::{Progress, Report};
use jiff::Timestamp;
use serde::Serialize;

pub use self::net::{ProcessPowers, transport};

/// Entries that remain, as `--json` shows them.
#[derive(Serialize)]
pub struct Remaining {
    /// The reason.
    pub reason: &'static str,
    /// How many.
    pub entries: u64,
    /// One example of what was met.
    pub met: Option<String>,
}

/// Returns what remains, by reason.
pub fn remaining(report: &Report) -> Vec<Remaining> {
    let one = |(reason, entries): (&airtight::sync::upload::answer::Reason, &u64)| Remaining {
        reason: reason.code(),
        entries: *entries,
        met: report.met.get(reason).cloned(),
    };
    report.remaining.iter().map(one).collect()
}

/// Returns when to come again, RFC 3339 in UTC, where that is known.
pub fn again(report: &Report) -> Option<String> {
    let again_ms = report.stop.as_ref()?.again_ms?;
    Timestamp::from_second(i64::try_from(again_ms.div_ceil(1000)).ok()?).ok().map(|moment| moment.to_string())
}

/// Shows how far an upload is, on a terminal.
pub fn bar() -> impl Fn(Progress) + Sync {
    let bar = std::sync::OnceLock::new();
    move |Progress { done, of }| {
        bar.get_or_init(|| crate::progress::Progress::with_rate("entries", done, of)).at(done, of);
    }
}

mod net {
    use std::fs;
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use airtight::sync::upload::http::{Http, HttpOptions, HttpOptionsError};
    use airtight::sync::upload::transport::Powers;

    use crate::cli::sync::WayArgs;
    use crate::exit::Exit;
    use crate::failure::Failure;

    /// The largest file of certificate authorities, in bytes: all that are public have a quarter of it.
    const CA_LEN_MAX: u64 = 1 << 20;

    /// The clock of the process, its sleep, and its randomness.
    pub struct ProcessPowers;

    impl Powers for ProcessPowers {
        fn now_ms(&self) -> u64 {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        }

        fn sleep_ms(&self, ms: u64) {
            std::thread::sleep(Duration::from_millis(ms));
        }

        fn random(&self) -> u64 {
            // Without chance all waits have their full length: slower, and nothing else.
            getrandom::u64().unwrap_or(u64::MAX)
        }
    }

    /// Gets HTTP ready for an address.
    ///
    /// # Errors
    /// `ca_unreadable`, `ca_malformed`, `proxy_refused`.
    pub fn transport(url: &str, timeout_s: u32, way: &WayArgs) -> Result<Http, Failure> {
        let ca = match &way.ca {
            Some(path) => {
                let unreadable = |error: &std::io::Error| {
                    Failure::by_system("ca_unreadable", format!("{}: {error}", path.display()), error)
                };
                let len = fs::metadata(path).map_err(|error| unreadable(&error))?.len();
                if len > CA_LEN_MAX {
                    let message = format!("{} has {len} bytes, at most {CA_LEN_MAX} are read", path.display());
                    return Err(Failure::new(Exit::Malformed, "ca_malformed", message));
                }
                Some(fs::read(path).map_err(|error| unreadable(&error))?)
            }
            None => None,
        };
        let options = HttpOptions {
            timeout_s: u64::from(timeout_s),
            parallel: way.parallel,
            ca,
            proxy: proxy_for(url, |name| std::env::var(name).ok()),
        };
        Http::new(&options).map_err(|error| {
            let message = error.to_string();
            match error {
                HttpOptionsError::Ca { .. } => Failure::new(Exit::Malformed, "ca_malformed", message)
                    .next("name a file of certificates in PEM: -----BEGIN CERTIFICATE-----"),
                HttpOptionsError::Proxy { .. } => Failure::new(Exit::Usage, "proxy_refused", message)
                    .next("set HTTPS_PROXY to an address like http://proxy.example:3128, or unset it"),
            }
        })
    }

    /// Returns the proxy for an address as the environment names it: in lower case first, as others do.
    fn proxy_for(url: &str, variable: impl Fn(&str) -> Option<String>) -> Option<String> {
        let of = |name: &str| {
            let found = variable(name).or_else(|| variable(&name.to_ascii_uppercase()));
            found.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        let (scheme, rest) = url.split_once("://")?;
        let host = rest.split(['/', '?']).next().unwrap_or(rest).to_ascii_lowercase();
        let name = if host.starts_with('[') {
            host.split(']').next().unwrap_or_default().trim_start_matches('[').to_owned()
        } else {
            host.split(':').next().unwrap_or_default().to_owned()
        };
        let excepted = of("no_proxy").is_some_and(|list| {
            list.split([',', ' ']).map(|entry| entry.trim().to_ascii_lowercase()).any(|entry| {
                let suffix = entry.trim_start_matches("*.").trim_start_matches('.');
                entry == "*"
                    || (!suffix.is_empty()
                        && (name == suffix || host == suffix || name.ends_with(&format!(".{suffix}"))))
            })
        });
        if excepted {
            return None;
        }
        of(&format!("{scheme}_proxy")).or_else(|| of("all_proxy"))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        fn proxy(url: &str, set: &[(&str, &str)]) -> Option<String> {
            proxy_for(url, |name| set.iter().find(|(met, _)| *met == name).map(|(_, value)| (*value).to_owned()))
        }

        #[test]
        fn a_proxy_is_for_its_scheme_and_not_for_what_is_excepted() {
            let set = [
                ("https_proxy", "http://a:1"),
                ("HTTP_PROXY", "http://b:2"),
                ("NO_PROXY", "local.example,10.0.0.1,[::1]:3000"),
            ];
            assert_eq!(proxy("https://rekor.example", &set).as_deref(), Some("http://a:1"));
            assert_eq!(proxy("http://rekor.example:3000/x", &set).as_deref(), Some("http://b:2"));
            for near in
                ["http://local.example:3000", "https://rekor.local.example", "http://10.0.0.1:3", "http://[::1]:3000"]
            {
                assert_eq!(proxy(near, &set), None, "{near}");
            }
            assert_eq!(proxy("https://notlocal.example", &set).as_deref(), Some("http://a:1"));
            assert_eq!(
                proxy("https://rekor.example", &[("ALL_PROXY", "socks5://c:3")]).as_deref(),
                Some("socks5://c:3")
            );
            assert_eq!(proxy("https://rekor.example", &[("https_proxy", "x"), ("no_proxy", "*")]), None);
            assert_eq!(proxy("https://rekor.example", &[("https_proxy", "")]), None);
        }
    }
}
