//! Reads finished tables: evaluates claims, draws figures.

pub mod pictures;
