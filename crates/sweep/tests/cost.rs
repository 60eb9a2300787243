//! The work of cells, as it is estimated from their settings.

mod support;

use support::{GAUSSIAN, GOOD, checked};
use taut_sweep::Plan;

fn plan(text: &str) -> Plan {
    let study = checked(text, &[]).unwrap_or_else(|error| panic!("{error}"));
    Plan::new(study).unwrap_or_else(|error| panic!("{error}"))
}

/// The work of the cells of one axis, in its order.
fn works(study: &str, axis: &str) -> Vec<f64> {
    let plan = plan(&format!("{study}\n[sweep]\n{axis}\n"));
    (0..plan.cells()).map(|cell| plan.work_of_cell(cell)).collect()
}

const STEPPED: &str = "[train]\nsolver = \"stepped\"";

#[test]
fn more_of_anything_is_more_work() {
    let stepped = GOOD.replace("[train]", STEPPED);
    let factors = GAUSSIAN.replace(
        "features = \"identity\"",
        "features = \"identity\"\nparametrization = { deep-linear = { depth = 2, width = 4 } }\ninit = { gaussian = { scale = 0.1 } }",
    );
    for (study, axis) in [
        (GOOD, "\"data.curve.samples\" = [5, 10, 20, 60, 200]"),
        (GOOD, "\"model.features.polynomial.degree\" = [5, 10, 40, 100]"),
        (&stepped, "\"train.until.steps\" = [10, 1e3, 1e6, 1e9]"),
        (GAUSSIAN, "\"data.gaussian.inputs\" = [2, 10, 100, 400]"),
        (&factors, "\"train.until.steps\" = [10, 1e3, 1e6]"),
        (&factors, "\"model.parametrization.deep-linear.width\" = [4, 16, 64]"),
        (&factors, "\"model.parametrization.deep-linear.depth\" = [2, 3, 5]"),
    ] {
        let works = works(study, axis);
        assert!(works.windows(2).all(|pair| pair[0] < pair[1]), "{axis}: {works:?}");
        assert!(works.iter().all(|work| work.is_finite() && *work >= 1.0), "{axis}: {works:?}");
    }
}

/// Eight lanes take hardly longer than one: a bundle that the end of a part cuts is lanes lost.
#[test]
fn parts_of_long_cells_are_whole_bundles() {
    let factors = GAUSSIAN.replace(
        "features = \"identity\"",
        "features = \"identity\"\nparametrization = { deep-linear = { depth = 2, width = 4 } }\ninit = { gaussian = { scale = 0.1 } }",
    );
    let mut parts = Vec::new();
    for steps in ["10", "1e5", "1e6", "3e6", "1e7", "1e8", "1e9"] {
        let steps = format!("[sweep]\nseed = {{ count = 160 }}\n\"train.until.steps\" = [{steps}]\n");
        let plan = plan(&format!("{factors}\n{steps}"));
        assert_eq!(plan.bundles(), Some(20), "{steps}");
        parts.push(plan.parts());
    }
    assert!(parts.windows(2).all(|pair| pair[0] <= pair[1]), "longer cells make smaller parts: {parts:?}");
    assert_eq!((parts[0], parts[parts.len() - 1]), (1, 20));
}

#[test]
fn a_closed_form_takes_as_long_for_any_number_of_steps() {
    let works = works(GOOD, "\"train.until.steps\" = [1e3, 1e6, 1e12]");
    assert!(works[2] < 1.5 * works[0], "{works:?}");
}

#[test]
fn what_cells_share_counts_once() {
    // One design, ten step sizes: one decomposition.
    let sizes: Vec<String> = (1..=10).map(|i| format!("{}", 0.1 * f64::from(i))).collect();
    let study = GOOD.replace("samples = 10", "samples = 300").replace("noise = 0.1\n", "");
    let plan = plan(&format!("{study}\n[sweep]\n\"train.step_size.relative\" = [{}]\n", sizes.join(", ")));
    let cells: Vec<usize> = (0..10).collect();
    let (together, alone) = (plan.work_of(&cells), (0..10).map(|cell| plan.work_of(&[cell])).sum::<f64>());
    assert!(together < 0.8 * alone && together > plan.work_of(&[0]), "{together:e} {alone:e}");
}

#[test]
fn lanes_side_by_side_take_as_long_as_the_longest() {
    let study = GOOD.replace("[train]", STEPPED);
    let plan = plan(&format!("{study}\n[sweep]\n\"train.until.steps\" = [1e5, 1e6]\nseed = {{ count = 4 }}\n"));
    let (short, long) = (plan.work_of(&[0]), plan.work_of(&[4]));
    let both = plan.work_of(&[0, 4]);
    assert!(both > long && both < long + 0.5 * short, "{short:e} {long:e} {both:e}");
    assert!((plan.work_of_cell(0) - plan.work_of_cell(3)).abs() < 1.0, "replicates differ in nothing");
}

#[test]
fn estimates_are_the_same_every_time() {
    let text = format!("{GOOD}\n[sweep]\n\"data.curve.samples\" = [5, 10, 20]\nseed = {{ count = 3 }}\n");
    let bits = || -> Vec<u64> {
        let plan = plan(&text);
        (0..plan.cells()).map(|cell| plan.work_of_cell(cell).to_bits()).collect()
    };
    assert_eq!(bits(), bits());
}
