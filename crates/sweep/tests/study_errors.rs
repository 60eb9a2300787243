//! What a bad study is told: exact texts, and that every table of every family refuses a bogus key.

mod support;

use support::*;
use taut_sweep::study::json_schema;

/// The good study with one piece of text replaced, and more at the end.
fn changed(from: &str, to: &str, more: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    format!("{}{more}", GOOD.replacen(from, to, 1))
}

/// Compares a rendering with `golden/<name>.txt`; with `UPDATE_GOLDEN=1` writes it.
fn golden(name: &str, text: &str, sets: &[&str]) {
    accept(name, &mistakes(text, sets));
}

/// The same for what only the plan can see.
fn golden_plan(name: &str, text: &str) {
    accept(name, &plan_mistakes(text));
}

#[test]
fn budgets() {
    golden("budget_no_amount", &format!("{GOOD}\n[budget]\ndisk = \"2 gigs\"\nmemory = \"8\"\n"), &[]);
    golden("budget_below_zero", &format!("{GOOD}\n[budget]\nhours = -1\ndisk = 0\n"), &[]);
    golden("budget_unknown_key", &format!("{GOOD}\n[budget]\nhour = 2\n"), &[]);
    golden("budget_is_no_axis", &format!("{GOOD}\n[sweep]\n\"budget.hours\" = [1, 2]\n"), &[]);
}

#[test]
fn the_good_study_is_good() {
    let study = checked(GOOD, &[]).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(study.cells(), 1);
    assert_eq!(study.text, GOOD);
}

#[test]
fn misspelt_key() {
    golden("misspelt_key", &changed("degree", "dgree", ""), &[]);
}

#[test]
fn inapplicable_key() {
    golden("inapplicable_key", &changed("degree = 20", "degree = 20, harmonics = 3", ""), &[]);
}

#[test]
fn misplaced_key() {
    golden("misplaced_key", &changed("[train]\n", "[train]\nsamples = 3\n", ""), &[]);
}

#[test]
fn wrong_type() {
    golden("wrong_type", &changed("degree = 20", "degree = \"ten\"", ""), &[]);
    golden("quoted_number", &changed("degree = 20", "degree = \"10\"", ""), &[]);
}

#[test]
fn unknown_kind() {
    golden("unknown_kind", &changed("polynomial =", "polynomail =", ""), &[]);
    golden("unknown_name", &changed("\"legendre\"", "\"legnedre\"", ""), &[]);
    golden(
        "kind_without_settings",
        &changed("{ polynomial = { basis = \"legendre\", degree = 20, decay = 1.0 } }", "\"polynomial\"", ""),
        &[],
    );
    golden("two_kinds", &changed("decay = 1.0 }", "decay = 1.0 }, cosine = { harmonics = 3 }", ""), &[]);
    golden("unknown_init", &changed("[train]", "init = { gaussain = { scale = 1.0 } }\n[train]", ""), &[]);
    golden("misspelt_in_init", &changed("[train]", "init = { gaussian = { scal = 1.0 } }\n[train]", ""), &[]);
}

#[test]
fn missing_keys() {
    golden("missing_key", &changed("basis = \"legendre\", ", "", ""), &[]);
    golden(
        "missing_section",
        &changed("[train]\nstep_size = { relative = 1.0 }\nuntil = { steps = 1e6 }\n", "", ""),
        &[],
    );
}

