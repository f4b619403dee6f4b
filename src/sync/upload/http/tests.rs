//! HTTP against a real server of some lines, on loopback.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use super::*;

/// Serves one connection after another, each with what `speak` does once the request is read; hands the requests out.
fn serve(speak: impl Fn(&mut TcpStream) + Send + 'static) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (hand, requests) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            while let Some(request) = read_request(&mut stream) {
                if hand.send(request).is_err() {
                    return;
                }
                speak(&mut stream);
            }
        }
    });
    (url, requests)
}

/// Reads one request, head and body; nothing where the connection was closed.
fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut byte = [0u8; 1];
    while !bytes.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => bytes.push(byte[0]),
            _ => return None,
        }
    }
    let head = String::from_utf8(bytes).unwrap();
    let length = head.to_ascii_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).unwrap();
    Some(head + &String::from_utf8(body).unwrap())
}

fn says(text: impl Into<Vec<u8>>) -> impl Fn(&mut TcpStream) {
    let text = text.into();
    move |stream| {
        let _ = stream.write_all(&text);
    }
}

fn http(timeout_s: u64) -> Http {
    Http::new(&HttpOptions { timeout_s, parallel: 2, ..HttpOptions::default() }).unwrap()
}

fn post(url: &str, timeout_s: u64, len_max: usize) -> Result<Reply, TransportError> {
    http(timeout_s).call(&Call { method: Method::Post, url, body: b"{\"a\":1}", len_max })
}

#[test]
fn a_request_is_json_as_it_stands_and_an_answer_of_any_status_comes_back_whole() {
    for status in ["201 Created", "409 Conflict", "429 Too Many", "500 Oh", "405 No"] {
        let text = format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\nRetry-After: 7\r\nX-Log-Index: 5\r\n\r\nab");
        let (url, requests) = serve(says(text));
        let reply = post(&format!("{url}/x"), 5, 100).unwrap();
        assert_eq!((reply.status.to_string(), reply.body.as_slice()), (status[..3].to_owned(), b"ab".as_slice()));
        assert_eq!((reply.header("retry-after"), reply.header("x-log-index")), (Some("7"), Some("5")));
        let request = requests.recv().unwrap();
        assert!(request.starts_with("POST /x HTTP/1.1\r\n") && request.ends_with("\r\n\r\n{\"a\":1}"), "{request}");
        let request = request.to_ascii_lowercase();
        assert!(request.contains("content-type: application/json\r\n") && request.contains("user-agent: airtight/"));
        assert!(!request.contains("accept-encoding: gzip"));
    }
}

#[test]
fn a_redirect_is_an_answer_and_nobody_else_is_asked() {
    let (other, asked) = serve(says("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"));
    for status in [301, 302, 303, 307, 308] {
        let (url, _requests) =
            serve(says(format!("HTTP/1.1 {status} Moved\r\nLocation: {other}/\r\nContent-Length: 0\r\n\r\n")));
        assert_eq!(post(&url, 5, 100).unwrap().status, status);
        let reply = http(5).call(&Call { method: Method::Get, url: &url, body: b"", len_max: 100 }).unwrap();
        assert_eq!(reply.status, status);
    }
    assert!(asked.try_recv().is_err());
}

#[test]
fn an_answer_without_end_is_not_read_to_its_end() {
    let (url, _requests) = serve(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        while stream.write_all(b"10\r\n0123456789abcdef\r\n").is_ok() {}
    });
    assert_eq!(post(&url, 30, 1000), Err(TransportError::TooLarge { max: 1000 }));
    let (url, _requests) = serve(says("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nabc"));
    assert!(matches!(post(&url, 2, 1000), Err(TransportError::TooLarge { .. } | TransportError::Lost { .. })));
    let (url, _requests) = serve(says(format!("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{}", "x".repeat(1000))));
    assert_eq!(post(&url, 5, 1000).unwrap().body.len(), 1000, "the limit itself is no excess");
    let (url, _requests) = serve(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(b"x-more: and more and more and more\r\n").is_ok() {}
    });
    assert!(matches!(post(&url, 30, 1000), Err(TransportError::Lost { .. })));
}

