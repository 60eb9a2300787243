//! Slurm: a study's shards as a job array, written as one script that needs nothing but itself.

mod cluster;
mod script;
mod time_limit;
mod words;

pub(crate) use cluster::{largest_array, submit};
pub(crate) use script::{Asked, Script};
