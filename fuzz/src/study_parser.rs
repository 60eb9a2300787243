//! A study from its text to its plan, as `taut plan` goes, with files that are not on disk.

use std::path::Path;
use taut_sweep::Plan;
use taut_sweep::study::{Changes, Checked, FileColumn, FileTable, Files, Known, StudyError, load};

/// Between the study and each `--set` that follows it; no TOML may hold it.
pub const SEPARATOR: char = '\u{1e}';

/// Larger plans are good, and take longer than a fuzzer waits.
const MOST_CELLS: usize = 2000;
const MOST_ENTRIES: usize = 20_000;

/// Reads a study with its `--set`s, the whole of it and its small version.
///
/// # Panics
/// If a refusal has no words, or if what the study is written back as is refused.
pub fn exercise(bytes: &[u8]) {
    // Files in another encoding are refused before they are parsed.
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut pieces = text.split(SEPARATOR);
    let study = pieces.next().unwrap_or_default();
    let set: Vec<String> = pieces.map(str::to_owned).collect();
    for quick in [false, true] {
        if !quick || study.contains("quick") {
            one_version(study, Changes { quick, set: &set });
        }
    }
}

fn one_version(text: &str, changes: Changes<'_>) {
    let checked = match checked(text, &changes) {
        Ok(checked) => checked,
        Err(error) => return said(&error),
    };
    let cells = checked.cells();
    for cell in [0, cells - 1] {
        assert!(!checked.cell(cell).canonical().is_empty());
        // A single cell may lack what made a setting worth having, and be refused.
        match self::checked(&checked.cell_study(cell), &Changes::default()) {
            Ok(alone) => assert_eq!(alone.cells(), 1),
            Err(error) => said(&error),
        }
    }
    if !changes.is_none() {
        // Footers carry the study as it was changed, and that is a good study.
        match self::checked(&checked.text, &Changes::default()) {
            Ok(again) => assert_eq!(again.cells(), cells, "{}", checked.text),
            Err(error) => panic!("{error}\n{}", checked.text),
        }
    }
    if is_small(&checked) {
        match Plan::new(checked) {
            Ok(plan) => looked_at(&plan),
            Err(error) => said(&error),
        }
    }
}

fn checked(text: &str, changes: &Changes<'_>) -> Result<Checked, StudyError> {
    let names = |kind: &str| -> Vec<&'static str> {
        taut_sweep::listing(kind).unwrap_or_default().iter().map(|listed| listed.name).collect()
    };
    let (metrics, theories) = (names("metrics"), names("theories"));
    let known = Known { metrics: &metrics, theories: &theories };
    load(text, Path::new("studies/study.toml"), changes, &known, &Shelf)
}

fn said(error: &StudyError) {
    assert!(!error.to_string().is_empty());
    if let StudyError::Invalid(mistakes) = error {
        assert!(!mistakes.is_empty(), "refused without a reason");
        for mistake in mistakes.items() {
            let (_, line, column) = mistakes.position(mistake);
            assert!(line >= 1 && column >= 1);
        }
        assert!(mistakes.render(true).contains("error"));
    }
}

/// Whether its plan costs next to nothing: planning may decompose designs.
fn is_small(checked: &Checked) -> bool {
    let small = |index: usize| {
        let cell = checked.cell(index);
        let Some([inputs, outputs]) = cell.shape() else { return true };
        let samples = cell.data.samples(cell.files.map(|files| &**files)).unwrap_or(1);
        let parameters = match cell.model.parametrization.misfit(inputs, outputs) {
            Some(_) => 0,
            None => cell.model.parametrization.parameters(inputs, outputs),
        };
        let width = inputs.max(outputs).max(cell.data.inputs());
        let entries = [samples.saturating_mul(width), width.saturating_mul(width), parameters];
        entries.into_iter().all(|entries| entries <= MOST_ENTRIES)
    };
    checked.cells() <= MOST_CELLS && (0..checked.cells()).all(small)
}

fn looked_at(plan: &Plan) {
    assert!(plan.parts() >= 1 && !plan.sizes().is_empty() && !plan.tables().is_empty());
    for axis in plan.axes() {
        assert!(!axis.shown.is_empty());
    }
    plan.solvers();
    plan.single_steps();
    plan.reductions();
    plan.warnings();
    plan.unrecorded();
}

/// A few tables, whatever the disk holds.
struct Shelf;

impl Files for Shelf {
    fn table(&self, path: &Path) -> Result<FileTable, String> {
        let tables: &[(&str, &str)] = &[
            ("points.csv", "x y: -1 0; 0 1; 1 4"),
            ("table.csv", "x1 x2 y repeat: 3 0 1 0; 1 5 2 0; -2 7 3 1"),
            ("start.csv", "tensor row col value: theta 0 0 0.5; theta 1 0 -0.5"),
            ("matrix.csv", "tensor row col value: Syx 0 0 1; Syx 0 1 2; Syx 1 0 3; Syx 1 1 4"),
            ("entries.csv", "tensor row col value: target 0 0 1; target 0 1 2; mask 0 0 1; mask 0 1 0"),
        ];
        let found = tables.iter().find(|(name, _)| path.file_name().is_some_and(|file| file == *name));
        let (_, table) = found.ok_or_else(|| format!("there is no file {}", path.display()))?;
        let (header, rows) = table.split_once(": ").unwrap_or((table, ""));
        let columns = header.split(' ').enumerate().map(|(column, name)| {
            let texts: Vec<String> =
                rows.split("; ").filter_map(|row| row.split(' ').nth(column)).map(str::to_owned).collect();
            let numbers = texts.iter().map(|text| text.parse().map_err(|_| format!("`{text}` is no number")));
            FileColumn { name: name.to_owned(), numbers: numbers.collect(), texts }
        });
        Ok(FileTable { columns: columns.collect() })
    }

    fn hash(&self, path: &Path) -> Result<String, String> {
        Ok(format!("hash of {}", path.display()))
    }
}
