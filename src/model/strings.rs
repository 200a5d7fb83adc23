//! Many byte strings in one piece, by position.

/// Byte strings by position, end to end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strings {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl Strings {
    /// Adds one at the end; its position.
    pub fn push(&mut self, string: &[u8]) -> u32 {
        self.bytes.extend_from_slice(string);
        self.ends.push(self.bytes.len() as u32);
        (self.ends.len() - 1) as u32
    }

    /// Adds all of another at the end.
    pub fn extend(&mut self, other: &Self) {
        let start = self.bytes.len() as u32;
        self.bytes.extend_from_slice(&other.bytes);
        self.ends.extend(other.ends.iter().map(|end| start + end));
    }

    /// The one at a position.
    ///
    /// # Panics
    /// Where there is none.
    pub fn get(&self, position: usize) -> &[u8] {
        let start = if position == 0 { 0 } else { self.ends[position - 1] };
        &self.bytes[start as usize..self.ends[position] as usize]
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &[u8]> + ExactSizeIterator {
        (0..self.len()).map(|position| self.get(position))
    }

    /// All of them end to end, and where each ends.
    pub fn parts(&self) -> (&[u8], &[u32]) {
        (&self.bytes, &self.ends)
    }

    /// Reads [`Strings::parts`]; `None` where they do not fit together.
    pub fn from_parts(bytes: Vec<u8>, ends: Vec<u32>) -> Option<Self> {
        let fits = ends.is_sorted() && ends.last().map_or(0, |end| *end as usize) == bytes.len();
        fits.then_some(Self { bytes, ends })
    }
}

impl<'a> FromIterator<&'a [u8]> for Strings {
    fn from_iter<I: IntoIterator<Item = &'a [u8]>>(all: I) -> Self {
        let mut strings = Self::default();
        for string in all {
            strings.push(string);
        }
        strings
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn strings_stay_where_they_were_put(one: Vec<Vec<u8>>, other: Vec<Vec<u8>>) {
            let put = |all: &[Vec<u8>]| all.iter().map(Vec::as_slice).collect::<Strings>();
            let mut both = put(&one);
            both.extend(&put(&other));
            let expected: Vec<&[u8]> = one.iter().chain(&other).map(Vec::as_slice).collect();
            assert_eq!(both.iter().collect::<Vec<_>>(), expected);
            let (bytes, ends) = both.parts();
            assert_eq!(Strings::from_parts(bytes.to_vec(), ends.to_vec()), Some(both.clone()));
            let longer = [bytes, b"x"].concat();
            assert_eq!(Strings::from_parts(longer, ends.to_vec()), None);
        }
    }
}
