//! What mistakes in conditions, derived values, filters and designs are told: exact texts.

mod support;

use support::*;

/// Mistakes of the good study with this `[sweep]`.
fn refused(name: &str, sweep: &str) {
    accept(name, &mistakes(&format!("{GOOD}\n[sweep]\n{sweep}"), &[]));
}

/// The same with an axis of degrees to speak of.
fn refused_beside_degrees(name: &str, sweep: &str) {
    refused(name, &format!("\"model.features.polynomial.degree\" = [5, 6]\n{sweep}"));
}

/// What is odd about a study that is allowed.
fn warned(name: &str, sweep: &str) {
    let study = checked(&format!("{GOOD}\n[sweep]\n{sweep}"), &[]).unwrap_or_else(|error| panic!("{error}"));
    accept(name, &study.warnings().expect("there is something odd"));
}

#[test]
fn expressions() {
    refused_beside_degrees("where_unknown_column", "where = \"dgree < 4 and smaples > 3\"\n");
    refused_beside_degrees("where_unknown_path", "where = \"model.features.polynomial.dgree < 4\"\n");
    refused_beside_degrees("where_unwritten_path", "where = \"train.until.loss < 4 or noise > 2\"\n");
    refused_beside_degrees("where_syntax", "where = '''\ndegree <\n  and 4'''\n");
    refused_beside_degrees("where_sign", "where = [\"degree < 10\", \"degree | 3\"]\n");
    refused_beside_degrees("where_number", "where = \"degree + 4\"\n");
    refused_beside_degrees("where_text", "where = \"degree == 'five'\"\n");
    refused_beside_degrees("where_no_text", "where = true\n");
    refused_beside_degrees("where_function", "where = \"sqr(degree) < 4\"\n");
    refused_beside_degrees("where_escaped", "where = \"degree \\u003c 4 and dgree > 3\"\n");
    refused_beside_degrees("where_everything", "where = \"degree > 10\"\nseed = { count = 3 }\n");
    accept("where_set", &mistakes(&format!("{GOOD}\n[sweep]\nseed = {{ count = 3 }}\n"), &["sweep.where=seed < tow"]));
}

#[test]
fn derived_values() {
    refused_beside_degrees("derive_not_whole", "\"data.curve.samples\" = { derive = \"degree / 4\" }\n");
    refused_beside_degrees("derive_out_of_range", "\"train.step_size.relative\" = { derive = \"1 / (degree - 5)\" }\n");
    refused_beside_degrees("derive_wrong_type", "\"data.curve.noise\" = { derive = \"if(degree > 5, 'a', 'b')\" }\n");
    refused_beside_degrees(
        "derive_unknown_name",
        "\"model.features.polynomial.basis\" = { derive = \"'legnedre'\" }\n",
    );
    refused_beside_degrees("derive_words", "\"data.curve.noise\" = { derive = \"degree\", count = 3 }\n");
    refused_beside_degrees("derive_a_table", "\"data.curve.target.line\" = { derive = \"degree\" }\n");
    refused_beside_degrees(
        "derive_twice",
        "\"model.features.polynomial.decay\" = [1, 2]\nz = { zip = { \"model.features.polynomial.decay\" = { values = [1, 2], name = \"power\" } } }\n",
    );
    refused(
        "derive_circle",
        "\"data.curve.noise\" = { derive = \"relative / 2\" }\n\"train.step_size.relative\" = { derive = \"noise + decay\" }\n\
         \"model.features.polynomial.decay\" = { values = [1, 2], when = \"noise > 1\" }\n",
    );
    refused("derive_mixed", "k = [1, 2]\nlabel = { derive = \"if(k > 1, 'a', 3)\" }\n");
    refused("derive_reserved", "\"data.curve.noise\" = [1, 2]\nrank = { derive = \"noise\" }\n");
    refused("derive_repeats", "k = [1, 2, 3]\n\"data.curve.samples\" = { derive = \"10 + floor(k / 2)\" }\n");
}

#[test]
fn conditional_axes() {
    let map = "map.cases = { poly = { \"model.features\" = { polynomial = { basis = \"legendre\", degree = 3 } } }, cos = { \"model.features\" = { cosine = { harmonics = 9 } } } }\n";
    refused(
        "when_other_kind",
        &format!("{map}\"model.features.polynomial.degree\" = {{ values = [5, 6], when = \"map != 'poly'\" }}\n"),
    );
    refused(
        "when_twice",
        &format!(
            "{map}a = {{ cases = {{ x = {{ \"data.curve.noise\" = 1 }} }}, when = \"map == 'poly'\" }}\n\"data.curve.noise\" = {{ values = [1, 2], when = \"map != 'sin'\" }}\n"
        ),
    );
    refused("when_seed", "seed = { count = 3, when = \"noise > 1\" }\n");
    refused(
        "when_no_condition",
        "\"data.curve.noise\" = [1, 2]\n\"train.step_size.relative\" = { values = [0.5, 1], when = \"noise\" }\n",
    );
    refused(
        "when_unused_label",
        "sizes = [10, 20]\n\"data.curve.noise\" = { values = [1, 2], when = \"size > 10\" }\n",
    );
    refused("when_beside_nothing", "\"data.curve.noise\" = { when = \"seed > 1\" }\nseed = { count = 3 }\n");
}

#[test]
fn designs() {
    refused("design_empty", "a = { halton = {}, count = 3 }\n");
    refused("design_no_count", "a = { halton = { \"data.curve.noise\" = { uniform = [0, 1] } } }\n");
    refused(
        "design_count_inside",
        "a = { random = { \"data.curve.noise\" = { uniform = [0, 1], count = 3 } }, count = 3 }\n",
    );
    refused("design_no_law", "a = { random = { \"data.curve.noise\" = { linspace = [0, 1] } }, count = 3 }\n");
    refused(
        "design_ends",
        "a = { latin-hypercube = { \"data.curve.noise\" = { loguniform = [0, 1] }, \"data.curve.samples\" = { uniform = [9, 5] } }, count = 3 }\n",
    );
    refused("design_not_whole", "a = { halton = { \"data.curve.samples\" = { uniform = [2.5, 9] } }, count = 3 }\n");
    refused(
        "design_too_few",
        "a = { latin-hypercube = { \"data.curve.samples\" = { uniform = [5, 9] } }, count = 30 }\n",
    );
    refused("design_misspelt", "a = { haltom = { \"data.curve.samples\" = { uniform = [5, 9] } }, count = 30 }\n");
    refused("uniform_too_few", "\"data.curve.samples\" = { uniform = [5, 9], count = 6 }\n");
    refused("uniform_out_of_range", "\"data.curve.noise\" = { uniform = [-2, -1], count = 2 }\n");
}

#[test]
fn odd_conditions() {
    warned("where_nothing", "where = [\"noise < 10\", \"noise < 1.5\"]\n\"data.curve.noise\" = [1, 2]\n");
    warned(
        "when_never",
        "\"data.curve.noise\" = [1, 2]\n\"train.step_size.relative\" = { values = [0.5, 1], when = \"noise > 3\" }\n",
    );
    warned(
        "where_stranger",
        "where = \"basis == 'legnedre' or noise == 1\"\n\"data.curve.noise\" = [1, 2]\n\"model.features.polynomial.basis\" = [\"legendre\", \"chebyshev\"]\n",
    );
}
