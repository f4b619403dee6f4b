//! Changes one scalar of an `airtight.yaml` that a person wrote, and not a byte beside it.
//!
//! Only one form is changed, the one that `init` writes and the contract shows:
//!
//! ```yaml
//! Signals:
//!   Provenance:
//!     RekorEnabled: false   # any comment
//! ```
//!
//! No YAML writer is asked, for it would lose comments and layout. A line that holds `RekorEnabled:` and `true` or `false` is a
//! candidate; its scalar is exchanged, and the whole is read again: the settings must be the same but for that one. So a
//! line in a comment, in a text of several lines or in another section can be a candidate and never the one. Where none is, the
//! file is left as it is and the refusal says what to write.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::durable;

use super::{Config, ConfigError, FILE_LEN_MAX, FILE_NAME};

impl Config {
    /// Returns a text of settings with `Signals.Provenance.RekorEnabled` set; the same text where it is so already.
    ///
    /// # Errors
    /// As [`Config::parse`]; [`ConfigError::NotEditable`] where the member is not a line of its own.
    pub fn with_rekor_enabled(text: &str, enabled: bool) -> Result<String, ConfigError> {
        let mut wanted = Config::parse(text)?;
        if wanted.signals.provenance.rekor_enabled == enabled {
            return Ok(text.to_owned());
        }
        wanted.signals.provenance.rekor_enabled = enabled;
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            if let Some((at, len)) = scalar(line) {
                let (before, after) = (&text[..start + at], &text[start + at + len..]);
                let edited = format!("{before}{enabled}{after}");
                if Config::parse(&edited).is_ok_and(|met| met == wanted) {
                    return Ok(edited);
                }
            }
            start += line.len();
        }
        Err(ConfigError::NotEditable { wanted: enabled })
    }

    /// Sets `Signals.Provenance.RekorEnabled` in the settings of the site directory `home`, durably; says whether the file changed.
    ///
    /// # Errors
    /// As [`Config::load`] and [`Config::with_rekor_enabled`]; [`ConfigError::File`] where the file cannot be written. The file is
    /// the old one or the new one.
    pub fn set_rekor_enabled(home: &Path, enabled: bool) -> Result<bool, ConfigError> {
        let text = read_text(home)?;
        let edited = Config::with_rekor_enabled(&text, enabled)?;
        if edited == text {
            return Ok(false);
        }
        let path = home.join(FILE_NAME);
        durable::replace(&path, edited.as_bytes(), durable::Mode::Public)
            .map_err(|source| ConfigError::File { path, source })?;
        Ok(true)
    }
}

/// Reads the text of the settings of a site directory.
pub(super) fn read_text(home: &Path) -> Result<String, ConfigError> {
    let path = home.join(FILE_NAME);
    let mut bytes = Vec::new();
    #[expect(clippy::disallowed_methods, reason = "the settings are a file, and this is the room that reads it")]
    let opened = File::open(&path);
    opened
        .and_then(|file| file.take(FILE_LEN_MAX + 1).read_to_end(&mut bytes))
        .map_err(|source| ConfigError::File { path, source })?;
    if bytes.len() as u64 > FILE_LEN_MAX {
        return Err(ConfigError::TooLarge { len: bytes.len() as u64, max: FILE_LEN_MAX });
    }
    String::from_utf8(bytes).map_err(|error| ConfigError::NotText { offset: error.utf8_error().valid_up_to() })
}

/// Returns where in a line `RekorEnabled: true` or `false` has its scalar, and how long that is.
fn scalar(line: &str) -> Option<(usize, usize)> {
    let blank = |c: char| matches!(c, ' ' | '\t');
    let value = line.trim_start_matches(' ').strip_prefix("RekorEnabled:")?;
    let word = value.strip_prefix(blank)?.trim_start_matches(blank);
    let at = line.len() - word.len();
    let len = ["true", "false"].into_iter().find(|scalar| word.starts_with(scalar))?.len();
    let rest = &word[len..];
    let ends =
        rest.trim_end_matches(['\r', '\n', ' ', '\t']).is_empty() || rest.trim_start_matches(blank).starts_with('#');
    // A `#` without a blank before it is a part of the scalar; reading it again says so.
    ends.then_some((at, len))
}