#[test]
fn bad_axes() {
    golden("empty_axis", &format!("{GOOD}\n[sweep]\n\"train.until.steps\" = []\n"), &[]);
    golden(
        "zip_lengths",
        &format!(
            "{GOOD}\n[sweep]\nsizes = {{ zip = {{ \"data.curve.samples\" = [10, 20, 30], \"train.until.steps\" = [100, 200] }} }}\n"
        ),
        &[],
    );
    golden(
        "linspace_count_0",
        &format!("{GOOD}\n[sweep]\n\"model.features.polynomial.decay\" = {{ linspace = [0, 1], count = 0 }}\n"),
        &[],
    );
    golden(
        "linspace_not_whole",
        &format!("{GOOD}\n[sweep]\n\"data.curve.samples\" = {{ linspace = [10, 20], count = 4 }}\n"),
        &[],
    );
    golden(
        "axis_value_out_of_range",
        &format!("{GOOD}\n[sweep]\nmodel.features.polynomial.degree = [5, -1, 2.5]\n"),
        &[],
    );
    golden("axis_misspelt_path", &format!("{GOOD}\n[sweep]\n\"model.features.polynomial.dgree\" = [5, 6]\n"), &[]);
    golden("axis_on_record", &format!("{GOOD}\n[sweep]\n\"record.metrics\" = [\"risk\"]\n"), &[]);
    golden("axis_unused_kind", &format!("{GOOD}\n[sweep]\n\"model.features.fourier.harmonics\" = [5, 6]\n"), &[]);
    golden(
        "axis_unused_kind_in_case",
        &format!(
            "{GOOD}\n[sweep]\nmap = {{ cases = {{ p = {{ \"train.until.steps\" = 3 }}, c = {{ \"model.features\" = {{ cosine = {{ harmonics = 9 }} }} }} }} }}\n\"model.features.polynomial.degree\" = [5, 6]\n"
        ),
        &[],
    );
    golden(
        "axis_of_tables",
        &format!("{GOOD}\n[sweep]\n\"model.features\" = [{{ cosine = {{ harmonics = 9 }} }}]\n"),
        &[],
    );
    golden("axis_scalar", &format!("{GOOD}\n[sweep]\n\"data.curve.noise\" = 0.3\n"), &[]);
    golden("axis_mixed", &format!("{GOOD}\n[sweep]\n\"model.features.polynomial.constant\" = [true, \"yes\"]\n"), &[]);
    golden("axis_repeated_value", &format!("{GOOD}\n[sweep]\n\"data.curve.noise\" = [0.1, 1, 1.0]\n"), &[]);
    golden(
        "axis_twice",
        &format!(
            "{GOOD}\n[sweep]\n\"data.curve.noise\" = [0.1, 1]\nb = {{ cases = {{ a = {{ \"data.curve.noise\" = 0.2 }} }} }}\n"
        ),
        &[],
    );
    golden("settings_that_mean_the_same", &format!("{GOOD}\n[sweep]\n\"train.allow_unstable\" = [true, false]\n"), &[]);
    golden("seed_scalar", &format!("{GOOD}\n[sweep]\nseed = 4\n"), &[]);
}

#[test]
fn more_bad_axes() {
    golden("axis_zip_as_header", &format!("{GOOD}\n[sweep.zip.sizes]\n\"data.curve.samples\" = [10, 20]\n"), &[]);
    golden("axis_label_without_group", &format!("{GOOD}\n[sweep]\nsizes = [10, 20]\n"), &[]);
    golden("axis_short_path", &format!("{GOOD}\n[sweep]\ndegree = [10, 20]\n"), &[]);
    golden(
        "axis_too_many",
        &format!(
            "{GOOD}\n[sweep]\nmodel.features.polynomial.decay = {{ linspace = [0, 1], count = 1e6 }}\n\"model.features.polynomial.degree\" = [1, 2, 3, 4, 5, 6, 7]\n"
        ),
        &[],
    );
    golden("cells_too_many", &format!("{GOOD}\n[sweep]\nseed = {{ count = 1e9 }}\n"), &[]);
    golden(
        "case_lacks_a_key",
        &format!(
            "{GOOD}\n[sweep]\nmap = {{ cases = {{ p = {{ \"model.features\" = {{ polynomial = {{ basis = \"legendre\" }} }} }}, c = {{ \"model.features\" = {{ cosine = {{ harmonics = 9 }} }} }} }} }}\n"
        ),
        &[],
    );
    golden(
        "points_given_twice_in_a_case",
        &format!(
            "{GOOD}\n[sweep]\npoints = {{ cases = {{ drawn = {{ \"data.curve.noise\" = 0 }}, given = {{ \"data.curve.x\" = [0, 1] }} }} }}\n"
        ),
        &[],
    );
    golden(
        "step_size_axis_beyond",
        &format!("{GOOD}\n[sweep]\n\"train.step_size.relative\" = {{ linspace = [1, 3], count = 5 }}\n"),
        &[],
    );
}

#[test]
fn claims_and_figures() {
    golden("claim_without_bound", &format!("{GOOD}\n[[claim]]\nsays = \"all is well\"\nsql = \"SELECT 1\"\n"), &[]);
    golden(
        "figure_channel",
        &format!(
            "{GOOD}\n[[figure]]\ntitle = \"f\"\nsql = \"SELECT 1\"\nmark = \"pie\"\nx = 3\ny = {{ column = \"risk\", scale = \"logarithmic\" }}\n"
        ),
        &[],
    );
    golden(
        "solution_grid",
        &format!(
            "{GOOD}\n[solutions]\nridge = {{ lambda = {{ logspace = [0, 1], counts = 3 }} }}\nrandom-interpolator = {{ draws = 5, law = \"smae\" }}\n"
        ),
        &[],
    );
}

