//! Odd and valid studies: none may panic, hang, or say something silly.

mod support;

use std::time::Duration;
use support::study::{Bench, finish};

/// No study here takes a second.
const PATIENCE: Duration = Duration::from_secs(30);

const BASE: &str = r#"
title = "odd"

[data.curve]
target = { sine = { frequency = 1 } }
samples = 10
design = "midpoint"
noise = 0.2

[model]
features = { polynomial = { basis = "legendre-orthonormal", degree = 20 } }
init = "zero"

[train]
until = { steps = 1e6 }

[record]
times = { geometric = 12 }
limit = true
tables = ["modes", "curves", "parameters"]
theory = ["min_norm_limit", "mode_filters"]
curves = { points = 5 }

[solutions]
min-norm = {}
min-bending = {}
smoothing-spline = { select = "loo" }
smoothing-features = { mu = [1e-3, 1] }
ridge = { lambda = [1e-6, 1] }
random-interpolator = { draws = 5, law = ["same", "unit", "ball"] }
"#;

const POINTS: &str = "samples = 10\ndesign = \"midpoint\"\nnoise = 0.2";
const TARGET: &str = "sine = { frequency = 1 }";
const FEATURES: &str = "polynomial = { basis = \"legendre-orthonormal\", degree = 20 }";
const END: &str = "until = { steps = 1e6 }";
/// A loss that is infinite at the start counts as diverged at step 0.
const LEAVE: &str = "allow_unstable = true\nuntil = { steps = 1e6 }";
const LINE: &str = "line = { intercept = 0.3, slope = 0.8 }";

/// Rows that are no points on a line, under every solution and with every table.
const ROWS: &str = r#"
title = "odd rows"

[data.gaussian]
samples = 10
inputs = 20
noise = 0.2

[model]
features = "identity"
init = "zero"

[train]
until = { steps = 1e4 }

[record]
times = { geometric = 12 }
limit = true
tables = ["modes", "curves", "parameters"]
theory = [
  "min_norm_limit", "mode_filters", "benign_overfitting_ranks", "epochwise_double_descent", "isotropic_ridge_risk",
  "gradient_flow_against_ridge", "marchenko_pastur_dynamics", "ridgeless_finite_n",
]

[solutions]
least-squares = { degree = 3 }
min-norm = {}
min-bending = {}
natural-spline = {}
smoothing-spline = { select = "loo" }
smoothing-features = { mu = [1e-3, 1] }
ridge = { lambda = [1e-6, 1] }
random-interpolator = { draws = 5, law = ["same", "unit", "ball"] }

[sweep]
seed = { count = 2 }
"#;

const SOURCE: &str = "[data.gaussian]\nsamples = 10\ninputs = 20\nnoise = 0.2";
const CURVE: &str =
    "[data.curve]\ntarget = { sine = { frequency = 1 } }\nsamples = 10\ndesign = \"midpoint\"\nnoise = 0.2";

