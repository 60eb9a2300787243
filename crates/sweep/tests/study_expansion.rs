//! Cells of a sweep: their number, order and values.

use proptest::prelude::*;
use std::collections::BTreeSet;
use std::path::Path;
use taut_sweep::study::{AxisValue, Changes, Checked, ColumnKind, FileTable, Files, Known, load};

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

fn study(sweep: &str) -> Checked {
    let known = Known { metrics: &["risk"], theories: &[] };
    load(&format!("{BASE}{sweep}"), Path::new("s.toml"), &Changes::default(), &known, &NoFiles)
        .unwrap_or_else(|error| panic!("{error}"))
}

fn row(study: &Checked, cell: usize) -> Vec<(String, AxisValue)> {
    let positions = study.cell(cell).positions;
    let columns = study.axes.iter().zip(positions).flat_map(|(axis, position)| {
        let columns = axis.columns.iter().enumerate();
        columns.map(move |(i, column)| (column.name.clone(), axis.value(position, i))).collect::<Vec<_>>()
    });
    columns.collect()
}

#[test]
fn axes_vary_in_file_order_the_first_slowest() {
    let study = study(
        "model.features.polynomial.basis = ['legendre', 'chebyshev']\nseed = { count = 2 }\n'data.curve.samples' = [5, 6]\n",
    );
    let rows: Vec<String> = (0..study.cells())
        .map(|i| row(&study, i).iter().map(|(_, v)| v.to_string()).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        rows,
        [
            "legendre 0 5",
            "legendre 0 6",
            "legendre 1 5",
            "legendre 1 6",
            "chebyshev 0 5",
            "chebyshev 0 6",
            "chebyshev 1 5",
            "chebyshev 1 6"
        ]
    );
    let cell = study.cell(6);
    assert_eq!((cell.replicate, cell.data.curve.as_ref().unwrap().samples.map(|s| s.get())), (1, Some(5)));
    assert_eq!(study.distinct(), [2, 2, 1]);
}