#[test]
fn column_names() {
    golden("column_reserved", &format!("{GOOD}\n[sweep]\n\"train.until.time\" = [1, 2]\n"), &[]);
    golden(
        "column_collision",
        &format!(
            "{GOOD}\n[sweep]\n\"data.curve.noise\" = {{ name = \"size\", values = [0, 1] }}\n\"data.curve.samples\" = {{ name = \"size\", values = [5, 6] }}\n"
        ),
        &[],
    );
    golden(
        "column_of_a_metric",
        &format!("{GOOD}\n[sweep]\n\"data.curve.noise\" = {{ name = \"risk\", values = [0, 1] }}\n"),
        &[],
    );
}

#[test]
fn bad_files() {
    let from =
        "target = { line = { intercept = 0.3, slope = 0.8 } }\nsamples = 10\ndesign = \"equispaced\"\nnoise = 0.1\n";
    golden("file_missing", &changed(from, "file = \"nowhere.csv\"\n", ""), &[]);
    golden("file_ragged", &changed(from, "file = \"ragged.csv\"\n", ""), &[]);
    golden("file_not_a_number", &changed(from, "file = \"words.csv\"\n", ""), &[]);
    golden("file_column", &changed(from, "file = \"points.csv\"\ny_column = \"z\"\n", ""), &[]);
    golden(
        "start_length",
        &changed("[train]", "init = { file = \"start.csv\", only = [\"theta\"] }\n[train]", ""),
        &[],
    );
    golden("start_other_tensors", &changed("[train]", "init = { file = \"start.csv\" }\n[train]", ""), &[]);
}

/// The Gaussian study with one piece of text replaced.
fn gaussian(from: &str, to: &str) -> String {
    assert!(GAUSSIAN.contains(from), "{from}");
    GAUSSIAN.replacen(from, to, 1)
}

/// A study of a table.
fn table(lines: &str) -> String {
    gaussian("[data.gaussian]\nsamples = 10\ninputs = 3\nnoise = 0.1\n", &format!("[data.table]\n{lines}\n"))
}

#[test]
fn bad_sources() {
    golden("two_sources", &gaussian("[model]", "[data.curve]\nx = [0]\ny = [0]\n\n[model]"), &[]);
    golden("gaussian_two_noises", &gaussian("noise = 0.1", "noise = 0.1\nsnr = 4"), &[]);
    golden("gaussian_unseen", &gaussian("noise = 0.1", "unseen = 1.5"), &[]);
    golden("gaussian_eigenvalues", &gaussian("noise = 0.1", "covariance = { eigenvalues = [1, 2] }"), &[]);
    let dense = |rows: &str| gaussian("noise = 0.1", &format!("covariance = {{ dense = {rows} }}"));
    golden("gaussian_not_symmetric", &dense("[[1, 0, 0.5], [0, 1, 0], [0.4, 0, 1]]"), &[]);
    golden("gaussian_not_positive", &dense("[[1, 2, 0], [2, 1, 0], [0, 0, 1]]"), &[]);
    golden("gaussian_ragged", &dense("[[1, 0, 0], [0, 1], [0, 0, 1]]"), &[]);
    let teacher = |teacher: &str| gaussian("noise = 0.1", &format!("teacher = {{ {teacher} }}"));
    golden("teacher_too_many_nonzeros", &teacher("sparse = { nonzeros = 4 }"), &[]);
    golden("teacher_length", &teacher("explicit = [1, 2]"), &[]);
    golden("teacher_with_signal", &gaussian("noise = 0.1", "teacher = { explicit = [1, 2, 3] }\nsignal = 2"), &[]);
}

#[test]
fn bad_tables() {
    golden("table_without_inputs", &table("file = \"table.csv\""), &[]);
    golden("table_column", &table("file = \"table.csv\"\ninputs = [\"x1\", \"x3\"]"), &[]);
    golden("table_ragged", &table("x = [[1, 2], [3]]\ny = [1, 2]"), &[]);
    golden("table_values", &table("x = [[1, 2], [3, 4]]\ny = [1]"), &[]);
    let file = "file = \"table.csv\"\ninputs = [\"x1\", \"x2\"]\n";
    golden("table_replicates_not_whole", &table(&format!("{file}replicate_column = \"share\"")), &[]);
    golden_plan(
        "table_replicate_without_rows",
        &format!("{}\n[sweep]\nseed = [30, 31, 32]\n", table(&format!("{file}replicate_column = \"repeat\""))),
    );
}

