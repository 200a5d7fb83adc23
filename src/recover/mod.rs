//! Setting right what a killed process left.

pub mod dead;
