//! Several pieces of work by several workers, each in its turn.
//!
//! **Invariant:** a piece begins once all that it waits for have ended, and
//! never where one whose result it needs has none; Ctrl-C begins no further.

use std::sync::mpsc::{self, Sender};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::agent::Interrupt;

/// What a piece of work waits for.
#[derive(Clone, Debug, Default)]
pub struct Turn {
    /// Earlier pieces that have to have ended, however.
    pub behind: Vec<usize>,
    /// Earlier pieces that have to have a result.
    pub needs: Vec<usize>,
}

/// How a piece of work ended.
#[derive(Debug)]
pub enum Ended<T, E> {
    /// It was carried out, and has a result or not.
    Carried(Result<T, E>),
    /// It was not, as this earlier piece has no result.
    Skipped(usize),
}

/// Where a piece of work is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waits,
    Runs,
    Ended { has_result: bool },
}

/// What a worker does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// Carries this piece out.
    Take(usize),
    /// Leaves this piece out, because of the other.
    Skip(usize, usize),
    /// Waits until another piece has ended.
    Wait,
    /// Goes home.
    Done,
}

/// Carries everything out; `tell` hears, in order, how each piece ended. Once
/// somebody asks to stop, no further one begins.
pub fn carry_out<T: Send, E: Send>(
    turns: &[Turn],
    workers: usize,
    interrupt: &Interrupt,
    carry: &(dyn Fn(usize) -> Result<T, E> + Sync),
    mut tell: impl FnMut(usize, Ended<T, E>),
) {
    let states = Mutex::new(vec![State::Waits; turns.len()]);
    let board = Board { turns, states, changed: Condvar::new() };
    let (send, receive) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..workers.clamp(1, turns.len().max(1)) {
            let (board, send) = (&board, send.clone());
            scope.spawn(move || work(board, interrupt, carry, &send));
        }
        drop(send);
        for (piece, ended) in receive {
            tell(piece, ended);
        }
    });
}

/// What the workers look at together.
struct Board<'a> {
    turns: &'a [Turn],
    states: Mutex<Vec<State>>,
    changed: Condvar,
}

impl Board<'_> {
    fn states(&self) -> MutexGuard<'_, Vec<State>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, piece: usize, state: State) {
        self.states()[piece] = state;
        self.changed.notify_all();
    }

    /// What to do next, as soon as there is something.
    fn next(&self, interrupt: &Interrupt) -> Next {
        let mut states = self.states();
        loop {
            let next = if interrupt.is_raised() { Next::Done } else { next(self.turns, &states) };
            match next {
                Next::Wait => states = self.changed.wait(states).unwrap_or_else(PoisonError::into_inner),
                Next::Take(piece) => states[piece] = State::Runs,
                Next::Skip(piece, _) => states[piece] = State::Ended { has_result: false },
                Next::Done => {}
            }
            if next != Next::Wait {
                self.changed.notify_all();
                return next;
            }
        }
    }
}

fn work<T, E>(
    board: &Board<'_>,
    interrupt: &Interrupt,
    carry: &(dyn Fn(usize) -> Result<T, E> + Sync),
    send: &Sender<(usize, Ended<T, E>)>,
) {
    loop {
        let (piece, ended) = match board.next(interrupt) {
            Next::Take(piece) => (piece, Ended::Carried(carry(piece))),
            Next::Skip(piece, why) => (piece, Ended::Skipped(why)),
            Next::Wait | Next::Done => return,
        };
        let has_result = matches!(ended, Ended::Carried(Ok(_)));
        // Told before others begin because of it; nobody listens who does not want to.
        drop(send.send((piece, ended)));
        board.set(piece, State::Ended { has_result });
    }
}

fn next(turns: &[Turn], states: &[State]) -> Next {
    let has_none = |piece: &&usize| states[**piece] == State::Ended { has_result: false };
    let has_ended = |piece: &usize| matches!(states[*piece], State::Ended { .. });
    for (piece, turn) in turns.iter().enumerate().filter(|(piece, _)| states[*piece] == State::Waits) {
        if let Some(why) = turn.needs.iter().find(has_none) {
            return Next::Skip(piece, *why);
        }
        if turn.behind.iter().chain(&turn.needs).all(has_ended) {
            return Next::Take(piece);
        }
    }
    if states.contains(&State::Waits) { Next::Wait } else { Next::Done }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(behind: &[usize], needs: &[usize]) -> Turn {
        Turn { behind: behind.to_vec(), needs: needs.to_vec() }
    }

    /// How each piece ends where `bad` ones fail, in order.
    fn told(turns: &[Turn], workers: usize, bad: &[usize]) -> Vec<String> {
        let mut told = Vec::new();
        let carry = |piece: usize| if bad.contains(&piece) { Err("no") } else { Ok("yes") };
        carry_out(turns, workers, &Interrupt::unwatched(), &carry, |piece, ended| {
            told.push(format!("{piece} {ended:?}"));
        });
        told
    }

    #[test]
    fn each_begins_once_those_before_it_have_ended() {
        let turns = [turn(&[], &[]), turn(&[0], &[]), turn(&[], &[0]), turn(&[1, 2], &[])];
        let all = |told: Vec<String>| told.iter().map(|one| one[..1].to_owned()).collect::<String>();
        assert_eq!(all(told(&turns, 1, &[])), "0123");
        for _ in 0..50 {
            let order = all(told(&turns, 3, &[]));
            assert!(["0123", "0213"].contains(&order.as_str()), "{order}");
        }
        assert!(told(&[], 2, &[]).is_empty());
    }

    #[test]
    fn what_needs_a_result_that_is_not_there_is_skipped_and_so_is_what_needs_that() {
        let turns = [turn(&[], &[]), turn(&[0], &[]), turn(&[], &[0]), turn(&[], &[2])];
        let expected = ["0 Carried(Err(\"no\"))", "1 Carried(Ok(\"yes\"))", "2 Skipped(0)", "3 Skipped(2)"];
        assert_eq!(told(&turns, 1, &[0]), expected);
        let mut at_once = told(&turns, 4, &[0]);
        at_once.sort();
        assert_eq!(at_once, expected);
    }
}
