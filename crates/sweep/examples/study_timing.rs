//! How long it takes to check and expand a million cells.
#![allow(clippy::print_stdout)]

use std::path::Path;
use std::time::Instant;
use taut_sweep::study::{Changes, FileTable, Files, Known, load};

struct NoFiles;

impl Files for NoFiles {
    fn table(&self, _: &Path) -> Result<FileTable, String> {
        Err("no files".to_owned())
    }
    fn hash(&self, _: &Path) -> Result<String, String> {
        Err("no files".to_owned())
    }
}

const BASE: &str = r#"title = "t"
[data.curve]
target = { line = { intercept = 0.3, slope = 0.8 } }
samples = 10
design = "equispaced"
noise = 0.1
[model]
features = { polynomial = { basis = "legendre", degree = 20 } }
[train]
until = { steps = 1e6 }
[sweep]
"#;

fn main() {
    let sweeps = [
        ("one axis of 10^6 replicates", "seed = { count = 1e6 }\n"),
        (
            "1000 x 1000 in two sections",
            "'data.curve.noise' = { linspace = [0, 1], count = 1000 }\n'model.features.polynomial.decay' = { linspace = [0, 3], count = 1000 }\n",
        ),
        (
            "1000 x 1000 in one section",
            "'model.features.polynomial.degree' = { linspace = [1, 1000], count = 1000 }\n'model.features.polynomial.decay' = { linspace = [0, 3], count = 1000 }\n",
        ),
    ];
    let known = Known { metrics: &[], theories: &[] };
    for (name, sweep) in sweeps {
        let start = Instant::now();
        let study = load(&format!("{BASE}{sweep}"), Path::new("s.toml"), &Changes::default(), &known, &NoFiles)
            .expect("a good study");
        let loaded = start.elapsed();
        let positions: usize = (0..study.cells()).map(|i| study.cell(i).positions.iter().sum::<usize>()).sum();
        let walked = start.elapsed() - loaded;
        let letters: usize = (0..study.cells()).map(|i| study.cell(i).canonical().len()).sum();
        let meant = start.elapsed() - loaded - walked;
        println!(
            "{name}: {} cells, load {loaded:.2?}, cell(i) {walked:.2?}, canonical {meant:.2?} ({positions} {letters})",
            study.cells()
        );
    }
}
