//! Who a cell is: a hash of its meaning, not of layout, threads or output options.

/// Raised whenever the same study would give other numbers: stored cells of another version are
/// another study's.
pub const SEMANTICS: &str = "taut-1";

/// A cell's name: 32 hexadecimal digits, and a positive whole number made of the first of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) key: String,
    pub(crate) cell: i64,
}

impl Identity {
    /// The name of what these hashes of data, model and motion mean together, for one replicate of one seed.
    pub(crate) fn of(sections: [&blake3::Hash; 3], seed: u64, replicate: u64) -> Self {
        let mut hasher = blake3::Hasher::new();
        sections.into_iter().for_each(|section| {
            hasher.update(section.as_bytes());
        });
        hasher.update(&seed.to_be_bytes());
        hasher.update(&replicate.to_be_bytes());
        let hash = hasher.finalize();
        let first: [u8; 8] = hash.as_bytes()[..8].try_into().expect("a hash has 32 bytes");
        let cell = (u64::from_be_bytes(first) >> 1) as i64;
        Self { key: hash.to_hex()[..32].to_owned(), cell }
    }
}

/// The hash of a text under this version of the code's meaning.
pub(crate) fn digest(text: &str) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(SEMANTICS.as_bytes());
    hasher.update(&[0]);
    hasher.update(text.as_bytes());
    hasher.finalize()
}
