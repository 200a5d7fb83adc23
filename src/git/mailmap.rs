//! Who is who: names and addresses that are one person's, as `.mailmap` of a
//! commit says.

use super::repo::Repo;
use crate::error::Result;
use crate::model::{Author, Oid};

/// A mailmap, empty where there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mailmap {
    text: String,
}

impl Mailmap {
    /// The one that a commit holds.
    pub fn of(repo: &Repo, commit: Oid) -> Result<Self> {
        let found = repo.read().files(&[(commit, ".mailmap")])?;
        let text = found.into_iter().flatten().next().unwrap_or_default();
        Ok(Self::new(&text))
    }

    /// The one of this text.
    pub fn new(text: &[u8]) -> Self {
        Self { text: String::from_utf8_lossy(text).into_owned() }
    }

    /// What it says.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The people behind these authors, in their order.
    pub fn resolve(&self, authors: impl IntoIterator<Item = Author>) -> Vec<Author> {
        // To git, unlike git2, letters of addresses have no case.
        let map = git2::Mailmap::from_buffer(&lowered(&self.text)).ok();
        let resolve = |author: Author| {
            let email = author.email.to_lowercase();
            let signature = git2::Signature::new(&author.name, &email, &git2::Time::new(0, 0));
            // What git2 takes for no signature is nobody's alias.
            let found =
                map.as_ref().zip(signature.ok()).and_then(|(map, own)| map.resolve_signature(&own).ok());
            match found.as_ref().map(|found| (found.name(), found.email())) {
                Some((Ok(name), Ok(found))) if (name, found) != (&author.name, &email) => {
                    Author { name: name.to_owned(), email: found.to_owned() }
                }
                _ => author,
            }
        };
        authors.into_iter().map(resolve).collect()
    }
}

/// The same with addresses in small letters.
fn lowered(text: &str) -> String {
    let mut inside = false;
    let letter = |letter: char| {
        inside = (inside || letter == '<') && letter != '>';
        if inside { letter.to_ascii_lowercase() } else { letter }
    };
    text.chars().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_has_one_name_and_address() {
        let author = |name: &str, email: &str| Author { name: name.to_owned(), email: email.to_owned() };
        let text = "# us\nAnn Lee <ann@x> <Ann@Home>\nBen <ben@x> Benny <b@y>\n";
        let map = Mailmap { text: text.to_owned() };
        for (own, expected) in [
            (author("ann", "ANN@home"), author("Ann Lee", "ann@x")),
            (author("Benny", "b@y"), author("Ben", "ben@x")),
            (author("Bob", "b@y"), author("Bob", "b@y")),
            (author("Cy", "C@x"), author("Cy", "C@x")),
            (author("", ""), author("", "")),
        ] {
            let people = map.resolve([own.clone()]);
            assert_eq!(people, [expected], "{own:?}");
            let people = Mailmap::default().resolve([own.clone()]);
            assert_eq!(people, [own]);
        }
    }
}
