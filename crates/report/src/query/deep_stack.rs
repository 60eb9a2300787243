//! A stack deep enough for polars' SQL, whose parser and planner call themselves for every term of a sum.

use super::QueryError;

/// Planning `1 + 1 + …` takes up to 200 kB of stack per term: the 8 MB of a main thread end before 200 terms, the 2 MB of
/// others before 50. This is more than the most operators of a query need, and memory is taken only as the stack grows.
const STACK: usize = 1 << 29;

/// Does the work on such a stack; a panic of polars becomes an error.
///
/// # Errors
/// What the work gives, or that it panicked.
pub(super) fn on_a_deep_stack<T: Send>(work: impl FnOnce() -> Result<T, QueryError> + Send) -> Result<T, QueryError> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("query".to_owned()).stack_size(STACK).spawn_scoped(scope, work);
        match thread.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(answer)) => answer,
            Ok(Err(panic)) => Err(QueryError::panicked(message(&*panic))),
            Err(reason) => Err(QueryError {
                word: None,
                message: format!("there is no thread for the query: {reason}"),
                help: "close other programs, or raise the limits on memory and threads".to_owned(),
            }),
        }
    })
}

fn message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_with_its_message() {
        let error = on_a_deep_stack::<()>(|| panic!("index {} out of range", 7)).expect_err("it panics");
        assert!(error.message.ends_with("index 7 out of range"), "{error}");
        assert_eq!(on_a_deep_stack(|| Ok(7)), Ok(7));
    }
}
