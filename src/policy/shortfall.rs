//! What an attestation, a requirement or a link falls short of, each with its code; `docs/VERIFY.md` has them in a table.

/// What an attestation lacks.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Shortfall {
    /// There is no attestation of the type.
    #[error("there is no attestation of {types}")]
    Missing {
        /// The types that would do.
        types: String,
    },
    /// Another one signed.
    #[error("{label} was signed by {found}, and {wanted} was asked for")]
    Signer {
        /// The attestation.
        label: String,
        /// Who signed, named by the policy where it knows them.
        found: String,
        /// Who would do.
        wanted: String,
    },
    /// The signer's key was not theirs there or then.
    #[error("{label} was signed by {signer}, whose key counts {counts}, and it is {found}")]
    KeyNotValid {
        /// The attestation.
        label: String,
        /// The signer.
        signer: String,
        /// Where or when the key counts.
        counts: String,
        /// Where or when the attestation is.
        found: String,
    },
    /// The statement gives the artifact another name.
    #[error("{label} calls the artifact {found}, and {wanted} was asked for")]
    Subject {
        /// The attestation.
        label: String,
        /// What it says.
        found: String,
        /// What would do.
        wanted: String,
    },
    /// A field of the statement says something else, or is not there.
    #[error("{label} has {found} at {at}, and {wanted} was asked for")]
    Field {
        /// The attestation.
        label: String,
        /// The JSON pointer.
        at: String,
        /// What stands there.
        found: String,
        /// What would do.
        wanted: String,
    },
    /// Too few signers.
    #[error("{found} of {wanted} signers: {names}")]
    Threshold {
        /// How many there are.
        found: usize,
        /// How many there must be.
        wanted: usize,
        /// Who they are.
        names: String,
    },
    /// The entry is in another log.
    #[error("{label} is logged in {found}, and {wanted} was asked for")]
    OtherLog {
        /// The attestation.
        label: String,
        /// Which.
        found: String,
        /// What would do.
        wanted: String,
    },
    /// There is no entry, and the requirement does not say that none will do.
    #[error("{label} has no entry of a log, and the requirement does not say `unlogged: true`")]
    Unlogged {
        /// The attestation.
        label: String,
    },
    /// No public log shows the entry.
    #[error("{label} is logged in {found}, and in no public log")]
    NotPublic {
        /// The attestation.
        label: String,
        /// Which.
        found: String,
    },
    /// Too few of the witnesses have cosigned.
    #[error("{label} lies under no checkpoint that the witnesses have cosigned: {wanted}")]
    NotWitnessed {
        /// The attestation.
        label: String,
        /// Who should have.
        wanted: String,
    },
    /// No time is proven, and one was asked for.
    #[error("{label} has no proven time: neither a log nor an authority of the trusted root signed for one")]
    TimeUnproven {
        /// The attestation.
        label: String,
    },
    /// It is from before the time asked for.
    #[error("{label} is of {found}, before {wanted}")]
    TooEarly {
        /// The attestation.
        label: String,
        /// When it was there, and by whose word.
        found: String,
        /// From when on it would do.
        wanted: String,
    },
    /// It is from after the time asked for.
    #[error("{label} is of {found}, after {wanted}")]
    TooLate {
        /// The attestation.
        label: String,
        /// When it was there, and by whose word.
        found: String,
        /// Up to when it would do.
        wanted: String,
    },
    /// It is older than asked.
    #[error("{label} is of {found}, {days} days old, and at most {wanted} were asked for")]
    TooOld {
        /// The attestation.
        label: String,
        /// When it was there, and by whose word.
        found: String,
        /// Its age in whole days.
        days: u64,
        /// The most that would do.
        wanted: u32,
    },
    /// No value of the one attestation is that of the other.
    #[error("{one} is {found}, and {other} is {wanted}")]
    Link {
        /// Which value of which requirement.
        one: String,
        /// What it is.
        found: String,
        /// Which value of which requirement.
        other: String,
        /// What it is.
        wanted: String,
    },
    /// The digests in the one attestation are not those in the other.
    #[error("{one} and {other}: {cause}")]
    LinkDigests {
        /// Which digests of which requirement: the former.
        one: String,
        /// Which digests of which requirement: the latter.
        other: String,
        /// What is wrong.
        cause: String,
    },
}

impl Shortfall {
    /// Every code, in the order of the variants.
    pub const CODES: [&'static str; 14] = [
        "required_missing",
        "required_signer",
        "required_key_validity",
        "required_subject",
        "required_field",
        "required_threshold",
        "required_log",
        "required_public_log",
        "required_witnesses",
        "required_time_unproven",
        "required_not_before",
        "required_not_after",
        "required_max_age",
        "required_link",
    ];

    /// The code, stable.
    pub fn code(&self) -> &'static str {
        Self::CODES[self.place()]
    }

    /// The place of its code; of two, the later is of an attestation that comes nearer.
    pub(super) fn place(&self) -> usize {
        match self {
            Shortfall::Missing { .. } => 0,
            Shortfall::Signer { .. } => 1,
            Shortfall::KeyNotValid { .. } => 2,
            Shortfall::Subject { .. } => 3,
            Shortfall::Field { .. } => 4,
            Shortfall::Threshold { .. } => 5,
            Shortfall::OtherLog { .. } | Shortfall::Unlogged { .. } => 6,
            Shortfall::NotPublic { .. } => 7,
            Shortfall::NotWitnessed { .. } => 8,
            Shortfall::TimeUnproven { .. } => 9,
            Shortfall::TooEarly { .. } => 10,
            Shortfall::TooLate { .. } => 11,
            Shortfall::TooOld { .. } => 12,
            Shortfall::Link { .. } | Shortfall::LinkDigests { .. } => 13,
        }
    }
}
