//! What studies of matrices and factors are told that do not fit together: exact texts, a file per theme.

mod support;

use std::fmt::Write;
use std::path::Path;
use support::Stub;
use taut_sweep::Plan;
use taut_sweep::study::{Changes, Known, StudyError, load};

const TEACHER: &str = "[data.teacher]\ninputs = 4\noutputs = 3\nsingular_values = [3.0, 1.5]\n";
const ROWS: &str = "[data.gaussian]\nsamples = 10\ninputs = 6\nnoise = 0.1\n";
const CURVE: &str =
    "[data.curve]\ntarget = { sine = { frequency = 1 } }\nsamples = 10\ndesign = \"midpoint\"\nnoise = 0.1\n";
const COMPLETION: &str = "[data.completion]\nrows = 4\ncolumns = 3\nrank = 1\nobserved = 7\n";

const DEEP: &str = "parametrization = { deep-linear = { depth = 2, width = 4 } }\n";
const POWER: &str = "parametrization = { hadamard-power = { depth = 2 } }\n";
const SMALL: &str = "init = { gaussian = { scale = 0.1 } }\n";
const EQUAL: &str = "init = { constant = { scale = 0.1 } }\n";

const DESCENT: &str = "step_size = { relative = 0.1 }\nuntil = { steps = 20 }\n";
const ABSOLUTE: &str = "step_size = { absolute = 0.01 }\nuntil = { steps = 20 }\n";
const FLOW: &str = "method = \"gradient-flow\"\nuntil = { time = 20 }\n";

/// A study of these sections.
struct Parts<'a> {
    data: &'a str,
    features: &'a str,
    model: String,
    train: String,
    more: &'a str,
}

/// Two factors that learn a teacher.
fn good() -> Parts<'static> {
    Parts {
        data: TEACHER,
        features: "\"identity\"",
        model: format!("{DEEP}{SMALL}"),
        train: DESCENT.to_owned(),
        more: "",
    }
}

impl Parts<'_> {
    fn text(&self) -> String {
        let Parts { data, features, model, train, more } = self;
        format!("title = \"t\"\n{data}[model]\nfeatures = {features}\n{model}[train]\n{train}{more}")
    }
}

fn model(model: &str) -> Parts<'static> {
    Parts { model: model.to_owned(), ..good() }
}

fn train(train: &str) -> Parts<'static> {
    Parts { train: train.to_owned(), ..good() }
}

fn data(data: &str) -> Parts<'_> {
    Parts { data, ..good() }
}

fn more(more: &str) -> Parts<'_> {
    Parts { more, ..good() }
}

/// What a study is told by its text or its plan; nothing if it is right.
fn told(text: &str) -> String {
    let metrics: Vec<&str> = taut_metrics::METRICS.iter().map(|metric| metric.name).collect();
    let known = Known { metrics: &metrics, theories: &["deep_linear_modes"] };
    let plan = load(text, Path::new("studies/study.toml"), &Changes::default(), &known, &Stub).and_then(Plan::new);
    match plan {
        Ok(_) => String::new(),
        Err(StudyError::Invalid(mistakes)) => mistakes.to_string(),
        Err(other) => panic!("{other}"),
    }
}

