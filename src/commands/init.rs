//! `taut init`: a commented study that runs as it is.

/// The study.
pub(super) const STUDY: &str = include_str!("init.toml");