/// Name and edits of every odd study of rows.
const ODD_ROWS: &[(&str, Edits)] = &[
    ("plain", &[]),
    ("one sample", &[("samples = 10", "samples = 1")]),
    ("one input", &[("inputs = 20", "inputs = 1")]),
    ("one sample of one input", &[("samples = 10", "samples = 1"), ("inputs = 20", "inputs = 1")]),
    ("as many samples as inputs", &[("samples = 10", "samples = 20")]),
    ("more samples than inputs", &[("samples = 10", "samples = 50")]),
    ("no noise", &[("noise = 0.2", "noise = 0")]),
    ("noise by its ratio", &[("noise = 0.2", "snr = 1e-3")]),
    ("hardly any signal", &[("noise = 0.2", "signal = 1e-300")]),
    ("nearly all of the signal unseen", &[("noise = 0.2", "unseen = 0.999999")]),
    ("a steep power law", &[("noise = 0.2", "covariance = { power-law = { exponent = 40 } }")]),
    ("dense", &[("inputs = 20", "inputs = 2\ncovariance = { dense = [[1, 0.999], [0.999, 1]] }")]),
    (
        "dense, the first input",
        &[
            ("inputs = 20", "inputs = 2\ncovariance = { dense = [[1, 0.999], [0.999, 1]] }"),
            ("\"identity\"", "{ first-inputs = { count = 1 } }"),
        ],
    ),
    ("a sparse teacher", &[("noise = 0.2", "teacher = { sparse = { nonzeros = 20 } }")]),
    ("a teacher of zeros", &[("inputs = 20", "inputs = 2\nteacher = { explicit = [0, 0] }")]),
    ("the first inputs", &[("\"identity\"", "{ first-inputs = { count = 3 } }")]),
    ("rectified features", &[("\"identity\"", "{ random-relu = { count = 30 } }")]),
    ("waves", &[("\"identity\"", "{ random-fourier = { count = 30, bandwidth = 3 } }")]),
    ("narrow waves", &[("\"identity\"", "{ random-fourier = { count = 30, bandwidth = 1e-300 } }")]),
    (
        "a polynomial of one Gaussian input",
        &[("inputs = 20", "inputs = 1"), ("\"identity\"", "{ polynomial = { basis = \"legendre\", degree = 5 } }")],
    ),
    ("a polynomial of many inputs", &[("\"identity\"", "{ polynomial = { basis = \"legendre\", degree = 5 } }")]),
    ("rows held out", &[("[model]", "[data.test]\nsamples = 30\n[data.validation]\nsamples = 1\n[model]")]),
    ("a table", &[(SOURCE, "[data.table]\nx = [[1, 20], [-3, 1e6], [0, 0]]\ny = [1, 2, 3]")]),
    ("a table of one row", &[(SOURCE, "[data.table]\nx = [[7]]\ny = [1]")]),
    ("a table of zeros", &[(SOURCE, "[data.table]\nx = [[0, 0], [0, 0]]\ny = [1, 2]")]),
    (
        "a curve under rectified features",
        &[(SOURCE, CURVE), ("\"identity\"", "{ random-relu = { count = 30, bias = true } }")],
    ),
    (
        "a curve under waves",
        &[(SOURCE, CURVE), ("\"identity\"", "{ random-fourier = { count = 30, bandwidth = 0.3 } }")],
    ),
    ("a line through zero", &[(SOURCE, CURVE)]),
    (
        "points held out",
        &[
            (SOURCE, CURVE),
            ("[model]", "[data.test]\nsamples = 30\n[data.validation]\nsamples = 30\n[model]"),
            ("\"identity\"", "{ cosine = { harmonics = 20 } }"),
        ],
    ),
    ("a constant start", &[("\"zero\"", "{ constant = { scale = -2 } }")]),
    ("flow", &[(ROWS_END, "method = \"gradient-flow\"\nuntil = { time = 1e3 }")]),
    ("stepped", &[("limit = true\n", ""), (ROWS_END, "solver = \"stepped\"\nuntil = { steps = 200 }")]),
];

const ROWS_END: &str = "until = { steps = 1e4 }";

/// A matrix that two factors learn, with every table and many theories.
const FACTORS: &str = r#"
title = "odd factors"

[data.teacher]
inputs = 4
outputs = 3
singular_values = [3, 1.5]
samples = 9
noise = 0.2

[model]
features = "identity"
parametrization = { deep-linear = { depth = 2 } }
init = { gaussian = { scale = 0.1 } }

[train]
step_size = { relative = 0.1 }
until = { steps = 200 }

[record]
times = { geometric = 12 }
tables = ["modes", "arrivals", "factors", "parameters", "hessian"]
theory = [
  "min_norm_limit", "deep_linear_modes", "random_start_modes", "unbalanced_modes", "lambda_balanced_riccati",
  "balancedness_drift", "balanced_minimum_sharpness", "singular_value_flow", "nuclear_norm_minimizer",
  "saddle_to_saddle_events", "noisy_teacher_generalization", "effective_alpha_drift", "hierarchical_tree",
]
"#;

const OF_FACTORS: &str =
    "[data.teacher]\ninputs = 4\noutputs = 3\nsingular_values = [3, 1.5]\nsamples = 9\nnoise = 0.2";