#[test]
fn bad_held_out_rows() {
    golden("test_drawn_from_a_table", &table("x = [[1, 2]]\ny = [1]\n[data.test]\nsamples = 10"), &[]);
    golden("test_file_of_gaussian_data", &gaussian("[model]", "[data.test]\nfile = \"table.csv\"\n[model]"), &[]);
    golden("test_without_rows", &gaussian("[model]", "[data.test]\n[model]"), &[]);
    golden("test_twice", &changed("[model]", "[data.test]\nfile = \"points.csv\"\nsamples = 3\n[model]", ""), &[]);
    golden("test_file_column", &changed("[model]", "[data.test]\nfile = \"table.csv\"\n[model]", ""), &[]);
    let given =
        "target = { line = { intercept = 0.3, slope = 0.8 } }\nsamples = 10\ndesign = \"equispaced\"\nnoise = 0.1\n";
    golden("test_without_target", &changed(given, "x = [0]\ny = [0]\n[data.test]\nsamples = 5\n", ""), &[]);
    let with_target =
        "target = { line = { slope = 0.8, intercept = 0 } }\nx = [0]\ny = [0]\n[data.validation]\nsamples = 5\n";
    golden("validation_without_noise", &changed(given, with_target, ""), &[]);
}

#[test]
fn features_that_do_not_go_with_the_data() {
    golden_plan(
        "polynomial_of_three_inputs",
        &gaussian("\"identity\"", "{ polynomial = { basis = \"legendre\", degree = 3 } }"),
    );
    golden_plan(
        "first_inputs_beyond",
        &format!(
            "{}\n[sweep]\n\"model.features.first-inputs.count\" = [2, 3, 4]\n",
            gaussian("\"identity\"", "{ first-inputs = { count = 1 } }")
        ),
    );
    golden_plan(
        "start_length_of_inputs",
        &gaussian("[train]", "init = { file = \"start.csv\", only = [\"theta\"] }\n\n[train]"),
    );
}

#[test]
fn bad_numbers() {
    golden("degree_minus_1", &changed("degree = 20", "degree = -1", ""), &[]);
    golden("degree_million", &changed("degree = 20", "degree = 1e6", ""), &[]);
    golden("negative_noise", &changed("noise = 0.1", "noise = -0.1", ""), &[]);
    golden("nan", &changed("slope = 0.8", "slope = nan", ""), &[]);
    golden("too_few_samples", &format!("{GOOD}\n[solutions]\nleast-squares = {{ degree = 10 }}\n"), &[]);
    golden("step_size_beyond", &changed("relative = 1.0", "relative = 2.5", ""), &[]);
}

#[test]
fn record() {
    golden("unknown_metric", &changed("[\"risk\"]", "[\"risk\", \"bending_enrgy\"]", ""), &[]);
    golden("unknown_theory", &changed("metrics = [\"risk\"]", "theory = [\"min_norm\"]", ""), &[]);
    golden("step_beyond_end", &changed("{ geometric = 50 }", "{ steps = [0, 2000000, inf] }", ""), &[]);
}

#[test]
fn methods() {
    golden("flow_with_steps", &changed("step_size =", "method = \"gradient-flow\"\nstep_size =", ""), &[]);
    golden(
        "flow_saves_steps",
        &changed(
            "[train]\nstep_size = { relative = 1.0 }\nuntil = { steps = 1e6 }",
            "[train]\nmethod = \"gradient-flow\"\nuntil = { time = 10 }",
            "",
        )
        .replace("{ geometric = 50 }", "{ every = 5 }"),
        &[],
    );
    golden(
        "limit_stepped",
        &changed("step_size =", "solver = \"stepped\"\nstep_size =", "")
            .replace("{ geometric = 50 }", "{ steps = [0, inf] }"),
        &[],
    );
    golden("no_end", &changed("{ steps = 1e6 }", "{ loss = 1e-6 }", ""), &[]);
}

#[test]
fn a_method_axis_may_leave_settings_without_use() {
    let text = changed(
        "{ steps = 1e6 }",
        "{ steps = 1e6, time = 1e3 }",
        "\n[sweep]\n\"train.method\" = [\"gradient-descent\", \"gradient-flow\"]\n",
    );
    assert_eq!(checked(&text, &[]).unwrap_or_else(|error| panic!("{error}")).cells(), 2);
}

