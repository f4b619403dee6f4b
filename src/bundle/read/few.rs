//! Lists that hold one item almost always: the first of it stands by itself, and only so many of the rest are kept.

use std::fmt;
use std::marker::PhantomData;

use airtight_keys::strict_json::Object;
use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};

use crate::bundle::ENTRIES_MAX;

/// The items of a list: the first, at most [`ENTRIES_MAX`] - 1 of the rest, and how many there are. A vector of these large items would cost more than
/// reading the one that there is.
pub(super) struct Few<T> {
    pub(super) first: Option<T>,
    pub(super) rest: Vec<T>,
    pub(super) count: usize,
}

impl<T> Default for Few<T> {
    fn default() -> Few<T> {
        Few { first: None, rest: Vec::new(), count: 0 }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Few<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Few<T>, D::Error> {
        struct Items<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Items<T> {
            type Value = Few<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut items: S) -> Result<Few<T>, S::Error> {
                let mut few = Few::default();
                while let Some(Object(item)) = items.next_element::<Object<T>>()? {
                    few.count += 1;
                    if few.first.is_none() {
                        few.first = Some(item);
                    } else if few.count <= ENTRIES_MAX {
                        few.rest.push(item);
                    }
                }
                Ok(few)
            }
        }
        from.deserialize_seq(Items(PhantomData))
    }
}