const TWO: &str = "{ deep-linear = { depth = 2 } }";
const NORMAL: &str = "{ gaussian = { scale = 0.1 } }";
const DESCENT: &str = "step_size = { relative = 0.1 }\nuntil = { steps = 200 }";
const FLOW: &str = "method = \"gradient-flow\"\nuntil = { time = 20 }";
const NO_FACTORS: (&str, &str) = ("\"factors\", ", "");
const WHITE: (&str, &str) = ("samples = 9\n", "");

/// Name and edits of every odd study of matrices and factors.
const ODD_FACTORS: &[(&str, Edits)] = &[
    ("plain", &[]),
    ("one number", &[("inputs = 4", "inputs = 1"), ("outputs = 3", "outputs = 1"), ("[3, 1.5]", "[3]")]),
    ("one output", &[("outputs = 3", "outputs = 1"), ("[3, 1.5]", "[3]")]),
    ("one input", &[("inputs = 4", "inputs = 1"), ("[3, 1.5]", "[3]")]),
    ("one sample", &[("samples = 9", "samples = 1")]),
    ("whitened without noise", &[WHITE, ("noise = 0.2", "noise = 0")]),
    ("equal modes", &[WHITE, ("[3, 1.5]", "[2, 2]")]),
    ("a hardly visible mode", &[("[3, 1.5]", "[3, 1e-200]")]),
    ("a Gaussian teacher", &[("singular_values = [3, 1.5]", "matrix = \"gaussian\"")]),
    ("shuffled", &[("noise = 0.2", "shuffle = \"outputs\"")]),
    ("whitened samples", &[("noise = 0.2", "whiten = true")]),
    ("a steep covariance", &[("noise = 0.2", "covariance = { power-law = { exponent = 20 } }")]),
    ("a tree of one item", &[(OF_FACTORS, "[data.tree]\nlevels = 1\nbranching = 1\nflip = 0.1\nfeatures = 1")]),
    ("a tree", &[(OF_FACTORS, "[data.tree]\nlevels = 2\nbranching = 3\nflip = 0.1\nfeatures = 20")]),
    ("a tree of coins", &[(OF_FACTORS, "[data.tree]\nlevels = 2\nbranching = 2\nflip = 0.5\nfeatures = 9")]),
    ("one entry of one", &[(OF_FACTORS, "[data.completion]\nrows = 1\ncolumns = 1\nrank = 1\nobserved = 1")]),
    ("one entry of many", &[(OF_FACTORS, "[data.completion]\nrows = 5\ncolumns = 4\nrank = 2\nobserved = 1")]),
    ("every entry", &[(OF_FACTORS, "[data.completion]\nrows = 5\ncolumns = 4\nrank = 2\nobserved = 20\nnoise = 1")]),
    ("one measurement", &[(OF_FACTORS, "[data.sensing]\nsize = 4\nrank = 1\nmeasurements = 1")]),
    (
        "diagonal measurements",
        &[(OF_FACTORS, "[data.sensing]\nsize = 4\nrank = 2\nmeasurements = 9\nkind = \"diagonal\"")],
    ),
    (
        "a square",
        &[
            (OF_FACTORS, "[data.sensing]\nsize = 4\nrank = 1\nmeasurements = 12"),
            (TWO, "{ symmetric = { width = 2 } }"),
            NO_FACTORS,
        ],
    ),
    ("one factor", &[(TWO, "{ deep-linear = { widths = [] } }")]),
    ("seven factors", &[(TWO, "{ deep-linear = { depth = 7, width = 3 } }")]),
    ("a needle's eye", &[(TWO, "{ deep-linear = { widths = [9, 1, 9] } }")]),
    ("the predictor itself", &[(TWO, "\"direct\""), NO_FACTORS]),
    ("the predictor itself from zero", &[(TWO, "\"direct\""), (NORMAL, "\"zero\""), NO_FACTORS]),
    ("numbers", &[(TWO, "{ hadamard-power = { depth = 2 } }"), ("relative = 0.1", "absolute = 0.01"), NO_FACTORS]),
    ("cubes", &[(TWO, "{ hadamard-power = { depth = 3 } }"), ("relative = 0.1", "absolute = 0.01"), NO_FACTORS]),
    ("products", &[(TWO, "\"hadamard-product\""), ("relative = 0.1", "absolute = 0.01"), NO_FACTORS]),
    (
        "numbers on points",
        &[
            (OF_FACTORS, "[data.gaussian]\nsamples = 3\ninputs = 6"),
            (TWO, "{ hadamard-power = { depth = 2 } }"),
            (NORMAL, "{ constant = { scale = 1e-3 } }"),
            ("relative = 0.1", "absolute = 0.01"),
            NO_FACTORS,
        ],
    ),
    ("factors on points", &[(OF_FACTORS, SOURCE), ("relative = 0.1", "relative = 0.01")]),
    ("factors on a curve without features", &[(OF_FACTORS, CURVE)]),
    ("a start below all numbers", &[(NORMAL, "{ gaussian = { scale = 1e-200 } }")]),
    ("a balanced start", &[(NORMAL, "{ balanced = { scale = 0.1 } }")]),
    ("a start of rank one", &[(NORMAL, "{ constant = { scale = 0.1 } }")]),
    ("an aligned start", &[WHITE, (NORMAL, "{ aligned = { strength = 1e-3 } }")]),
    ("modes by themselves", &[WHITE, (NORMAL, "{ aligned = { strengths = [0.1] } }"), (DESCENT, MODES)]),
    (
        "Riccati's equation",
        &[WHITE, (NORMAL, "{ lambda-balanced = { lambda = -1, scale = 0.1 } }"), (DESCENT, RICCATI)],
    ),
    ("flow", &[(DESCENT, FLOW)]),
    ("flow for no time", &[(DESCENT, "method = \"gradient-flow\"\nuntil = { time = 0 }")]),
    ("flow to a loss", &[(DESCENT, "method = \"gradient-flow\"\nuntil = { time = 20, loss = 1 }")]),
    ("flow with hardly any care", &[(DESCENT, "method = \"gradient-flow\"\ntolerance = 0.1\nuntil = { time = 20 }")]),
    ("momentum", &[("[train]", "[train]\nmethod = { nesterov = { momentum = 0.9, form = \"ahead\" } }")]),
    ("without reduction", &[("[train]", "[train]\nreduce = false")]),
    ("normalised", &[("[train]", "[train]\nmethod = { group-rmsprop = {} }"), ("relative = 0.1", "absolute = 0.001")]),
    ("a ridge", &[("[train]", "[train]\npenalty = { ridge = 0.1 }")]),
    ("no steps", &[("steps = 200", "steps = 0")]),
    ("a loss that is reached at once", &[("steps = 200", "steps = 200, loss = 1e9")]),
    ("no metric", &[("times =", "metrics = []\ntimes =")]),
];

