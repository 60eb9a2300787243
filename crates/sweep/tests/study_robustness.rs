//! Mangled studies are refused in words or are good; nothing panics.

mod support;

use support::*;
use taut_sweep::study::StudyError;

const RICH: &str = r#"title = "Rich" # a comment
question = "Why?"
seed = 3

[data.curve]
x = [-1, 0.5, 1.0]
y = [0, 1, 4e0]
target = { sine = { frequency = 2 } }

[model.features.polynomial]
basis = "legendre-orthonormal"
degree = 20

[model]
init.gaussian.scale = 1e-3

[train]
method = "gradient-descent"
until = { steps = 1e6, loss = 1e-12 }
solver = "auto"

[record]
times = { steps = [0, 1, 10, inf] }
metrics = ["risk", "loss"]
tables = ["modes", "curves"]
theory = ["exact_path"]
curves.points = 11

[solutions]
ridge = { lambda = { logspace = [1e-6, 1], count = 7 } }
random-interpolator = { draws = 5, law = ["same", "ball"] }
least-squares.degree = 2

[sweep]
where = ["power < 2 or constant_of == 1", "not (seed == 2 and map == 'b')"]
seed = { count = 3 }
constant_of = { values = [1, 2], when = "map == 'a'" }
"train.until.steps" = { derive = "round(1e6 / (constant_of + scale ^ 2))" }
points = { latin-hypercube = { "model.init.gaussian.scale" = { loguniform = [1e-3, 1] } }, count = 2, when = "map == 'a'" }
"model.features.polynomial.decay" = { name = "power", linspace = [0, 2], count = 3 }
map = { cases = { a = { "model.parametrization" = "direct" }, b = { "model.features.polynomial.constant" = false } } }
both = { zip = { "train.step_size.relative" = [0.5, 1], train.allow_unstable = [true, false] } }

[[claim]]
says = "ü"
sql = "SELECT 1"
between = [0, 2]

[[figure]]
title = "f"
sql = "SELECT 1"
x = "step"
y = { column = "risk", scale = "log" }
"#;

#[test]
fn the_rich_study_is_good() {
    let study = checked(RICH, &[]).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(study.cells(), 72);
    assert_eq!((study.study.claim.len(), study.study.figure.len(), study.study.solutions.rows()), (1, 1, 19));
}

/// The rich study with some bytes replaced, as people and editors do.
fn mangled() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::*;
    let pieces = prop::sample::select(vec![
        "",
        "\"",
        "[",
        "]",
        "{",
        "}",
        "=",
        ".",
        ",",
        "\n",
        "nan",
        "inf",
        "-1",
        "1e400",
        "0",
        "x",
        "é",
        "[sweep]\n",
        "zip",
        "cases",
        "values",
        "true",
        "{}",
        "[]",
        "\"\"",
        "seed",
        "data",
        "1979-05-27",
        "where",
        "when",
        "derive",
        " < ",
        "(",
        "halton",
        "uniform",
    ]);
    let edits = prop::collection::vec((0..RICH.len(), 0_usize..9, pieces), 1..4);
    edits.prop_map(|edits| {
        let mut text = RICH.to_owned();
        for (at, length, piece) in edits {
            let boundary = |mut i: usize| {
                i = i.min(text.len());
                while !text.is_char_boundary(i) {
                    i -= 1;
                }
                i
            };
            let (start, end) = (boundary(at), boundary(at + length));
            text.replace_range(start..end.max(start), piece);
        }
        text
    })
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(2000))]
    #[test]
    fn a_mangled_study_is_refused_with_a_place_or_is_good(text in mangled()) {
        match checked(&text, &[]) {
            Err(StudyError::Invalid(mistakes)) => {
                proptest::prop_assert!(!mistakes.is_empty());
                for item in mistakes.items() {
                    let (file, line, _) = mistakes.position(item);
                    proptest::prop_assert!(file == "studies/study.toml" && line <= text.lines().count().max(1) + 1);
                }
                proptest::prop_assert!(mistakes.to_string().contains("error: "));
                proptest::prop_assert!(mistakes.render(true).contains('\x1b'));
            }
            Err(other) => proptest::prop_assert!(false, "{other}"),
            Ok(study) => {
                let last = study.cell(study.cells() - 1).canonical();
                proptest::prop_assert!(!last.is_empty());
            }
        }
    }

    #[test]
    fn a_mangled_set_is_refused_or_good(path in "[a-z._\"\\[\\]{}=-]{0,12}", value in "[a-z0-9.,\"\\[\\]{}= -]{0,12}") {
        let set = format!("{path}={value}");
        if let Err(error) = checked(RICH, &[&set, &path]) {
            proptest::prop_assert!(!error.to_string().is_empty());
        }
    }
}