#[test]
fn bad_choices() {
    golden("choose_unknown", &format!("{GOOD}\n[choose]\nby = [\"loo\", \"gvc\"]\n"), &[]);
    golden("choose_twice", &format!("{GOOD}\n[choose]\nby = [\"loo\", \"gcv\", \"loo\"]\n"), &[]);
    golden("choose_without_folds", &format!("{GOOD}\n[choose]\nby = [\"kfold\"]\n"), &[]);
    golden("choose_folds_unused", &format!("{GOOD}\n[choose]\nby = [\"loo\"]\nfolds = 5\n"), &[]);
    golden("choose_one_fold", &format!("{GOOD}\n[choose]\nby = [\"kfold\"]\nfolds = 1\n"), &[]);
    golden("choose_too_many_folds", &format!("{GOOD}\n[choose]\nby = [\"kfold\"]\nfolds = 500\n"), &[]);
    golden("choose_without_validation", &format!("{GOOD}\n[choose]\nby = [\"loo\", \"validation\"]\n"), &[]);
    golden("choose_none", &format!("{GOOD}\n[choose]\nby = []\n"), &[]);
    golden(
        "choose_stepped",
        &changed("[train]\n", "[train]\nsolver = \"stepped\"\n", "\n[choose]\nby = [\"gcv\"]\n"),
        &[],
    );
    golden(
        "column_of_a_score",
        &format!("{GOOD}\n[sweep]\n\"data.curve.noise\" = {{ name = \"gcv\", values = [0.1, 0.2] }}\n"),
        &[],
    );
}

#[test]
fn several_mistakes_at_once() {
    let text = changed(
        "degree = 20",
        "dgree = 20",
        "\n[sweep]\n\"data.curve.smaples\" = [1, 2]\n\"train.solver\" = []\n\n[[claim]]\nsays = \"x\"\nsql = 3\n",
    )
    .replace("\"risk\"", "\"rsik\"")
    .replace("steps = 1e6", "steps = -4")
    .replace("title = ", "titel = ");
    let found = mistakes(&text, &[]);
    assert!(found.len() >= 7, "{found}");
    golden("several", &text, &[]);
}

#[test]
fn contradictions_are_reported_beside_misspelt_keys() {
    let text = GOOD
        .replace("degree = 20", "dgree = 20")
        .replace("noise = 0.1", "offsets = [1.0]")
        .replace("relative = 1.0", "relative = 3");
    assert_eq!(mistakes(&text, &[]).len(), 3, "{}", mistakes(&text, &[]));
}

#[test]
fn bad_sets() {
    golden("set_unknown_key", GOOD, &["model.features.polynomial.dgree=3"]);
    golden("set_unknown_section", GOOD, &["modle.features.polynomial.degree=3"]);
    golden("set_wrong_type", GOOD, &["train.until.steps=many"]);
    golden("set_no_value", GOOD, &["train.until.steps"]);
    golden("set_not_toml", GOOD, &["data.curve.x=[1, 2"]);
    golden("set_other_kind", GOOD, &["model.features.cosine.harmonics=3"]);
}

#[test]
fn syntax_errors_stand_alone() {
    golden("syntax", &changed("samples = 10", "samples = = 10", "\nbogus = 1\n"), &[]);
}

