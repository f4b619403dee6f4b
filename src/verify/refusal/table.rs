//! The macro that makes [`Refusal`](super::Refusal) from its table, so that a variant, its code, its step and its sentence stand in one place.

/// Makes [`Refusal`] from a table of step, code, variant, fields and sentence.
macro_rules! refusals {
    ($( $(#[$doc:meta])* $step:literal $code:literal $variant:ident { $( $(#[$field_doc:meta])* $field:ident : $type:ty ),* } $sentence:literal )*) => {
        /// Why the answer is no.
        #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
        pub enum Refusal {
            /// The file holds no bundle about the artifact (step 1).
            #[error(transparent)]
            Home(#[from] HomeError),
            /// The text is no key-signed bundle (step 1).
            #[error(transparent)]
            Bundle(#[from] BundleError),
            /// The payload is no statement (step 3).
            #[error(transparent)]
            Statement(#[from] StatementError),
            /// The anchor does not hold (step 9).
            #[error(transparent)]
            Anchor(#[from] AnchorRefusal),
            /// A time stamp does not hold (step 9).
            #[error(transparent)]
            Timestamp(#[from] TimestampRefusal),
            $(
                $(#[$doc])*
                #[error($sentence)]
                $variant { $( $(#[$field_doc])* $field: $type ),* },
            )*
        }

        /// The codes of the table, each with its step.
        const OWN: &[(u8, &str)] = &[ $( ($step, $code) ),* ];

        impl Refusal {
            fn own(&self) -> (u8, &'static str) {
                match self {
                    Refusal::Home(error) => (1, error.code()),
                    Refusal::Bundle(error) => (1, error.code()),
                    Refusal::Statement(error) => (3, error.code()),
                    Refusal::Anchor(error) => (9, error.code()),
                    Refusal::Timestamp(error) => (9, error.code()),
                    $( Refusal::$variant { .. } => ($step, $code), )*
                }
            }
        }
    };
}