const MODES: &str = "solver = \"modes\"\nstep_size = { relative = 0.1 }\nuntil = { steps = 200 }";
const RICCATI: &str = "method = \"gradient-flow\"\nsolver = \"riccati\"\nuntil = { time = 20 }";

type Edits = &'static [(&'static str, &'static str)];

/// Name and edits of every odd study.
const ODD: &[(&str, Edits)] = &[
    ("plain", &[]),
    ("one sample", &[("samples = 10", "samples = 1")]),
    ("two samples", &[("samples = 10", "samples = 2")]),
    ("a constant fits", &[("degree = 20", "degree = 0")]),
    ("a line fits", &[("degree = 20", "degree = 1")]),
    ("no constant", &[("degree = 20", "degree = 20, constant = false")]),
    ("no feature at all", &[("degree = 20", "degree = 0, constant = false")]),
    ("more samples than features", &[("samples = 10", "samples = 40"), ("degree = 20", "degree = 5")]),
    ("as many samples as features", &[("degree = 20", "degree = 9")]),
    ("degree 300", &[("degree = 20", "degree = 300")]),
    ("hard decay", &[("degree = 20", "degree = 20, decay = 300")]),
    ("nothing left by decay", &[("degree = 20", "degree = 20, decay = 1e308, constant = false")]),
    ("points twice, values differ", &[(POINTS, "x = [-0.5, -0.5, 0.1, 0.7, 0.7]\nnoise = 0.1")]),
    ("points twice, same values", &[(POINTS, "x = [-0.5, -0.5, 0.1, 0.7, 0.7]")]),
    ("all points equal", &[(POINTS, "x = [0.3, 0.3, 0.3]\nnoise = 0.1")]),
    ("all points and values equal", &[(POINTS, "x = [0.3, 0.3, 0.3]\ny = [1, 1, 1]")]),
    ("points at the ends", &[(POINTS, "x = [-1, 1]\ny = [1, -1]")]),
    ("nearly equal points", &[(POINTS, "x = [0, 1e-12, 0.5]\nnoise = 0.1")]),
    ("points closer than the roundings of 1", &[(POINTS, "x = [0, 1e-200, 0.5]\nnoise = 0.1")]),
    (
        "a spline through points closer than the roundings of 1",
        &[(POINTS, "x = [0, 1e-200, 0.5]\nnoise = 0.1"), ("min-norm = {}", "natural-spline = {}")],
    ),
    ("constant values", &[(POINTS, "x = [-0.5, 0, 0.5]\ny = [1, 1, 1]")]),
    ("zero values", &[(POINTS, "x = [-0.5, 0, 0.5]\ny = [0, 0, 0]")]),
    ("tiny values", &[(POINTS, "x = [-0.5, 0, 0.5]\ny = [1e-200, -1e-200, 1e-200]")]),
    ("huge noise", &[("noise = 0.2", "noise = 1e6")]),
    ("noise whose square overflows", &[("noise = 0.2", "noise = 1e200"), (END, LEAVE)]),
    ("noise near the largest number", &[("noise = 0.2", "noise = 1e306"), (END, LEAVE)]),
    ("a line without noise", &[(TARGET, LINE), ("noise = 0.2\n", "")]),
    ("a flat line without noise", &[(TARGET, "line = { intercept = 0.3, slope = 0 }"), ("noise = 0.2\n", "")]),
    ("zero everywhere", &[(TARGET, "polynomial = { coefficients = [] }"), ("noise = 0.2\n", "")]),
    ("a fast sine", &[(TARGET, "sine = { frequency = 1000 }")]),
    ("a step", &[(TARGET, "step = { low = 0, high = 1 }")]),
    ("a step at a point", &[(TARGET, "step = { at = -0.9, low = 0, high = 1 }")]),
    ("a step at the end", &[(TARGET, "step = { at = 1, low = 0, high = 1 }")]),
    ("a needle", &[(TARGET, "runge = { scale = 1e12 }")]),
    ("fourier", &[(FEATURES, "fourier = { harmonics = 10 }")]),
    ("fourier without harmonics", &[(FEATURES, "fourier = { harmonics = 0 }")]),
    ("fourier without anything", &[(FEATURES, "fourier = { harmonics = 0, constant = false }")]),
    ("cosine without harmonics", &[(FEATURES, "cosine = { harmonics = 0 }")]),
    ("cosine without constant", &[(FEATURES, "cosine = { harmonics = 12, constant = false }")]),
    ("whitened", &[(FEATURES, "roughness-whitened = { degree = 20, epsilon = 1e-3 }")]),
    ("whitened constant", &[(FEATURES, "roughness-whitened = { degree = 0, epsilon = 1e-3 }")]),
    ("whitened, hardly", &[(FEATURES, "roughness-whitened = { degree = 20, epsilon = 1e-300 }")]),
    ("no steps", &[("steps = 1e6", "steps = 0")]),
    ("one step", &[("steps = 1e6", "steps = 1")]),
    ("all the steps there are", &[("steps = 1e6", "steps = 9007199254740992")]),
    ("a loss that is reached at once", &[("steps = 1e6", "steps = 1e6, loss = 1e9")]),
    ("a loss that is never reached", &[("steps = 1e6", "steps = 1e6, loss = 0")]),
    ("a tiny step size", &[(END, "step_size = { relative = 1e-300 }\nuntil = { steps = 1e6 }")]),
    ("the largest stable step size", &[(END, "step_size = { relative = 1.999 }\nuntil = { steps = 1e6 }")]),
    ("no metric", &[("times =", "metrics = []\ntimes =")]),
    ("one metric", &[("times =", "metrics = [\"turning_points\"]\ntimes =")]),
    ("one save time", &[("geometric = 12", "geometric = 1")]),
    ("a curve at one point", &[("points = 5", "x = [0.3]")]),
    ("flow", &[(END, "method = \"gradient-flow\"\nuntil = { time = 1e3 }")]),
    ("flow for no time", &[(END, "method = \"gradient-flow\"\nuntil = { time = 0 }")]),
    ("flow to a loss", &[(END, "method = \"gradient-flow\"\nuntil = { time = 1e9, loss = 1e-4 }")]),
    ("gaussian of size zero", &[("\"zero\"", "{ gaussian = { scale = 0 } }")]),
    ("gaussian", &[("\"zero\"", "{ gaussian = { scale = 3 } }")]),
    ("gaussian whose square overflows", &[("\"zero\"", "{ gaussian = { scale = 1e200 } }"), (END, LEAVE)]),
    ("stepped", &[("limit = true\n", ""), (END, "solver = \"stepped\"\nuntil = { steps = 200 }")]),
    ("stepped, no steps", &[("limit = true\n", ""), (END, "solver = \"stepped\"\nuntil = { steps = 0 }")]),
    (
        "a cosine that ends long after the run",
        &[("limit = true\n", ""), (END, "schedule = { cosine = { over = 1e15 } }\nuntil = { steps = 200 }")],
    ),
    (
        "a line that ends long after the run",
        &[("limit = true\n", ""), (END, "schedule = { linear = { over = 1e15 } }\nuntil = { steps = 200 }")],
    ),
    (
        "a decay of hardly anything at every step",
        &[
            ("limit = true\n", ""),
            (END, "schedule = { step-decay = { factor = 0.99999999999999, every = 1 } }\nuntil = { steps = 200 }"),
        ],
    ),
    (
        "a warm-up long after the run",
        &[("limit = true\n", ""), (END, "warm_up = 9007199254740992\nuntil = { steps = 200 }")],
    ),
    (
        "stepped, one sample, to a loss",
        &[
            ("samples = 10", "samples = 1"),
            ("limit = true\n", ""),
            (END, "solver = \"stepped\"\nuntil = { steps = 200, loss = 1e-9 }"),
        ],
    ),
];