/// Compares what all of these are told with `golden/matrix_<theme>.txt`; with `UPDATE_GOLDEN=1` writes it.
fn refused(theme: &str, cases: &[(&str, Parts<'_>)]) {
    let mut found = String::new();
    for (case, study) in cases {
        let told = told(&study.text());
        assert!(!told.is_empty(), "{case}: nothing is wrong with\n{}", study.text());
        writeln!(found, "# {case}\n{told}\n").expect("a string grows");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("matrix_{theme}.txt"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &found).expect("the golden folder can be written");
    }
    let wanted = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, wanted, "{theme}: run with UPDATE_GOLDEN=1 to accept");
}

#[track_caller]
fn accepted(study: &Parts<'_>) {
    assert_eq!(told(&study.text()), "", "{}", study.text());
}

#[test]
fn factors_chain() {
    accepted(&good());
    accepted(&model(&format!("parametrization = {{ deep-linear = {{ widths = [] }} }}\n{SMALL}")));
    let deep = |settings: &str| model(&format!("parametrization = {{ deep-linear = {settings} }}\n{SMALL}"));
    refused(
        "factors",
        &[
            ("depth and widths contradict each other", deep("{ depth = 4, widths = [5, 5] }")),
            ("one width and several", deep("{ width = 4, widths = [5, 5] }")),
            ("no depth", deep("{ width = 4 }")),
            ("no factor", deep("{ depth = 0 }")),
            ("a layer of nothing", deep("{ widths = [4, 0] }")),
            ("more numbers than there is memory", deep("{ depth = 100000, width = 1000 }")),
            ("a name alone", model(&format!("parametrization = \"deep-linear\"\n{SMALL}"))),
            (
                "a square of something that is not",
                model(&format!("parametrization = {{ symmetric = {{ width = 2 }} }}\n{SMALL}")),
            ),
            ("features of a matrix", Parts { features: "{ first-inputs = { count = 3 } }", ..good() }),
        ],
    );
}

#[test]
fn starts_fit_their_models() {
    let start = |init: &str| model(&format!("{DEEP}init = {init}\n"));
    let of_numbers = |init: &str| Parts {
        train: ABSOLUTE.to_owned(),
        ..model(&format!("parametrization = \"hadamard-product\"\ninit = {init}\n"))
    };
    let three = |init: &str| model(&format!("parametrization = {{ deep-linear = {{ depth = 3 }} }}\ninit = {init}\n"));
    accepted(&start("{ aligned = { strengths = [0.1, 0.1, 0.1] } }"));
    accepted(&start("{ lambda-balanced = { lambda = -1.0, scale = 0.0 } }"));
    refused(
        "starts",
        &[
            ("zero", start("\"zero\"")),
            ("the default", model(DEEP)),
            ("Gaussian of size zero", start("{ gaussian = { scale = 0 } }")),
            ("equal zeros", start("{ constant = { scale = 0.0 } }")),
            ("aligned at zero", start("{ aligned = { strengths = [0, 0.0] } }")),
            ("below zero", start("{ orthogonal = { scale = -1 } }")),
            ("aligned without a strength", start("{ aligned = {} }")),
            ("aligned twice", start("{ aligned = { strength = 0.1, strengths = [0.1] } }")),
            ("more strengths than modes", start("{ aligned = { strengths = [0.1, 0.1, 0.1, 0.1] } }")),
            ("aligned numbers", of_numbers("{ aligned = { strength = 0.1 } }")),
            ("balanced numbers", of_numbers("{ balanced = { scale = 0.1 } }")),
            ("orthogonal numbers", of_numbers("{ orthogonal = { scale = 0.1 } }")),
            (
                "a determinant of what is not square",
                start("{ balanced = { scale = 0.1, positive_determinant = true } }"),
            ),
            ("λ above zero in a wide layer", start("{ lambda-balanced = { lambda = 1, scale = 0.1 } }")),
            ("λ of three factors", three("{ lambda-balanced = { lambda = 0, scale = 0.1 } }")),
        ],
    );
}

#[test]
fn starts_from_files_have_the_tensors_of_the_model() {
    let factors = |file: &str, more: &str| model(&format!("{DEEP}init = {{ file = \"{file}.csv\"{more} }}\n"));
    let direct = |file: &str| model(&format!("init = {{ file = \"{file}.csv\" }}\n"));
    accepted(&factors("factors-three", ", only = [\"W1\", \"W2\"]"));
    accepted(&direct("predictor"));
    refused(
        "start_files",
        &[
            ("factors of another shape", factors("factors-small", "")),
            ("a factor too few", factors("factors-one", "")),
            ("a factor too many", factors("factors-three", "")),
            ("a factor that is not asked for", factors("factors-three", ", only = [\"W1\"]")),
            ("factors of zeros", factors("factors-zero", "")),
            ("a predictor instead of factors", factors("predictor", "")),
            ("a predictor as one column", direct("predictor-column")),
            ("a prefix that nothing has", factors("factors-three", ", prefix = \"end_\"")),
        ],
    );
}

#[test]
fn matrices_from_files_make_a_problem() {
    let sources: Vec<String> = [
        "moments\"",
        "no-target\"",
        "two-ways\"",
        "a-stranger\"",
        "not-symmetric\"",
        "not-positive\"",
        "without-variance\"",
        "small-trace\"",
        "half-observed\"",
        "unobserved\"",
        "without-mask\"",
        "by-rows\"",
        "twice\"",
        "ragged-matrix\"",
        "prefixed\"",
        "with-a-mask\"",
        "other-teacher\"",
        "nowhere\"",
        "moments\"\nonly = [\"X\"]",
        "moments\"\nprefix = \"b_\"",
        "by-rows\"\nsamples = \"row\"",
    ]
    .iter()
    .map(|file| match file.split_once('"') {
        Some((name, more)) => format!("[data.matrices]\nfile = \"{name}.csv\"{more}\n"),
        None => unreachable!("every name ends"),
    })
    .collect();
    accepted(&data(&sources[0]));
    accepted(&data("[data.matrices]\nfile = \"by-rows.csv\"\nsamples = \"rows\"\n"));
    accepted(&data("[data.matrices]\nfile = \"prefixed.csv\"\nprefix = \"a_\"\n"));
    let cases: Vec<(&str, Parts<'_>)> =
        sources[1..].iter().map(|source| (source.split('"').nth(1).expect("a file"), data(source))).collect();
    refused("files", &cases);
}

#[test]
fn data_that_cannot_be() {
    let held_out = |table: &str| format!("{TEACHER}[data.{table}]\nsamples = 30\n");
    let [both, test, validation] = [format!("{TEACHER}{CURVE}"), held_out("test"), held_out("validation")];
    refused(
        "data",
        &[
            ("none", data("[data]\n")),
            ("two sources", data(&both)),
            ("test rows of a matrix", data(&test)),
            ("validation rows of a matrix", data(&validation)),
            ("no teacher", data("[data.teacher]\ninputs = 4\noutputs = 3\n")),
            (
                "a teacher twice",
                data("[data.teacher]\ninputs = 4\noutputs = 3\nsingular_values = [1]\nmatrix = \"gaussian\"\n"),
            ),
            ("more modes than there are", data("[data.teacher]\ninputs = 4\noutputs = 1\nsingular_values = [2, 1]\n")),
            (
                "too few samples to whiten",
                data("[data.teacher]\ninputs = 4\noutputs = 3\nsingular_values = [1]\nsamples = 3\nwhiten = true\n"),
            ),
            (
                "more entries than there are",
                data("[data.completion]\nrows = 4\ncolumns = 3\nrank = 1\nobserved = 13\n"),
            ),
            ("a rank too high", data("[data.completion]\nrows = 4\ncolumns = 3\nrank = 4\nobserved = 3\n")),
            ("too many items", data("[data.tree]\nlevels = 13\nbranching = 2\nflip = 0.1\nfeatures = 5\n")),
            (
                "a matrix that no memory holds",
                data("[data.completion]\nrows = 100000\ncolumns = 100000\nrank = 1\nobserved = 9\n"),
            ),
            ("as many measurements", data("[data.sensing]\nsize = 1000\nrank = 1\nmeasurements = 1000\n")),
        ],
    );
}

#[test]
fn solvers_know_their_models() {
    let with = |motion: &str, solver: &str| train(&format!("solver = \"{solver}\"\n{motion}"));
    let numbers = |solver: &str| Parts { model: format!("{POWER}{EQUAL}"), ..with(FLOW, solver) };
    let from = |start: &str, parts: Parts<'static>| Parts { model: format!("{DEEP}init = {{ {start} }}\n"), ..parts };
    accepted(&from("balanced = { scale = 0.1 }", with(FLOW, "riccati")));
    accepted(&from("aligned = { strength = 0.1 }", with(DESCENT, "modes")));
    accepted(&with(FLOW, "adaptive"));
    accepted(&Parts { data: ROWS, ..numbers("dual") });
    refused(
        "solvers",
        &[
            ("a closed form of factors", with(DESCENT, "exact")),
            (
                "moments of factors",
                train("solver = \"moments\"\nmethod = { sgd = { batch = 2 } }\nuntil = { steps = 9 }\n"),
            ),
            ("dual variables of factors", with(FLOW, "dual")),
            ("dual variables of a matrix", numbers("dual")),
            (
                "dual flow under a penalty",
                Parts {
                    data: ROWS,
                    train: format!("solver = \"dual\"\npenalty = {{ ridge = 0.1 }}\n{FLOW}"),
                    ..numbers("dual")
                },
            ),
            ("Riccati's equation of numbers", numbers("riccati")),
            (
                "Riccati's equation of three factors",
                Parts {
                    model: format!("parametrization = {{ deep-linear = {{ depth = 3 }} }}\n{SMALL}"),
                    ..with(FLOW, "riccati")
                },
            ),
            ("Riccati's equation of descent", with(DESCENT, "riccati")),
            (
                "Riccati's equation under a penalty",
                train(&format!("solver = \"riccati\"\npenalty = {{ ridge = 0.1 }}\n{FLOW}")),
            ),
            ("modes of numbers", numbers("modes")),
            ("modes of a flow", with(FLOW, "modes")),
            ("modes under adam", train(&format!("solver = \"modes\"\nmethod = {{ adam = {{}} }}\n{ABSOLUTE}"))),
            ("steps of a flow", with(FLOW, "stepped")),
            ("an integrator of descent", with(DESCENT, "adaptive")),
        ],
    );
}

#[test]
fn motions_of_models_that_are_not_linear() {
    let on_curve = |settings: &str| Parts {
        data: CURVE,
        features: "{ polynomial = { basis = \"legendre\", degree = 5 } }",
        ..train(&format!("{settings}\n{DESCENT}"))
    };
    let numbers = |settings: &str| Parts { data: ROWS, model: format!("{POWER}{EQUAL}"), ..train(settings) };
    accepted(&numbers(ABSOLUTE));
    accepted(&numbers(&format!("method = {{ sgd = {{ batch = 2 }} }}\n{ABSOLUTE}")));
    accepted(&train(
        "method = { group-rmsprop = {} }\nreduce = true\nstep_size = { absolute = 0.01 }\nuntil = { steps = 9 }\n",
    ));
    refused(
        "motions",
        &[
            ("a relative step size of numbers", numbers(DESCENT)),
            ("the default step size of numbers", numbers("until = { steps = 20 }\n")),
            (
                "a relative step size of steps of one length",
                train("method = { group-rmsprop = {} }\nuntil = { steps = 9 }\n"),
            ),
            ("batches of a matrix", train(&format!("method = {{ sgd = {{ batch = 2 }} }}\n{DESCENT}"))),
            ("noisy labels of a matrix", train(&format!("noise = {{ labels = 0.1 }}\n{DESCENT}"))),
            ("masks of a matrix", train(&format!("dropout = {{ keep = 0.5 }}\n{DESCENT}"))),
            ("masks of factors", on_curve("dropout = { keep = 0.5 }")),
            ("a bending penalty of factors", on_curve("penalty = { bending = 0.1 }")),
            ("a bending penalty of a matrix", train(&format!("penalty = {{ bending = 0.1 }}\n{DESCENT}"))),
            ("a continuation of factors", on_curve("continuation = { degree = [0, 5] }")),
            (
                "a continuation of a matrix",
                Parts { model: String::new(), ..train(&format!("continuation = {{ ridge = [0.1, 0] }}\n{DESCENT}")) },
            ),
            ("a reduction under adam", train(&format!("method = {{ adam = {{}} }}\nreduce = true\n{ABSOLUTE}"))),
            ("a reduction of numbers", numbers(&format!("reduce = false\n{ABSOLUTE}"))),
            ("a tolerance of steps", train(&format!("tolerance = 1e-9\n{DESCENT}"))),
            ("a tolerance beyond all digits", train(&format!("tolerance = 1e-300\n{FLOW}"))),
            ("a tolerance of anything", train(&format!("tolerance = 10\n{FLOW}"))),
            ("units of a relative step size", train(&format!("loss = \"mean\"\n{DESCENT}"))),
            ("units of a flow", train(&format!("loss = \"half-sum\"\n{FLOW}"))),
        ],
    );
}

#[test]
fn records_of_matrices() {
    let metrics = |metrics: &str| format!("[record]\nmetrics = [{metrics}]\n");
    let [of_rows, of_others, of_factors] = [
        metrics("\"risk\", \"bending_energy\", \"degrees_of_freedom\""),
        metrics(
            "\"mse_unobserved\", \"determinant\", \"log_effective_alpha_mean\", \"effective_alpha_identity_error\"",
        ),
        metrics("\"balancedness_gap\", \"factor_norm_max\", \"balancedness_identity_error\", \"nuclear_norm\""),
    ];
    let seen = metrics("\"mse_unobserved\", \"test_error_learned\"");
    accepted(&Parts {
        data: COMPLETION,
        ..more("[record]\nmetrics = [\"mse_unobserved\"]\ntables = [\"modes\", \"parameters\"]\n")
    });
    let cases = "[sweep]\nmodel.cases.direct = { \"model.parametrization\" = \"direct\" }\n\
                 model.cases.deep = { \"model.parametrization\" = { deep-linear = { depth = 2 } } }\n";
    let limit = format!("[record]\nlimit = true\n{cases}");
    let inf = format!("[record]\ntimes = {{ steps = [0, inf] }}\n{cases}");
    let mixed = |more| Parts { data: ROWS, model: SMALL.to_owned(), more, ..good() };
    let many = Parts { train: "until = { steps = 1e12 }\n".to_owned(), ..mixed(cases) };
    refused(
        "records",
        &[
            ("metrics of functions", more(&of_rows)),
            ("metrics of other matrices", more(&of_others)),
            ("metrics of factors that are none", Parts { data: ROWS, model: String::new(), ..more(&of_factors) }),
            ("metrics of factors of a matrix that has none", Parts { model: String::new(), ..more(&of_factors) }),
            (
                "every entry seen",
                Parts { data: "[data.completion]\nrows = 4\ncolumns = 3\nrank = 1\nobserved = 12\n", ..more(&seen) },
            ),
            ("the limit", more("[record]\nlimit = true\n")),
            (
                "the limit of a flow",
                Parts { train: FLOW.to_owned(), ..more("[record]\ntimes = { times = [0, inf] }\n") },
            ),
            ("the limit beside cells that have one", mixed(&limit)),
            ("inf beside cells that have one", mixed(&inf)),
            ("steps beside cells that need none", many),
            ("curves", more("[record]\ntables = [\"modes\", \"curves\"]\n")),
            ("points", more("[record]\ntables = [\"samples\"]\n")),
            ("factors of a predictor", Parts { model: String::new(), ..more("[record]\ntables = [\"factors\"]\n") }),
            ("solutions", more("[solutions]\nridge = { lambda = [0.1] }\n")),
            ("a choice", more("[choose]\nby = [\"loo\"]\n")),
        ],
    );
}

#[test]
fn matrices_and_rows_in_one_study() {
    let both = "[record]\ntables = [\"modes\", \"curves\", \"parameters\"]\n[solutions]\nmin-norm = {}\n[sweep]\n\
                kind.cases.rows = { \"data.gaussian\" = { samples = 9, inputs = 4 } }\n\
                kind.cases.matrix = { \"data.teacher\" = { inputs = 4, outputs = 3, singular_values = [2] } }\n";
    accepted(&Parts { data: "", model: SMALL.to_owned(), ..more(both) });
    refused(
        "sources",
        &[(
            "two sources in one cell",
            more(
                "[sweep]\nd.cases.a = { \"data.teacher.noise\" = 0.1 }\nd.cases.b = { \"data.gaussian\" = { samples = 3, inputs = 2 } }\n",
            ),
        )],
    );
}
