//! Git's deltas: an object told as pieces of another one and bytes of its own.

use super::packed::MAX_SIZE;

/// What `delta` makes of `base`; `None` where it does not fit it.
pub fn apply(base: &[u8], delta: &[u8]) -> Option<Vec<u8>> {
    let mut rest = delta;
    if size(&mut rest)? != base.len() {
        return None;
    }
    let size = size(&mut rest).filter(|size| *size <= MAX_SIZE)?;
    let mut made = Vec::with_capacity(size);
    while let Some((order, after)) = rest.split_first() {
        rest = after;
        let piece = if order & 0x80 != 0 {
            let from = number(&mut rest, order & 0x0f)?;
            let len = match number(&mut rest, order >> 4 & 0x07)? {
                0 => 0x1_0000,
                len => len,
            };
            base.get(from..)?.get(..len)?
        } else {
            // An order of 0 is kept for later versions.
            let (piece, after) = rest.split_at_checked(usize::from(*order)).filter(|_| *order > 0)?;
            rest = after;
            piece
        };
        if piece.len() > size - made.len() {
            return None;
        }
        made.extend_from_slice(piece);
    }
    (made.len() == size).then_some(made)
}

fn byte(rest: &mut &[u8]) -> Option<usize> {
    let (first, after) = rest.split_first()?;
    *rest = after;
    Some(usize::from(*first))
}

/// A size: seven bits a byte, the lowest first.
fn size(rest: &mut &[u8]) -> Option<usize> {
    let (mut size, mut shift) = (0, 0);
    loop {
        let next = byte(rest)?;
        size |= (next & 0x7f) << shift;
        if next & 0x80 == 0 {
            return Some(size);
        }
        shift += 7;
        if shift > 28 {
            return None;
        }
    }
}

/// A number of which only the bytes that `present` names are written.
fn number(rest: &mut &[u8], present: u8) -> Option<usize> {
    let mut number = 0;
    for place in (0..4).filter(|place| present >> place & 1 != 0) {
        number |= byte(rest)? << (8 * place);
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pieces_of_the_base_and_new_bytes_make_an_object() {
        let base = b"the quick brown fox";
        let delta = [&[19, 12][..], &[0x90 | 1, 4, 6], &[2], b"a ", &[0x90, 4]].concat();
        assert_eq!(apply(base, &delta).unwrap(), b"quick a the ");
        for (at, byte) in [(0, 18), (1, 11), (1, 13), (3, 18), (5, 0), (5, 9)] {
            let mut bent = delta.clone();
            bent[at] = byte;
            assert_eq!(apply(base, &bent), None, "{at} {byte}");
        }
        let huge = [&[19][..], &[0xff, 0xff, 0xff, 0xff, 0x0f]].concat();
        assert_eq!(apply(base, &huge), None);
    }

    proptest! {
        #[test]
        fn no_delta_is_too_odd(base: Vec<u8>, delta: Vec<u8>) {
            let _ = apply(&base, &delta);
            let _ = apply(&base, &[&[(base.len() & 0x7f) as u8, 9][..], &delta].concat());
        }
    }
}
