//! Axes that depend on each other: conditions, derived values, filters, random designs.

mod support;

use proptest::prelude::*;
use std::collections::BTreeSet;
use support::*;
use taut_sweep::study::{AxisValue, Checked, ColumnKind};

fn study(sweep: &str) -> Checked {
    checked(&format!("{GOOD}\n[sweep]\n{sweep}"), &[]).unwrap_or_else(|error| panic!("{error}"))
}

/// The values of one cell, `null` where it does not have the axis.
fn row(study: &Checked, cell: usize) -> Vec<String> {
    let positions = study.cell(cell).positions;
    let columns = study.axes.iter().zip(positions).flat_map(|(axis, position)| {
        (0..axis.columns.len()).map(move |column| axis.value(position, column).to_string()).collect::<Vec<_>>()
    });
    columns.collect()
}

fn rows(study: &Checked) -> Vec<String> {
    (0..study.cells()).map(|cell| row(study, cell).join(" ")).collect()
}

/// The values of one column, cell by cell.
fn column(study: &Checked, name: &str) -> Vec<AxisValue> {
    let found = study
        .axes
        .iter()
        .enumerate()
        .find_map(|(axis, of)| Some((axis, of.columns.iter().position(|column| column.name == name)?)));
    let (axis, at) = found.unwrap_or_else(|| panic!("no column {name}"));
    (0..study.cells()).map(|cell| study.axes[axis].value(study.cell(cell).positions[axis], at)).collect()
}

fn numbers(study: &Checked, name: &str) -> Vec<f64> {
    let number = |value: AxisValue| match value {
        AxisValue::Int(value) => value as f64,
        AxisValue::Float(value) => value,
        other => panic!("{name} = {other}"),
    };
    column(study, name).into_iter().map(number).collect()
}

fn meanings(study: &Checked) -> BTreeSet<String> {
    let meanings: BTreeSet<String> = (0..study.cells()).map(|cell| study.cell(cell).canonical()).collect();
    assert_eq!(meanings.len(), study.cells(), "no two cells mean the same");
    meanings
}

#[test]
fn a_filter_leaves_out_the_cells_for_which_it_is_false() {
    let study = study(
        "where = 'degree < 7 or samples <= 5'\n'model.features.polynomial.degree' = [5, 6, 9]\n'data.curve.samples' = [5, 8]\nseed = { count = 2 }\n",
    );
    let expected = ["5 5 0", "5 5 1", "5 8 0", "5 8 1", "6 5 0", "6 5 1", "6 8 0", "6 8 1", "9 5 0", "9 5 1"];
    assert_eq!(rows(&study), expected);
    assert_eq!((study.unfiltered(), study.cells()), (Some(12), 10));
    assert!(study.warnings().is_none());
    assert_eq!(study.distinct(), [2, 3, 1]);
    meanings(&study);
}

#[test]
fn settings_that_no_cell_has_are_not_looked_at() {
    // Ten times as many features as points are fine; a filter takes the other settings out before they are checked.
    let study = study(
        "where = ['degree < 5', 'seed != 1']\n'model.features.polynomial.degree' = [3, 20]\n'model.features.polynomial.decay' = [0, 1]\nseed = { count = 3 }\n",
    );
    assert_eq!(study.distinct(), [1, 2, 1]);
    assert_eq!(rows(&study), ["3 0 0", "3 0 2", "3 1 0", "3 1 2"]);
    assert_eq!(study.study.sweep.len(), 4, "the filter is part of the study");
}

const CONDITIONAL: &str = "map.cases = { poly = { 'model.features' = { polynomial = { basis = 'legendre', degree = 3 } } }, cos = { 'model.features' = { cosine = { harmonics = 9 } } } }\n\
    'model.features.polynomial.degree' = { values = [5, 6], when = \"map == 'poly'\" }\n";