fn edited(edits: &[(&str, &str)]) -> String {
    edited_from(BASE, edits)
}

fn edited_from(base: &str, edits: &[(&str, &str)]) -> String {
    edits.iter().fold(base.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "nothing to edit: {from}");
        text.replacen(from, to, 1)
    })
}

/// What is wrong with the outcome of a study: nothing, or a sentence.
fn complaint(bench: &Bench, must_fit: bool) -> Option<String> {
    let said = finish(&mut bench.command(&["--quiet"]), PATIENCE);
    if !said.in_time {
        return Some(format!("still running after {} s", PATIENCE.as_secs()));
    }
    // A plan may refuse what makes no sense, in words.
    if said.code == Some(2) && said.stderr.contains("study.toml:") {
        return (!said.stderr.contains("help")).then_some(said.stderr);
    }
    if said.code != Some(0) {
        return Some(format!("exit {:?}: {}", said.code, said.stderr));
    }
    let cells = bench.sheet("cells");
    for row in cells.rows() {
        let (status, reason) = (cells.text("status", row), cells.text("reason", row));
        if status == "diverged" && reason.ends_with("at step 0") {
            // Numbers whose squares overflow have an infinite loss from the start, and say so.
            return None;
        }
        if status != "finished" {
            return Some(format!("{status}: {reason}"));
        }
        let (rank, n, p) = (cells.int("rank", row), cells.int("n", row), cells.int("p", row));
        if !(rank <= n && rank <= p) {
            return Some(format!("rank {rank:?} of {n:?} × {p:?}"));
        }
    }
    let has_metrics = cells.has("final_train_mse");
    if must_fit && has_metrics {
        let (first, last) = ends(bench);
        // Descent never raises the loss; rounding may, by its own size.
        if last > first * (1.0 + 1e-9) + 1e-25 {
            return Some(format!("the loss rose from {first:e} to {last:e}"));
        }
    }
    None
}

