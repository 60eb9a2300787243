//! A mistake in a study that only its tables can show.

/// A mistake at a dotted path of the study; a number in the path counts in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where it is, such as `claim.2.sql`.
    pub path: String,
    /// The word inside the value that is wrong, where there is one.
    pub word: Option<String>,
    /// What is wrong, with the value seen and the values allowed.
    pub message: String,
    /// One thing to try.
    pub help: String,
}
