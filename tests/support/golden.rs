//! Texts that the program must say word by word.

use super::here;

/// Compares a text with `tests/golden/<name>.txt`; with `UPDATE_GOLDEN=1` writes it.
#[track_caller]
pub fn golden(name: &str, found: &str) {
    let path = here("tests/golden").join(format!("{name}.txt"));
    // Texts end their lines with no blanks, so that an editor may remove those.
    let found: String = found.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(here("tests/golden")).expect("the folder of tests can be written");
        std::fs::write(&path, &found).expect("the golden folder can be written");
    }
    let wanted = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, wanted, "{name}: run with UPDATE_GOLDEN=1 to accept");
}
