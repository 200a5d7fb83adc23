//! Which texts hold which token, how often.
//!
//! Tokens are counted in whole numbers, whatever part of a text weighs; a text
//! is known by its position. What was written is one sorted table, which is
//! searched where it lies.
//!
//! **Invariant:** a list names positions in rising order.

use std::collections::{BTreeMap, HashMap};

use super::bytes::{Reader, numbers, put_number, put_numbers, put_string};
use crate::model::Strings;
use crate::model::tokens::each_token;

/// A text that holds a token, and how often it does.
pub(super) type Held = (u32, u32);

/// Texts by their tokens.
#[derive(Debug, Default)]
pub(super) struct Words {
    written: Vec<Table>,
    fresh: HashMap<String, Vec<Held>>,
}

/// Sorted tokens, each with its list.
#[derive(Debug, Default)]
pub(super) struct Table {
    tokens: Strings,
    ends: Vec<u32>,
    lists: Vec<u8>,
}

impl Words {
    /// Adds a text, in parts that weigh something each; how long it is in all.
    /// It must come behind all that were added before.
    pub(super) fn add(&mut self, text: u32, parts: &[(&str, u32)]) -> u32 {
        let mut length = 0;
        for (part, weight) in parts {
            each_token(part, &mut |token| {
                length += weight;
                let list = match self.fresh.get_mut(token) {
                    Some(list) => list,
                    None => self.fresh.entry(token.to_owned()).or_default(),
                };
                match list.last_mut() {
                    Some((last, count)) if *last == text => *count += weight,
                    _ => list.push((text, *weight)),
                }
            });
        }
        length
    }

    /// The texts that hold a token.
    pub(super) fn list(&self, token: &str) -> Vec<Held> {
        let mut list = Vec::new();
        self.written.iter().for_each(|table| table.list(token.as_bytes(), &mut list));
        list.extend(self.fresh.get(token).into_iter().flatten());
        list
    }

    /// Every token with its list.
    pub(super) fn all(&self) -> BTreeMap<String, Vec<Held>> {
        let mut all: BTreeMap<String, Vec<Held>> = BTreeMap::new();
        for table in &self.written {
            for token in table.tokens.iter() {
                let list = all.entry(String::from_utf8_lossy(token).into_owned()).or_default();
                table.list(token, list);
            }
        }
        for (token, list) in &self.fresh {
            all.entry(token.clone()).or_default().extend(list);
        }
        all
    }

    /// Writes what was added since [`Words::written`], or everything.
    pub(super) fn put(&self, out: &mut Vec<u8>, what: What) {
        let mut table = Table::default();
        match what {
            What::Fresh => {
                let mut sorted: Vec<_> = self.fresh.iter().collect();
                sorted.sort_unstable_by_key(|(token, _)| *token);
                sorted.into_iter().for_each(|(token, list)| table.add(token, list));
            }
            What::All => self.all().iter().for_each(|(token, list)| table.add(token, list)),
        }
        let (tokens, ends) = table.tokens.parts();
        put_string(out, tokens);
        put_numbers(out, ends);
        put_numbers(out, &table.ends);
        put_string(out, &table.lists);
    }

    /// Adds a table that was read.
    pub(super) fn push(&mut self, table: Table) {
        self.written.push(table);
    }

    /// What was added so far has been written.
    pub(super) fn written(&mut self, what: What) {
        let mut out = Vec::new();
        self.put(&mut out, what);
        if what == What::All {
            self.written.clear();
        }
        self.fresh.clear();
        self.push(Table::read(&mut Reader(&out)).expect("what was just written reads back"));
    }
}

/// How much of it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// What is not written yet.
    Fresh,
    /// All there is.
    All,
}

impl Table {
    /// Reads what [`Words::put`] wrote.
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let tokens = Strings::from_parts(reader.string()?.to_vec(), numbers(reader.string()?)?)?;
        let ends = numbers(reader.string()?)?;
        let lists = reader.string()?.to_vec();
        let fits = ends.len() == tokens.len()
            && ends.is_sorted()
            && ends.last().map_or(0, |end| *end as usize) == lists.len();
        fits.then_some(Self { tokens, ends, lists })
    }

    fn add(&mut self, token: &str, list: &[Held]) {
        self.tokens.push(token.as_bytes());
        let mut before = 0;
        for (text, count) in list {
            put_number(&mut self.lists, (text - before) as usize);
            put_number(&mut self.lists, *count as usize);
            before = *text;
        }
        self.ends.push(self.lists.len() as u32);
    }

    /// Adds a token's list to `list`.
    fn list(&self, token: &[u8], list: &mut Vec<Held>) {
        let (mut low, mut high) = (0, self.tokens.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.tokens.get(middle).cmp(token) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return self.list_at(middle, list),
            }
        }
    }

    /// Adds the list of the token at a position; a list that makes no sense ends there.
    fn list_at(&self, position: usize, list: &mut Vec<Held>) {
        let start = if position == 0 { 0 } else { self.ends[position - 1] };
        let mut reader = Reader(&self.lists[start as usize..self.ends[position] as usize]);
        let mut text = 0_u32;
        let next = |reader: &mut Reader<'_>| u32::try_from(reader.number()?).ok();
        while let (Some(step), Some(count)) = (next(&mut reader), next(&mut reader)) {
            let Some(found) = text.checked_add(step) else { return };
            text = found;
            if list.last().is_none_or(|(last, _)| *last < text) {
                list.push((text, count));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_is_found_in_what_was_written_and_in_what_was_not() {
        let mut words = Words::default();
        assert_eq!(words.add(0, &[("fix login", 2), ("the login form", 1)]), 6);
        words.written(What::Fresh);
        words.add(3, &[("login", 1)]);
        words.written(What::Fresh);
        words.add(7, &[("forms", 1)]);
        for _ in 0..2 {
            assert_eq!(words.list("login"), [(0, 3), (3, 1)]);
            assert_eq!(words.list("form"), [(0, 1), (7, 1)]);
            assert_eq!(words.list("house"), []);
            words.written(What::All);
        }
    }

    proptest! {
        #[test]
        fn whatever_is_written_when_the_lists_are_the_same(
            texts in proptest::collection::vec(("[a-d ]{0,6}", 0..3_u8), 0..9),
        ) {
            let (mut plain, mut written) = (Words::default(), Words::default());
            for (position, (text, when)) in (0..).zip(&texts) {
                plain.add(position, &[(text, 1)]);
                written.add(position, &[(text, 1)]);
                match when {
                    0 => written.written(What::Fresh),
                    1 => written.written(What::All),
                    _ => {}
                }
            }
            assert_eq!(written.all(), plain.all());
            for (token, list) in plain.all() {
                assert_eq!(written.list(&token), list);
            }
        }

        #[test]
        fn rubbish_is_refused_or_can_be_asked(bytes: Vec<u8>) {
            if let Some(table) = Table::read(&mut Reader(&bytes)) {
                let words = Words { written: vec![table], ..Words::default() };
                words.list("login");
                words.all();
            }
        }
    }
}
