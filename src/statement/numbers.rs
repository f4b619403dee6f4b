//! Numbers that every reader of a statement can hold: those that are finite in 64 bits (IEEE 754).
//!
//! JSON has no bound (RFC 8259 §6). protobuf's reader, by which sigstore-go and both cosigns read statements, refuses a number such as `1e400`; others take it
//! for infinity.

/// Finds the first number in a JSON text that is beyond the range. The text has been scanned before: it is JSON.
pub(super) fn beyond_range(json: &str) -> Option<&str> {
    let bytes = json.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let from = at;
        at += 1;
        match byte {
            b'"' => at = behind_string(bytes, at),
            b'-' | b'0'..=b'9' => {
                let is_of_it = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
                at += bytes[at..].iter().take_while(|byte| is_of_it(byte)).count();
                if json[from..at].parse::<f64>().is_ok_and(f64::is_infinite) {
                    return Some(&json[from..at]);
                }
            }
            _ => {}
        }
    }
    None
}

/// Returns where a string ends of which the first quote has been read.
fn behind_string(bytes: &[u8], mut at: usize) -> usize {
    loop {
        match bytes.get(at) {
            Some(b'"') => return at + 1,
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
            None => return at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_within_what_all_readers_hold() {
        let largest = "1.7976931348623157e308";
        for (json, expected) in [
            (r#"{"a":[1,-2.5e-3,0]}"#, None),
            (&format!(r#"{{"a":{largest},"b":-{largest}}}"#), None),
            (r#"{"a":1e-400,"b":0e999,"c":123456789012345678901234567890}"#, None),
            (r#"{"a":"1e400","1e400":"\\"}"#, None),
            (r#"{"a":"\"1e400,"}"#, None),
            (r#"{"a":1e400}"#, Some("1e400")),
            (r#"{"a":"\\","b":[{"c":-1E+309 }]}"#, Some("-1E+309")),
            (r#"{"a":1.7976931348623159e308}"#, Some("1.7976931348623159e308")),
            (&format!(r#"{{"a":{}}}"#, "9".repeat(310)), Some(&*"9".repeat(310))),
        ] {
            assert_eq!(beyond_range(json), expected, "{json}");
        }
    }
}