/// The smallest and the largest step's (or time's) training error.
fn ends(bench: &Bench) -> (f64, f64) {
    let trajectory = bench.sheet("trajectory");
    let mut rows: Vec<usize> = trajectory.rows().filter(|&row| trajectory.text("source", row) == "trained").collect();
    rows.sort_by(|&a, &b| trajectory.number("time", a).total_cmp(&trajectory.number("time", b)));
    let at = |row: Option<&usize>| row.map_or(f64::NAN, |&row| trajectory.number("train_mse", row));
    (at(rows.first()), at(rows.last()))
}

#[test]
fn odd_studies_neither_panic_nor_hang() {
    none_panics_or_hangs(BASE, ODD);
}

#[test]
fn odd_rows_neither_panic_nor_hang() {
    none_panics_or_hangs(ROWS, ODD_ROWS);
}

#[test]
fn odd_factors_neither_panic_nor_hang() {
    none_panics_or_hangs(FACTORS, ODD_FACTORS);
}

fn none_panics_or_hangs(base: &str, odd: &[(&str, Edits)]) {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let found = std::sync::Mutex::new(Vec::new());
    // Two at a time: a study that hangs must not hold up the rest.
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((name, edits)) = odd.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    let bench = Bench::new(&edited_from(base, edits));
                    let complaint = complaint(&bench, true);
                    found.lock().expect("no panic").extend(complaint.map(|said| format!("{name}: {said}")));
                }
            });
        }
    });
    let found = found.into_inner().expect("no panic");
    assert!(found.is_empty(), "{} of {}:\n{}", found.len(), odd.len(), found.join("\n"));
}

