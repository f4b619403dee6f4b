//! The way to Rekor and back: what would be sent, who sends it, and what counts as an answer.
//!
//! | file | what |
//! |---|---|
//! | [`target`] | where entries go, and the key that answers are checked under |
//! | [`targets`] | the targets of a site: those that its log names, with the files that the log says they have |
//! | [`request`] | the one text that is posted for an entry, and the leaf that the log must make of it |
//! | [`approval`] | which plans were approved, and by whom that counts |
//! | [`export`] | the requests of all entries that wait |
//! | [`plan`] | what would become public, before it does |
//! | [`receipt`] | what a log answered: read, verified, kept, and the upgraded bundle |
//! | [`import`] | answers verified, and what holds said in the log |
//! | [`kept`] | receipts and anchors given out again |
//! | [`status`] | where all entries stand, counted, and which wait |
//! | [`anchor`] | one entry there over a checkpoint of ours, which covers all below it |
//! | [`timestamp`] | time stamps for upgraded bundles: asked for, read, verified before they count |
//! | [`upload`] | the postman: takes an outbox pack, asks a log for each entry, writes the answers down |
//!
//! Nothing here holds a file or a socket. What reaches outside is a trait that the caller hands in; the one transport over
//! HTTP stands in `upload::http`, behind the feature `net`.

pub mod anchor;
pub mod approval;
pub mod export;
pub mod import;
pub mod kept;
pub mod plan;
pub mod receipt;
pub mod request;
pub mod status;
pub mod target;
pub mod targets;
pub mod timestamp;
pub mod upload;