#[test]
fn a_conditional_axis_exists_where_its_condition_holds() {
    let study = study(CONDITIONAL);
    assert_eq!(rows(&study), ["poly 5", "poly 6", "cos null"]);
    assert!(study.cell(2).canonical().contains("cosine"));
    assert!(study.cell(1).canonical().contains(r#""degree":6"#));
    assert_eq!(study.axes[1].values(), 2);
    assert_eq!(study.describe(2), "map = cos");
    assert_eq!(study.unfiltered(), None, "a condition is no filter");
}

#[test]
fn conditions_may_look_ahead_and_at_each_other() {
    let study = study(
        "'data.curve.noise' = { values = [0.1, 0.2], when = 'degree == 5' }\n\
         'model.features.polynomial.degree' = { values = [5, 6], when = 'relative < 1' }\n\
         'train.step_size.relative' = [0.5, 1.5]\n",
    );
    // Without the degree its condition is not known, and the axis of the noise is not there either.
    let expected = ["0.1 5 0.5", "0.2 5 0.5", "null 6 0.5", "null null 1.5"];
    assert_eq!(rows(&study), expected);
    meanings(&study);
}

#[test]
fn groups_may_be_conditional_and_exclude_each_other() {
    let study = study(
        "size = ['small', 'large']\n\
         a = { zip = { 'data.curve.samples' = { values = [5, 6], name = 'n_small' }, 'data.curve.noise' = [0.1, 0.2] }, when = \"size == 'small'\" }\n\
         b = { cases = { only = { 'data.curve.samples' = 50 } }, when = \"size == 'large'\" }\n",
    );
    assert_eq!(rows(&study), ["small 5 0.1 null", "small 6 0.2 null", "large null null only"]);
    assert_eq!(study.cell(2).data.curve.as_ref().unwrap().samples.map(|s| s.get()), Some(50));
}

#[test]
fn a_filter_says_nothing_of_an_axis_that_is_not_there() {
    let study = study(&format!("where = 'degree > 5'\n{CONDITIONAL}"));
    assert_eq!(rows(&study), ["poly 6", "cos null"]);
    assert_eq!(study.unfiltered(), Some(3));
}

#[test]
fn derived_values_are_columns_and_settings() {
    let study = study(
        "'train.step_size.relative' = { derive = '0.1 * 3 / degree' }\n\
         'model.features.polynomial.degree' = [3, 6]\n\
         'data.curve.samples' = { derive = 'round(ratio * degree)' }\n\
         ratio = [1, 2]\n\
         twice = { derive = '2 * samples' }\n\
         size = { derive = \"if(twice > 10, 'large', 'small')\" }\n\
         known = { derive = 'data.curve.noise * 10 + train.step_size.relative' }\n",
    );
    assert_eq!(study.cells(), 4);
    let expected =
        ["0.1 3 3 1 6 small 1.1", "0.1 3 6 2 12 large 1.1", "0.05 6 6 1 12 large 1.05", "0.05 6 12 2 24 large 1.05"];
    assert_eq!(rows(&study), expected);
    let kinds: Vec<ColumnKind> = study.axes.iter().map(|axis| axis.columns[0].kind).collect();
    use ColumnKind::{Float64, Int64, String};
    assert_eq!(kinds, [Float64, Int64, Int64, Int64, Int64, String, Float64]);
    let cell = study.cell(3);
    assert!(cell.canonical().contains(r#""step_size":{"relative":0.05}"#), "{}", cell.canonical());
    assert_eq!(cell.data.curve.as_ref().unwrap().samples.map(|s| s.get()), Some(12));
    assert_eq!(study.distinct(), [3, 2, 2]);
    meanings(&study);
}

#[test]
fn a_derived_value_of_what_is_not_there_is_not_there() {
    let study = study(&format!(
        "{CONDITIONAL}'train.step_size.relative' = {{ derive = '1 / model.features.polynomial.degree' }}\n\
         other = {{ derive = 'seed + 1', when = \"map == 'cos'\" }}\nseed = {{ count = 2 }}\n"
    ));
    let expected = [
        "poly 5 0.2 null 0",
        "poly 5 0.2 null 1",
        "poly 6 0.166666666666667 null 0",
        "poly 6 0.166666666666667 null 1",
        "cos null null 1 0",
        "cos null null 2 1",
    ];
    assert_eq!(rows(&study), expected);
    assert!(study.cell(4).canonical().contains(r#""step_size":{"relative":1.0}"#), "the study's own stays");
}

#[test]
fn fields_inside_cases_can_be_derived_from() {
    let study = study(
        "map.cases = { a = { 'model.features' = { polynomial = { basis = 'legendre', degree = 4 } } }, b = { 'model.features' = { cosine = { harmonics = 8 } } } }\n\
         'train.step_size.relative' = { derive = \"if(model.features == 'cosine', 0.5, 2 / model.features.polynomial.degree)\" }\n\
         'data.curve.samples' = { derive = 'model.features.polynomial.degree + 2' }\n",
    );
    assert_eq!(rows(&study), ["a 0.5 6", "b 0.5 null"]);
    assert_eq!(study.cell(1).data.curve.as_ref().unwrap().samples.map(|s| s.get()), Some(10));
}

#[test]
fn one_cell_of_a_dependent_study_is_a_study_of_its_own() {
    let sweep = study(&format!(
        "where = \"degree < 6 or seed == 0\"\n{CONDITIONAL}'train.step_size.relative' = {{ derive = '1 / (1 + seed)' }}\n\
         noise = {{ halton = {{ 'data.curve.noise' = {{ loguniform = [0.01, 1] }} }}, count = 3 }}\nseed = {{ count = 2 }}\n"
    ));
    assert_eq!(sweep.cells(), 3 * (2 + 1 + 2));
    for cell in 0..sweep.cells() {
        let text = sweep.cell_study(cell);
        let single = checked(&text, &[]).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(single.cell(0).canonical(), sweep.cell(cell).canonical(), "{text}");
    }
}

#[test]
fn drawn_values_follow_their_laws_and_none_comes_twice() {
    let study = study(
        "'data.curve.noise' = { uniform = [0.5, 2], count = 40 }\n'data.curve.samples' = { loguniform = [2, 33], count = 32 }\n",
    );
    assert_eq!(study.cells(), 40 * 32);
    let noise: BTreeSet<u64> = numbers(&study, "noise").into_iter().map(f64::to_bits).collect();
    assert_eq!(noise.len(), 40);
    assert!(numbers(&study, "noise").iter().all(|x| (0.5..=2.0).contains(x)));
    let samples: BTreeSet<u64> = numbers(&study, "samples").into_iter().map(|x| x as u64).collect();
    assert_eq!(samples, (2..=33).collect(), "as many as there are");
}

#[test]
fn more_points_and_other_axes_leave_points_where_they_are() {
    let forms = [
        "'data.curve.noise' = { uniform = [0.5, 2], count = N }\n",
        "a = { random = { 'data.curve.noise' = { loguniform = [0.5, 2] }, 'data.curve.samples' = { uniform = [2, 40] } }, count = N }\n",
        "a = { halton = { 'data.curve.noise' = { loguniform = [0.5, 2] }, 'data.curve.samples' = { uniform = [2, 40] } }, count = N }\n",
    ];
    for form in forms {
        let few = study(&form.replace('N', "10"));
        let many = study(&format!(
            "'model.features.polynomial.decay' = [0.5]\n{}",
            form.replace('N', "25").replace("a =", "other =")
        ));
        assert_eq!(numbers(&few, "noise"), numbers(&many, "noise")[..10], "{form}");
        let longer =
            form.replace(" }, count", ", 'model.features.polynomial.decay' = [0.5, 1] }, count").replace('N', "10");
        if form.starts_with('a') {
            assert_eq!(numbers(&few, "samples"), numbers(&study(&longer), "samples"), "{longer}");
        }
    }
    let other_seed = checked(&format!("seed = 5\n{GOOD}\n[sweep]\n{}", forms[0].replace('N', "10")), &[]);
    let other_seed = other_seed.unwrap_or_else(|error| panic!("{error}"));
    assert_ne!(numbers(&other_seed, "noise"), numbers(&study(&forms[0].replace('N', "10")), "noise"));
}

#[test]
fn designs_fill_every_slice() {
    for (word, slices) in [("halton", 16), ("latin-hypercube", 16)] {
        let study = study(&format!(
            "a = {{ {word} = {{ 'data.curve.noise' = {{ uniform = [0, 1] }}, 'train.step_size.relative' = {{ uniform = [0, 2], name = 'eta' }} }}, count = {slices} }}\n"
        ));
        let mut taken: Vec<usize> = numbers(&study, "noise").iter().map(|x| (x * slices as f64) as usize).collect();
        taken.sort_unstable();
        assert_eq!(taken, (0..slices).collect::<Vec<_>>(), "{word}");
        assert_eq!(column(&study, "eta").len(), slices);
    }
}

#[test]
fn a_design_chooses_among_texts_and_may_be_conditional() {
    let study = study(
        "kind = ['plain', 'drawn']\n\
         a = { random = { 'model.features.polynomial.basis' = ['legendre', 'chebyshev'], 'data.curve.samples' = { values = [5, 6, 7] } }, count = 6, when = \"kind == 'drawn'\" }\n",
    );
    assert_eq!(study.cells(), 7);
    let drawn: BTreeSet<String> = rows(&study)[1..].iter().cloned().collect();
    assert_eq!(drawn.len(), 6, "all combinations, each once");
    assert_eq!(rows(&study)[0], "plain null null");
}

#[test]
fn overrides_and_the_small_version_reach_into_every_form() {
    let text = format!(
        "{GOOD}\n[sweep]\nwhere = 'degree < 7'\n'model.features.polynomial.degree' = {{ values = [5, 6, 9], when = 'noise > 0' }}\n\
         a = {{ halton = {{ 'data.curve.noise' = {{ uniform = [0.1, 1] }} }}, count = 8 }}\n\
         'train.step_size.relative' = {{ derive = '1 / degree' }}\n[quick]\n'sweep.a.count' = 2\n'sweep.where' = 'degree < 6'\n"
    );
    let cells =
        |quick: bool, sets: &[&str]| version(&text, quick, sets).unwrap_or_else(|error| panic!("{error}")).cells();
    assert_eq!(cells(false, &[]), 16);
    assert_eq!(cells(true, &[]), 2);
    assert_eq!(cells(false, &["sweep.where=degree == 9"]), 8);
    assert_eq!(cells(false, &["sweep.where=[]"]), 24);
    assert_eq!(cells(false, &["sweep.model.features.polynomial.degree.when=noise > 5"]), 8);
    assert_eq!(cells(false, &["train.step_size.relative=0.5"]), 16);
    assert_eq!(cells(false, &["sweep.train.step_size.relative.derive=2 / degree"]), 16);
    let changed = version(&text, true, &["sweep.where=degree == 9"]).unwrap_or_else(|error| panic!("{error}"));
    let again = checked(&changed.text, &[]).unwrap_or_else(|error| panic!("{error}\n{}", changed.text));
    assert_eq!(meanings(&again), meanings(&changed), "{}", changed.text);
}

fn shuffled<T: Clone>(items: &[T], order: &[usize]) -> Vec<T> {
    order.iter().map(|&i| items[i].clone()).collect()
}

proptest! {
    #[test]
    fn the_set_of_cells_does_not_depend_on_the_order_of_the_axes(
        order in Just((0..6_usize).collect::<Vec<_>>()).prop_shuffle(),
        degrees in proptest::collection::btree_set(3_u32..12, 1..4),
        bound in 3_u32..12,
        count in 1_usize..5,
    ) {
        let degrees: Vec<u32> = degrees.into_iter().collect();
        let axes = [
            format!("where = ['degree < {bound} or seed == 0', 'relative < 3']"),
            format!("'model.features.polynomial.degree' = {degrees:?}"),
            format!("'data.curve.noise' = {{ loguniform = [0.1, 1], count = {count}, when = 'degree % 2 == 1' }}"),
            "'train.step_size.relative' = { derive = '6 / degree' }".to_owned(),
            "a = { random = { 'data.curve.samples' = { uniform = [5, 9] } }, count = 2 }".to_owned(),
            "seed = { count = 2 }".to_owned(),
        ];
        let plain = study(&axes.join("\n"));
        let mixed = study(&shuffled(&axes, &order).join("\n"));
        // Counted by hand: noise is swept for odd degrees alone, and 6/degree stays below 3 beyond degree 2.
        let cells = |degree: &u32| {
            let noises = if degree % 2 == 1 { count } else { 1 };
            noises * 2 * if *degree < bound { 2 } else { 1 }
        };
        prop_assert_eq!(plain.cells(), degrees.iter().map(cells).sum::<usize>());
        prop_assert_eq!(meanings(&plain), meanings(&mixed));
        let mut before: Option<Vec<usize>> = None;
        for cell in 0..mixed.cells() {
            // Derived positions are numbered as they come up; the others vary in the order of the file.
            let free: Vec<usize> = mixed.axes.iter().zip(mixed.cell(cell).positions)
                .filter(|(axis, _)| axis.key != "train.step_size.relative").map(|(_, at)| at).collect();
            prop_assert!(before.as_ref().is_none_or(|before| *before < free));
            before = Some(free);
        }
    }

    #[test]
    fn more_values_keep_every_cell(
        few in proptest::collection::btree_set(3_u32..12, 1..4),
        more in proptest::collection::btree_set(3_u32..12, 0..3),
        count in 1_usize..4,
        longer in 0_usize..4,
    ) {
        let sweep = |degrees: &BTreeSet<u32>, count: usize| {
            let degrees: Vec<u32> = degrees.iter().copied().collect();
            study(&format!(
                "where = 'degree + samples != 14'\n'model.features.polynomial.degree' = {degrees:?}\n\
                 a = {{ halton = {{ 'data.curve.samples' = {{ uniform = [5, 50] }}, 'data.curve.noise' = {{ uniform = [0, 1] }} }}, count = {count} }}\n\
                 'train.step_size.relative' = {{ derive = '1 / degree' }}\nseed = {{ count = {count} }}\n"
            ))
        };
        let all: BTreeSet<u32> = few.union(&more).copied().collect();
        prop_assert!(meanings(&sweep(&few, count)).is_subset(&meanings(&sweep(&all, count + longer))));
    }
}
