//! What the fuzz targets do with their bytes. `tests/fuzz_corpora.rs` of the workspace does the same with the kept
//! corpora, on the stable toolchain, by including these files.

pub mod caught_panics;
pub mod input_table;
pub mod part_reader;
pub mod study_parser;