#[cfg(test)]
mod tests {
    use super::super::tests::site;
    use super::*;

    const LOG: &str = "Log: {Origin: a, TreeId: 1, Created: \"2026-11-21T03:00:00Z\", Epoch: 1}\n";

    #[test]
    fn one_word_changes_and_nothing_beside_it() {
        let whole = site().render();
        let enabled = Config::with_rekor_enabled(&whole, true).unwrap();
        assert_eq!(enabled, whole.replace("RekorEnabled: false", "RekorEnabled: true"));
        assert_eq!(Config::with_rekor_enabled(&enabled, true).unwrap(), enabled);
        assert_eq!(Config::with_rekor_enabled(&enabled, false).unwrap(), whole);
    }

    #[test]
    fn comments_layout_and_decoys_stay() {
        let text = format!(
            "# RekorEnabled: true\r\nSignals:\r\n  Provenance:\r\n\r\n      # our rule:\r\n      #    RekorEnabled: true\r\n      \
             RekorEnabled: \t true \t # RekorEnabled: true, until {{}} [\r\n  Signing:\r\n    KeyId: >-\r\n      \
             RekorEnabled: true\r\n{LOG}# the end, without a line feed"
        );
        let edited = Config::with_rekor_enabled(&text, false).unwrap();
        assert_eq!(edited, text.replace("RekorEnabled: \t true \t", "RekorEnabled: \t false \t"));
        assert_eq!(Config::parse(&edited).unwrap().signals.signing.key_id, "RekorEnabled: true");
        assert_eq!(Config::with_rekor_enabled(&edited, true).unwrap(), text);
    }

    #[test]
    fn another_form_is_left_as_it_is() {
        let texts = [
            format!("Signals: {{Provenance: {{RekorEnabled: true}}}}\n{LOG}"),
            format!("Signals:\n  Provenance: {{RekorEnabled: true}}\n{LOG}"),
            format!("Signals:\n  Provenance:\n    Enabled: true\n{LOG}"),
            format!("Signals:\n  Provenance:\n    \"RekorEnabled\": true\n{LOG}"),
            format!("Signals:\n  Provenance:\n    RekorEnabled:\n      true\n{LOG}"),
            format!("Signals:\n  Provenance:\n    ? RekorEnabled\n    : true\n{LOG}"),
            format!("{LOG}# RekorEnabled: true\n"),
        ];
        for text in texts {
            assert!(Config::parse(&text).unwrap().signals.provenance.rekor_enabled, "{text}");
            let refused = Config::with_rekor_enabled(&text, false).unwrap_err();
            assert_eq!(refused.code(), "config_not_editable", "{text}");
            assert!(refused.to_string().contains("RekorEnabled: false"), "{refused}");
        }
        assert_eq!(Config::with_rekor_enabled("Signals: {}\n", false).unwrap_err().code(), "config_malformed");
    }

    #[test]
    fn the_file_is_replaced_whole_or_left() {
        let home = tempfile::tempdir().unwrap();
        site().write_new(home.path()).unwrap();
        assert!(!Config::set_rekor_enabled(home.path(), false).unwrap());
        assert!(Config::set_rekor_enabled(home.path(), true).unwrap());
        assert!(Config::load(home.path()).unwrap().signals.provenance.rekor_enabled);
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1, "no temporary file is left");
        let flow = format!("Signals: {{Provenance: {{RekorEnabled: true}}}}\n{LOG}");
        std::fs::write(home.path().join(FILE_NAME), &flow).unwrap();
        assert_eq!(Config::set_rekor_enabled(home.path(), false).unwrap_err().code(), "config_not_editable");
        assert_eq!(std::fs::read_to_string(home.path().join(FILE_NAME)).unwrap(), flow);
    }
}