#[test]
fn cases_and_zips_set_fields_together() {
    let study = study(
        "map = { cases = { z_first = { 'model.features' = { cosine = { harmonics = 9 } } }, a_second = { 'model.features.polynomial.decay' = 2 } } }\n\
         sizes = { zip = { 'data.curve.samples' = [5, 6], 'train.until.steps' = { linspace = [100, 300], count = 2 } } }\n",
    );
    assert_eq!(study.cells(), 4);
    let names: Vec<String> = row(&study, 0).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["map", "samples", "steps"]);
    assert_eq!(row(&study, 1)[0].1, AxisValue::Text("z_first".into()), "labels keep the order of the file");
    assert_eq!(row(&study, 3)[1..], [("samples".into(), AxisValue::Int(6)), ("steps".into(), AxisValue::Int(300))]);
    assert!(study.cell(0).canonical().contains("cosine") && study.cell(2).canonical().contains(r#""decay":2.0"#));
}

#[test]
fn cases_and_zips_may_agree_in_a_part_of_what_they_set() {
    let zero = r#""model.init" = "zero""#;
    let cases = [
        format!(r#"m.cases.a = {{ "train.until.steps" = 10, {zero} }}"#),
        format!(r#"m.cases.b = {{ "train.until.steps" = 20, {zero} }}"#),
        r#"m.cases.c = { "train.until.steps" = 20, "model.init" = { gaussian = { scale = 1.0 } } }"#.to_owned(),
    ];
    assert_eq!(study(&cases.join("\n")).cells(), 3);
    let zip =
        r#"z = { zip = { "data.curve.samples" = [10, 20, 30], "model.features.polynomial.degree" = [5, 5, 9] } }"#;
    assert_eq!(study(zip).cells(), 3);
}

#[test]
fn cases_that_agree_in_all_that_they_set_are_one_cell_twice() {
    let case = |name: &str, steps: &str| {
        format!("m.cases.{name} = {{ \"train.until.steps\" = {steps}, \"model.init\" = \"zero\" }}\n")
    };
    let known = Known { metrics: &["risk"], theories: &[] };
    let text = format!("{BASE}{}{}", case("a", "10"), case("b", "1e1"));
    let found = load(&text, Path::new("s.toml"), &Changes::default(), &known, &NoFiles)
        .expect_err("one cell twice")
        .to_string();
    assert!(found.contains("two settings of the sweep mean the same: (m = a) and (m = b)"), "{found}");
}

#[test]
fn an_outer_path_is_set_before_an_inner_one() {
    let study = study(
        "'model.features.polynomial.decay' = [1, 2]\n\
         map = { cases = { low = { 'model.features' = { polynomial = { basis = 'legendre', degree = 3 } } }, high = { 'model.features' = { polynomial = { basis = 'legendre', degree = 9 } } } } }\n",
    );
    assert!(study.cell(2).canonical().contains(r#""decay":2.0,"degree":3"#), "{}", study.cell(2).canonical());
}

#[test]
fn a_swept_key_may_be_left_out_of_the_base() {
    let text = BASE.replace("basis = \"legendre\", ", "").replace("until = { steps = 1e6 }\n", "")
        + "'model.features.polynomial.basis' = ['legendre']\ntrain.until.steps = [10, 20]\n";
    let known = Known { metrics: &[], theories: &[] };
    let study = load(&text, Path::new("s.toml"), &Changes::default(), &known, &NoFiles)
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(study.cells(), 2);
}

#[test]
fn columns_take_the_shortest_unambiguous_suffix() {
    let study = study(
        "'model.features.polynomial.degree' = [5, 6]\n'train.step_size.relative' = [0.5, 1]\ndecay_power = { cases = { a = { 'data.curve.noise' = 1 } } }\n'model.features.polynomial.decay' = { name = 'power', values = [0, 1] }\n",
    );
    let kinds: Vec<(String, ColumnKind)> =
        study.axes.iter().flat_map(|a| &a.columns).map(|c| (c.name.clone(), c.kind)).collect();
    let expected = [
        ("degree", ColumnKind::Int64),
        ("relative", ColumnKind::Float64),
        ("decay_power", ColumnKind::String),
        ("power", ColumnKind::Float64),
    ];
    assert_eq!(kinds, expected.map(|(name, kind)| (name.to_owned(), kind)));
}

#[test]
fn two_axes_with_one_last_segment_are_told_apart() {
    let study = study(
        "'data.curve.target.line.slope' = [1, 2]\nb = { zip = { 'data.curve.target.line.intercept' = [0, 1] } }\nslope = { cases = { a = { 'data.curve.noise' = 1 } } }\n",
    );
    let names: Vec<&str> = study.axes.iter().flat_map(|a| &a.columns).map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["line_slope", "intercept", "slope"]);
}

#[test]
fn meaning_does_not_depend_on_how_numbers_are_written() {
    let (one, two) =
        (study("'data.curve.noise' = [1, 2]\n"), study("'data.curve.noise' = [2.0, 1.0, 5]\nseed = [0]\n"));
    assert_eq!(one.cell(0).canonical(), two.cell(1).canonical());
    assert!(one.cell(0).canonical().contains(r#""step_size":{"relative":1.0}"#), "the default is part of the meaning");
}

#[test]
fn one_cell_is_a_study_of_its_own() {
    let sweep = study("'model.features.polynomial.degree' = [5, 6]\nseed = { count = 3 }\n");
    for i in 0..sweep.cells() {
        let text = sweep.cell_study(i);
        let known = Known { metrics: &[], theories: &[] };
        let single = load(&text, Path::new("s.toml"), &Changes::default(), &known, &NoFiles)
            .unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(single.cell(0).canonical(), sweep.cell(i).canonical(), "{text}");
    }
}

fn lists() -> impl Strategy<Value = Vec<Option<Vec<u32>>>> {
    let list =
        proptest::option::of(proptest::collection::btree_set(0_u32..30, 1..5).prop_map(|s| s.into_iter().collect()));
    proptest::collection::vec(list, 5)
}

proptest! {
    #[test]
    fn cells_are_the_product_of_the_axes_in_order(lists in lists(), seeds in 1_usize..5) {
        let paths = ["model.features.polynomial.decay", "data.curve.noise", "train.until.loss", "model.features.polynomial.degree", "data.curve.target.line.slope"];
        let mut sweep = String::new();
        for (path, list) in paths.iter().zip(&lists) {
            if let Some(list) = list {
                sweep.push_str(&format!("'{path}' = {{ name = 'c_{}', values = {list:?} }}\n", path.replace('.', "_")));
            }
        }
        sweep.push_str(&format!("seed = {{ count = {seeds} }}\n"));
        let study = study(&sweep);
        let product: usize = lists.iter().flatten().map(Vec::len).product::<usize>() * seeds;
        prop_assert_eq!(study.cells(), product);
        let mut before: Option<Vec<usize>> = None;
        let mut meanings = BTreeSet::new();
        for i in 0..product {
            let cell = study.cell(i);
            prop_assert!(before.as_ref().is_none_or(|b| *b < cell.positions), "row-major order");
            prop_assert!(meanings.insert(cell.canonical()), "no two cells mean the same");
            if let (Some(list), Some(axis)) = (&lists[1], study.axes.iter().position(|a| a.key == "data.curve.noise")) {
                let noise = cell.data.curve.as_ref().unwrap().noise.map(|n| n.get());
                prop_assert_eq!(noise, Some(f64::from(list[cell.positions[axis]])));
            }
            before = Some(cell.positions);
        }
    }
}

/// A study may be sown with files: their content, not their name, is part of the meaning.
#[test]
fn files_enter_the_meaning_by_their_content() {
    struct Points;
    impl Files for Points {
        fn table(&self, _: &Path) -> Result<FileTable, String> {
            let column = |name: &str, values: &[f64]| taut_sweep::study::FileColumn {
                name: name.to_owned(),
                numbers: Ok(values.to_vec()),
                texts: values.iter().map(f64::to_string).collect(),
            };
            Ok(FileTable {
                columns: vec![
                    column("x", &[0.0, 1.0, 0.5, 1.0]),
                    column("y", &[1.0, 2.0, 3.0, 4.0]),
                    column("part", &[1.0, 1.0, 2.0, 2.0]),
                ],
            })
        }
        fn hash(&self, _: &Path) -> Result<String, String> {
            Ok("abc".to_owned())
        }
    }
    let text = "title = 't'\n[data.curve]\nfile = 'p.csv'\nselect = { column = 'part', value = '1' }\n\
                [model]\nfeatures = { cosine = { harmonics = 5 } }\n[train]\nuntil = { steps = 10 }\n\
                [sweep]\n'data.curve.select.value' = { name = 'part', values = ['1', '2'] }\n";
    let known = Known { metrics: &[], theories: &[] };
    let study =
        load(text, Path::new("s.toml"), &Changes::default(), &known, &Points).unwrap_or_else(|error| panic!("{error}"));
    let cell = study.cell(1);
    let points = cell.files.and_then(|files| files.points.as_ref()).expect("the points of the file");
    assert_eq!(points.inputs, [vec![0.5, 1.0]]);
    assert_eq!(points.y, Some(vec![3.0, 4.0]));
    assert!(
        cell.canonical().contains(r#""file":"abc","select":{"column":"part","value":"2"}"#),
        "{}",
        cell.canonical()
    );
    let moved = load(&text.replace("p.csv", "moved/q.csv"), Path::new("s.toml"), &Changes::default(), &known, &Points);
    assert_eq!(moved.unwrap_or_else(|error| panic!("{error}")).cell(1).canonical(), cell.canonical());
}
