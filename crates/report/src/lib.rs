//! Reads finished tables: evaluates claims, draws figures.