/// Every odd design under the direct solvers that need some points, with reasons where they cannot be.
#[test]
fn a_solution_that_cannot_be_says_why() {
    for (edits, solution) in [
        (&[("samples = 10", "samples = 1")][..], "smoothing-spline"),
        (&[(POINTS, "x = [0.3, 0.3, 0.3]\nnoise = 0.1")], "smoothing-spline"),
        (&[("degree = 20", "degree = 2")], "min-bending"),
        (&[("degree = 20", "degree = 2")], "random-interpolator"),
    ] {
        let bench = Bench::new(&edited(edits));
        bench.run(&["--quiet"]).exits(0);
        let solutions = bench.sheet("solutions");
        let rows: Vec<usize> = solutions.rows().filter(|&row| solutions.text("solution", row) == solution).collect();
        assert!(!rows.is_empty(), "{solution} has a row");
        for row in rows {
            assert!(!solutions.text("reason", row).is_empty(), "{solution} says why");
            assert!(solutions.is_null("train_mse", row));
        }
    }
}

#[test]
fn descent_and_flow_in_one_sweep() {
    let study = edited(&[(END, "until = { steps = 1000, time = 1e3 }")])
        + "\n[sweep]\n\"train.method\" = [\"gradient-descent\", \"gradient-flow\"]\n";
    let bench = Bench::new(&study);
    bench.run(&["--quiet"]).exits(0);
    let (cells, trajectory) = (bench.sheet("cells"), bench.sheet("trajectory"));
    let row_of = |method: &str| cells.rows().find(|&row| cells.text("method", row) == method).expect("a cell");
    let limit_of = |method: &str| {
        let cell = cells.int("cell", row_of(method));
        trajectory
            .rows()
            .find(|&row| {
                trajectory.int("cell", row) == cell
                    && trajectory.text("source", row) == "trained"
                    && trajectory.number("time", row).is_infinite()
            })
            .expect("a limit")
    };
    let [descent, flow] = ["gradient-descent", "gradient-flow"].map(limit_of);
    for metric in ["risk", "parameter_norm", "bending_energy"] {
        let (a, b) = (trajectory.number(metric, descent), trajectory.number(metric, flow));
        assert!((a / b - 1.0).abs() < 1e-12, "both end at the same interpolant: {metric} {a} {b}");
    }
    let flow = row_of("gradient-flow");
    assert!(cells.is_null("step_size", flow) && cells.is_null("residual_rms_below_1em2_step", flow));
    assert!(cells.number("residual_rms_below_1em2_time", flow) > 0.0);
    assert!(
        trajectory
            .rows()
            .all(|row| { trajectory.int("cell", row) != cells.int("cell", flow) || trajectory.is_null("step", row) })
    );
}

