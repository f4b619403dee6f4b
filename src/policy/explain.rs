//! Says in sentences what a policy asks, so that whoever answers for it can hear whether it is what they meant.

use super::identity::{IdentityRule, Pattern};
use super::times::at;
use super::{Asked, Digests, Named, Policy, Requirement, Signer, Valid};

impl Policy {
    /// Returns the policy as lines of text.
    pub fn explain(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(title) = &self.title {
            lines.push(title.clone());
        }
        let count = self.require.len();
        lines.push(match count {
            1 => "Of an artifact one thing is asked:".to_owned(),
            _ => format!("Of an artifact {count} things are asked, all together:"),
        });
        for (number, requirement) in (1..).zip(&self.require) {
            self.explain_one(number, requirement, &mut lines);
        }
        for link in &self.links {
            let (one, other) = (&self.require[link.one].name, &self.require[link.other].name);
            let (at, other_at) = (&link.at, &link.other_at);
            lines.push(match link.digests {
                None => format!("What {one} says at {at} must be what {other} says at {other_at}."),
                Some(Digests::Equal) => {
                    format!(
                        "The digests of {one} at {at} must be those of {other} at {other_at}, all of them and no other."
                    )
                }
                Some(Digests::Within) => {
                    format!("Every digest of {one} at {at} must be among those of {other} at {other_at}.")
                }
            });
        }
        if !self.crls.is_empty() {
            let crls = self.crls.join(", ");
            lines.push(format!("A certificate counts where revocation lists show that it was not revoked: {crls}."));
        }
        if let Some(witnesses) = &self.witnesses {
            lines.push(format!(
                "Each that counts lies under a checkpoint that witnesses have cosigned, {witnesses}; else it is weaker than asked."
            ));
        }
        lines.push(
            "What is missing, or of another signer or content, is refused. Other attestations do no harm.".to_owned(),
        );
        lines
    }

    fn explain_one(&self, number: usize, requirement: &Requirement, lines: &mut Vec<String>) {
        let Requirement { name, types, signers, by, subject, fields, .. } = requirement;
        lines.push(format!("{number}. {name}: an attestation of type {}.", types.join(" or ")));
        let mut say = |sentence: String| lines.push(format!("   {sentence}"));
        let who: Vec<String> = by.iter().map(|place| self.said_signer(*place)).collect();
        say(match (*signers, who.len()) {
            (1, 1) => format!("It is signed by {}.", who[0]),
            (1, _) => format!("It is signed by any of: {}.", who.join("; ")),
            (count, _) => format!("{count} of these have each signed one: {}.", who.join("; ")),
        });
        if !subject.is_empty() {
            let names: Vec<String> = subject.iter().map(|pattern| format!("{:?}", pattern.to_string())).collect();
            say(format!("It calls the artifact {}.", names.join(" or ")));
        }
        for field in fields {
            say(match &field.asked {
                Asked::Present => format!("It says something at {}.", field.at),
                asked => format!("It says {asked} at {}.", field.at),
            });
        }
        let Requirement { logged_in, publicly_logged, unlogged, not_before, not_after, max_age_days, .. } = requirement;
        let mut weaker = Vec::new();
        if !logged_in.is_empty() {
            let logs: Vec<String> = logged_in
                .iter()
                .map(|place| format!("{} ({})", self.logs[*place].name, self.logs[*place].is.id))
                .collect();
            weaker.push(format!("is logged in {}", logs.join(" or ")));
        }
        if *publicly_logged {
            let public = self.logs.iter().filter(|log| log.is.is_public).map(|log| log.name.as_str());
            weaker.push(format!("is in a public log ({})", public.collect::<Vec<_>>().join(" or ")));
        }
        if let Some(time) = not_before {
            weaker.push(format!("was not there before {}", at(*time)));
        }
        if let Some(time) = not_after {
            weaker.push(format!("was there by {}", at(*time)));
        }
        if let Some(days) = max_age_days {
            weaker.push(format!("is at most {days} days old"));
        }
        if !weaker.is_empty() {
            say(format!("It {}; else it is weaker than asked.", weaker.join(", and ")));
        }
        if *unlogged {
            say("It may be in no log at all, so that nobody but those it is handed to may know of it.".to_owned());
        }
        if not_before.is_some() || not_after.is_some() || max_age_days.is_some() {
            say("All that a log or a time stamp authority says of when it was there must be so.".to_owned());
        }
    }

    fn said_signer(&self, place: usize) -> String {
        let Named { name, is } = &self.signers[place];
        match is {
            Signer::Key { id, valid: Valid::Always, .. } => format!("{name} (key {id})"),
            Signer::Key { id, valid, .. } => format!("{name} (key {id}, which counts {})", valid.said(&self.logs)),
            Signer::Identity(IdentityRule { name: subject, issuer, claims }) => {
                let mut said = format!("{name} (a certificate for {}, by the word of {}", told(subject), told(issuer));
                for (claim, value) in claims {
                    said.push_str(&format!(", whose {claim} is {value:?}"));
                }
                said + ")"
            }
        }
    }
}

/// Says what a subject or an issuer must be.
fn told(wanted: &Option<Pattern>) -> String {
    match wanted {
        Some(Pattern::Exactly(text)) => format!("{text:?}"),
        Some(Pattern::Matching(expression)) => format!("whatever the expression {:?} matches whole", expression.text()),
        None => "anyone".to_owned(),
    }
}