#[test]
fn sets_replace_values_and_axes() {
    let text = format!("{GOOD}\n[sweep]\nseed = {{ count = 4 }}\nmodel.features.polynomial.degree = [5, 6, 7]\n");
    let study = |sets: &[&str]| checked(&text, sets).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(study(&[]).cells(), 12);
    assert_eq!(study(&["sweep.seed.count=2"]).cells(), 6);
    assert_eq!(study(&["seed=9"]).study.seed, 9);
    assert_eq!(study(&["seed=9"]).cells(), 12);
    assert_eq!(study(&["model.features.polynomial.degree=[1, 2]"]).cells(), 8);
    let single = study(&["model.features.polynomial.degree=3", "model.features.polynomial.basis=chebyshev"]);
    assert_eq!(single.cells(), 4);
    assert!(single.cell(0).canonical().contains(r#""polynomial":{"basis":"chebyshev""#));
    let added = study(&["sweep.\"data.curve.noise\"=[0.1, 0.2]"]);
    assert_eq!((added.cells(), added.axes[2].columns[0].name.as_str()), (24, "noise"));
    let again = checked(&added.text, &[]).unwrap_or_else(|error| panic!("{error}\n{}", added.text));
    assert_eq!(again.cells(), 24);
    assert!((0..24).all(|i| again.cell(i).canonical() == added.cell(i).canonical()));
}

/// Every table of a study, as (header text before it, keys that it needs) for one kind of each choice.
fn tables() -> Vec<(String, String)> {
    // Written from the schema, so that a new kind is tested by being listed.
    let schema = json_schema();
    let mut out = Vec::new();
    walk(&schema, &schema, &mut Vec::new(), &mut out);
    out
}

/// Collects (dotted path, needed keys) of every closed table.
fn walk(root: &serde_json::Value, schema: &serde_json::Value, path: &mut Vec<String>, out: &mut Vec<(String, String)>) {
    if path.first().is_some_and(|first| first == "sweep") {
        return;
    }
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap_or_default();
        return walk(root, &root["definitions"][name], path, out);
    }
    for branches in ["allOf", "oneOf", "anyOf"].iter().filter_map(|key| schema[key].as_array()) {
        for branch in branches {
            walk(root, branch, path, out);
        }
    }
    if schema["type"].as_str().or(schema["type"][0].as_str()) == Some("array") {
        path.push("0".to_owned());
        walk(root, &schema["items"], path, out);
        path.pop();
    }
    if schema["additionalProperties"] == serde_json::Value::Bool(false) {
        out.push((path.join("."), String::new()));
        for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
            path.push(name.clone());
            walk(root, inner, path, out);
            path.pop();
        }
    }
}

#[test]
fn every_table_refuses_a_bogus_key() {
    let tables = tables();
    assert!(tables.len() > 30, "{}", tables.len());
    for (path, _) in tables {
        if path.is_empty() {
            let found = mistakes(&format!("bogus_key = 1\n{GOOD}"), &[]);
            assert!(found.items().iter().any(|item| item.title.contains("bogus_key") && found.position(item).1 == 1));
            continue;
        }
        // Lists of tables and tables in lists are written with [[ ]].
        let header = match path.strip_suffix(".0") {
            _ if path.contains(".0.") => continue,
            Some(list) => format!("[[{list}]]"),
            None => format!("[{path}]"),
        };
        let text = format!("title = \"t\"\n\n{header}\n  bogus_key = 1\n");
        let found = mistakes(&text, &[]);
        let named = found.items().iter().find(|item| item.title.contains("`bogus_key`"));
        let item = named.unwrap_or_else(|| panic!("{path}: {found}"));
        assert_eq!(found.position(item), ("studies/study.toml", 4, 3), "{path}");
        assert!(found.to_string().contains("studies/study.toml:4:3"), "{found}");
    }
}

#[test]
fn the_schema_describes_every_section() {
    let schema = json_schema();
    assert!(schema["$schema"].as_str().is_some_and(|s| s.contains("draft-07")));
    for key in ["title", "data", "model", "train", "record", "solutions", "sweep", "claim", "figure"] {
        assert!(schema["properties"][key]["description"].is_string(), "{key}");
    }
}

#[test]
fn a_missing_study_names_its_neighbours() {
    let folder = std::env::temp_dir().join(format!("taut-study-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    std::fs::write(folder.join("degree.toml"), GOOD).expect("a temporary file");
    let error = taut_sweep::study::read(&folder.join("dgree.toml")).expect_err("it is not there");
    std::fs::remove_dir_all(&folder).expect("it was made above");
    let text = error.to_string();
    assert!(
        text.starts_with("there is no study ")
            && text.contains("dgree.toml; studies nearby:")
            && text.contains("degree.toml"),
        "{text}"
    );
}

#[test]
fn the_plan_can_point_at_an_axis() {
    let text = format!(
        "{}\n[sweep]\n\"train.step_size.absolute\" = [0.1, 7.5]\n",
        GOOD.replace("step_size = { relative = 1.0 }\n", "")
    );
    let study = checked(&text, &[]).unwrap_or_else(|error| panic!("{error}"));
    let problem = taut_sweep::study::Problem {
        key_path: "train.step_size.absolute".to_owned(),
        message: "a step size of 7.5 is beyond 2/λ_max = 1.3".to_owned(),
        help: "use at most 1.3".to_owned(),
        ..Default::default()
    };
    let found = study.diagnostics([(Some(1), problem)]);
    let place = found.position(&found.items()[0]);
    assert_eq!(place, ("studies/study.toml", 20, 36), "{found}");
    assert!(found.to_string().contains("first seen at absolute = 7.5"), "{found}");
}
