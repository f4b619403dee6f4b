//! The postman against a log that is scripted.