#[test]
fn a_connection_that_breaks_is_a_lost_answer() {
    let close = |stream: &mut TcpStream| stream.shutdown(std::net::Shutdown::Both).unwrap();
    let (url, _requests) = serve(close);
    assert!(matches!(post(&url, 5, 100), Err(TransportError::Lost { .. })), "closed without an answer");
    let (url, _requests) = serve(move |stream| {
        says("HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\nhalf")(stream);
        close(stream);
    });
    assert!(matches!(post(&url, 5, 1000), Err(TransportError::Lost { .. })), "closed in the middle of the body");
    let (url, _requests) = serve(says("no HTTP at all\r\n\r\n"));
    assert!(matches!(post(&url, 5, 1000), Err(TransportError::Lost { .. })));
}

#[test]
fn a_connection_that_is_refused_hands_nothing_over() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert!(matches!(post(&format!("http://{address}"), 5, 100), Err(TransportError::Unreachable { .. })));
    // What the system says where no name server answers: asking one is not for a test.
    let unknown = io::Error::other("failed to lookup address information: Temporary failure in name resolution");
    for error in [Error::HostNotFound, Error::Io(unknown), Error::Timeout(Timeout::Connect)] {
        assert!(matches!(failed(&error, 100), TransportError::Unreachable { .. }), "{error}");
    }
    for error in [Error::Timeout(Timeout::Global), Error::Io(io::ErrorKind::UnexpectedEof.into())] {
        assert!(matches!(failed(&error, 100), TransportError::Lost { .. }), "{error}");
    }
}

#[test]
fn a_server_that_says_nothing_is_given_up_on_in_the_time_given() {
    let (url, _requests) = serve(|_| std::thread::sleep(Duration::from_secs(20)));
    let start = Instant::now();
    let error = post(&url, 1, 100).unwrap_err();
    assert_eq!(error, TransportError::Lost { said: "no answer in the time given".into() });
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_server_that_is_not_trusted_is_handed_nothing() {
    // It speaks no TLS at all, which is as far as a test without keys goes.
    let (url, requests) = serve(says("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"));
    let url = url.replace("http://", "https://");
    assert!(post(&url, 3, 100).is_err());
    assert!(requests.try_recv().is_err());
}

#[test]
fn a_connection_is_used_again() {
    let (url, requests) = serve(says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    let http = http(5);
    for _ in 0..3 {
        // The server serves one connection at a time: a second one would wait for ever.
        http.call(&Call { method: Method::Get, url: &url, body: b"", len_max: 10 }).unwrap();
    }
    assert_eq!(requests.try_iter().count(), 3);
}

#[test]
fn a_proxy_is_asked_in_place_of_the_log() {
    let (proxy, requests) = serve(says("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"));
    let options = HttpOptions { timeout_s: 5, parallel: 1, proxy: Some(proxy), ca: None };
    let http = Http::new(&options).unwrap();
    let answered = http.call(&Call { method: Method::Get, url: "https://log.example/x", body: b"", len_max: 10 });
    assert!(matches!(answered, Err(TransportError::Unreachable { .. })), "{answered:?}");
    assert!(requests.recv().unwrap().starts_with("CONNECT log.example:443 "));
}

#[test]
fn what_is_no_proxy_and_what_is_no_certificate_is_refused() {
    let with = |ca: Option<&[u8]>, proxy: Option<&str>| {
        Http::new(&HttpOptions {
            timeout_s: 1,
            parallel: 1,
            ca: ca.map(<[u8]>::to_vec),
            proxy: proxy.map(str::to_owned),
        })
    };
    assert!(matches!(with(None, Some("gopher://x")), Err(HttpOptionsError::Proxy { .. })));
    for ca in [b"".as_slice(), b"text", b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n"] {
        assert!(matches!(with(Some(ca), None), Err(HttpOptionsError::Ca { .. })));
    }
}