/// Limits, predictions and flags that contradict each other are worse than a missing number.
#[test]
fn theories_know_where_they_end() {
    let at = |r: &str| {
        let step = format!("step_size = {{ relative = {r} }}\nallow_unstable = true\nuntil = {{ steps = 100 }}");
        let bench = Bench::new(&edited(&[(END, step.as_str()), ("samples = 10", "samples = 1")]));
        bench.run(&["--quiet"]).exits(0);
        (bench.cell_texts("status")[0].clone(), bench.sheet("predictions"))
    };
    let mut found = Vec::new();
    for r in ["0.5", "1", "1.5", "2", "2.5"] {
        let (status, predictions) = at(r);
        for row in predictions.rows() {
            let (quantity, value) = (predictions.text("quantity", row), predictions.number("value", row));
            let is_met = predictions.text("reason", row).is_empty();
            if is_met && (value.is_nan() || status != "finished") {
                found.push(format!("relative {r}: {status}, {quantity} = {value}, and its assumptions hold"));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Stepping up to a time is a number of steps that only the step size tells.
#[test]
fn a_time_of_too_many_single_steps_fails_in_words() {
    for motion in ["solver = \"stepped\"", "method = { nesterov = {} }", "method = { sgd = { batch = 1 } }"] {
        let end = format!("{motion}\nuntil = {{ time = 1e300 }}");
        let bench = Bench::new(&edited(&[("limit = true\n", ""), (END, &end)]));
        let said = finish(&mut bench.command(&["--quiet"]), PATIENCE);
        assert!(said.in_time && said.code == Some(3), "{motion}: {:?} {}", said.code, said.stderr);
        let cells = bench.sheet("cells");
        let (status, reason) = (cells.text("status", 0), cells.text("reason", 0));
        assert!(status == "failed" && reason.contains("steps one by one"), "{motion}: {status}: {reason}");
    }
}

/// A step size beyond all bounds is one diverged row, for every motion, and stops no other.
#[test]
fn huge_steps_diverge_at_a_step_and_stop_no_other_cell() {
    const SWEEP: &str = r#"
[sweep]
motion.cases.descent = { "train.method" = "gradient-descent" }
motion.cases.heavy-ball = { "train.method" = { heavy-ball = { momentum = 0.9 } } }
motion.cases.nesterov = { "train.method" = { nesterov = { momentum = 0.9 } } }
motion.cases.growing = { "train.method" = { nesterov = {} } }
motion.cases.batches = { "train.method" = { sgd = { batch = 1, replacement = true } } }
motion.cases.adam = { "train.method" = { adam = {} } }
"train.step_size.absolute" = [1e-3, 100, 1e20, 1e300]
"train.solver" = { name = "how", values = ["auto", "stepped"] }
"#;
    let end = "allow_unstable = true\nuntil = { steps = 300 }";
    let bench = Bench::new(&(edited(&[("limit = true\n", ""), (END, end)]) + SWEEP));
    bench.run(&["--quiet"]).exits(0);
    let cells = bench.sheet("cells");
    assert_eq!(cells.rows().count(), 48);
    for row in cells.rows() {
        let (motion, eta) = (cells.text("motion", row), cells.number("absolute", row));
        let (status, reason) = (cells.text("status", row), cells.text("reason", row));
        match status {
            "finished" => assert!(eta <= 1e-3 || motion == "adam", "{motion} {eta}"),
            _ => assert!(status == "diverged" && reason.contains("at step ") && eta > 1e-3, "{motion} {eta}: {reason}"),
        }
    }
}
