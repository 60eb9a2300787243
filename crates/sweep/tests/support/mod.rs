//! A small good study, and files that are not on disk.

#![allow(dead_code, unreachable_pub)] // each test binary uses a part of it

use std::path::Path;
use taut_sweep::study::{Changes, Checked, Diagnostics, FileColumn, FileTable, Files, Known, StudyError, load};

pub struct Stub;

impl Files for Stub {
    fn table(&self, path: &Path) -> Result<FileTable, String> {
        let column = |name: &str, texts: &[&str]| FileColumn {
            name: name.to_owned(),
            numbers: texts
                .iter()
                .enumerate()
                .map(|(i, text)| {
                    text.parse().map_err(|_| format!("{}: line {}: `{text}` is not a number", path.display(), i + 2))
                })
                .collect(),
            texts: texts.iter().map(|text| (*text).to_owned()).collect(),
        };
        match path.to_str() {
            Some("studies/points.csv") => {
                Ok(FileTable { columns: vec![column("x", &["-1", "0", "1"]), column("y", &["0", "1", "4"])] })
            }
            Some("studies/table.csv") => Ok(FileTable {
                columns: vec![
                    column("x1", &["3", "1", "-2"]),
                    column("x2", &["0", "5", "7"]),
                    column("y", &["1", "2", "3"]),
                    column("repeat", &["30", "30", "32"]),
                    column("share", &["0.1", "0.2", "0.3"]),
                ],
            }),
            Some("studies/words.csv") => {
                Ok(FileTable { columns: vec![column("x", &["-1", "0"]), column("y", &["0", "one"])] })
            }
            Some("studies/start.csv") => Ok(FileTable {
                columns: vec![
                    column("tensor", &["theta", "theta", "other"]),
                    column("row", &["0", "1", "0"]),
                    column("col", &["0", "0", "0"]),
                    column("value", &["0.5", "-0.5", "7"]),
                ],
            }),
            Some(path) if MATRICES.iter().any(|(name, _)| path == format!("studies/{name}.csv")) => {
                let (_, tensors) =
                    MATRICES.iter().find(|(name, _)| path == format!("studies/{name}.csv")).expect("it is one");
                let rows = long_form(tensors);
                let of = |field: usize| -> Vec<&str> { rows.iter().map(|row| row[field].as_str()).collect() };
                Ok(FileTable {
                    columns: ["tensor", "row", "col", "value"]
                        .into_iter()
                        .enumerate()
                        .map(|(field, name)| column(name, &of(field)))
                        .collect(),
                })
            }
            Some("studies/ragged.csv") => Err(format!("{}: line 3: 1 cell where the header has 2", path.display())),
            _ => Err(format!("there is no file {}", path.display())),
        }
    }

    fn hash(&self, path: &Path) -> Result<String, String> {
        Ok(format!("hash of {}", path.display()))
    }
}

/// Files of matrices by name: `name: row; row`, one after the other.
pub const MATRICES: &[(&str, &str)] = &[
    ("moments", "Syx: 1 2; 3 4 | Sxx: 2 1; 1 2 | trSyy: 40"),
    ("no-target", "X: 1 2; 3 4"),
    ("two-ways", "X: 1 2; 3 4 | Y: 1 2 | Syx: 1 2; 3 4"),
    ("a-stranger", "Syx: 1 2; 3 4 | Szz: 1"),
    ("not-symmetric", "Syx: 1 2; 3 4 | Sxx: 1 0.5; 0.3 1"),
    ("not-positive", "Syx: 1 2; 3 4 | Sxx: 1 2; 2 1"),
    ("without-variance", "Syx: 1 2; 3 4 | Sxx: 1 0; 0 0"),
    ("small-trace", "Syx: 1 2; 3 4 | trSyy: 10"),
    ("half-observed", "target: 1 2; 3 4 | mask: 1 0.5; 0 1"),
    ("unobserved", "target: 1 2; 3 4 | mask: 0 0; 0 0"),
    ("without-mask", "target: 1 2; 3 4"),
    ("by-rows", "X: 1 2 3; 3 4 5; 1 1 1; 0 2 1 | Y: 1 2; 1 2; 1 2; 1 1"),
    ("twice", "Syx: 1 2; 3 4 | Syx: 1"),
    ("ragged-matrix", "Syx: 1 2; 3"),
    ("prefixed", "a_Syx: 1 2; 3 4"),
    ("with-a-mask", "Syx: 1 2; 3 4 | mask: 1 1; 1 1"),
    ("other-teacher", "Syx: 1 2; 3 4 | teacher: 1 2"),
    ("factors-small", "W1: 1 2; 3 4 | W2: 1 2; 3 4"),
    ("factors-three", "W1: 1 0 0 0; 0 1 0 0; 0 0 1 0; 0 0 0 1 | W2: 1 0 0 0; 0 1 0 0; 0 0 1 0 | W3: 1"),
    ("factors-one", "W1: 1 0 0 0; 0 1 0 0; 0 0 1 0; 0 0 0 1"),
    ("factors-zero", "W1: 0 0 0 0; 0 0 0 0; 0 0 0 0; 0 0 0 0 | W2: 0 0 0 0; 0 0 0 0; 0 0 0 0"),
    ("predictor", "theta: 1 0 0 0; 0 1 0 0; 0 0 1 0"),
    ("predictor-column", "theta: 1; 0; 0; 0; 0; 1; 0; 0; 0; 0; 1; 0"),
];

fn long_form(tensors: &str) -> Vec<[String; 4]> {
    let mut rows = Vec::new();
    for tensor in tensors.split('|') {
        let (name, entries) = tensor.trim().split_once(':').expect("a name");
        for (i, row) in entries.split(';').enumerate() {
            for (j, value) in row.split_whitespace().enumerate() {
                rows.push([name.to_owned(), i.to_string(), j.to_string(), value.to_owned()]);
            }
        }
    }
    rows
}

pub const KNOWN: Known<'static> = Known {
    metrics: &["train_mse", "risk", "bending_energy", "total_variation", "loss"],
    theories: &["min_norm_limit", "exact_path"],
};

pub fn checked(text: &str, sets: &[&str]) -> Result<Checked, StudyError> {
    version(text, false, sets)
}

/// The small version of a study, or the whole.
pub fn version(text: &str, quick: bool, sets: &[&str]) -> Result<Checked, StudyError> {
    let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
    load(text, Path::new("studies/study.toml"), &Changes { quick, set: &sets }, &KNOWN, &Stub)
}

pub fn mistakes(text: &str, sets: &[&str]) -> Diagnostics {
    match checked(text, sets) {
        Err(StudyError::Invalid(mistakes)) => mistakes,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("nothing is wrong with\n{text}"),
    }
}

/// What the plan of a study without mistakes in its text says against it.
pub fn plan_mistakes(text: &str) -> Diagnostics {
    let study = checked(text, &[]).unwrap_or_else(|error| panic!("{error}"));
    match taut_sweep::Plan::new(study) {
        Err(StudyError::Invalid(mistakes)) => mistakes,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("nothing is wrong with\n{text}"),
    }
}

/// Compares mistakes with `golden/<name>.txt`; with `UPDATE_GOLDEN=1` writes it.
pub fn accept(name: &str, mistakes: &Diagnostics) {
    let found = format!("{mistakes}\n");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{name}.txt"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &found).expect("the golden folder can be written");
    }
    let wanted = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, wanted, "{name}: run with UPDATE_GOLDEN=1 to accept");
}

pub const GAUSSIAN: &str = r#"title = "Rows of three inputs"

[data.gaussian]
samples = 10
inputs = 3
noise = 0.1

[model]
features = "identity"

[train]
until = { steps = 100 }
"#;

pub const GOOD: &str = r#"title = "A small study"

[data.curve]
target = { line = { intercept = 0.3, slope = 0.8 } }
samples = 10
design = "equispaced"
noise = 0.1

[model]
features = { polynomial = { basis = "legendre", degree = 20, decay = 1.0 } }

[train]
step_size = { relative = 1.0 }
until = { steps = 1e6 }

[record]
times = { geometric = 50 }
metrics = ["risk"]
"#;
