//! A study in which nothing is wrong: its cells, each found by arithmetic on its number.

use super::axes::Axis;
use super::diagnostics::{Diagnostic, Diagnostics, Severity, Source};
use super::expansion::Section;
use super::grid::Grid;
use super::repetitions::describe;
use super::spec::{Model, Study};
use super::text::study_text;
use super::tree::{Node, Place, spoken_path};
use crate::identity::{Identity, digest};
use serde::Serialize;
use serde_json::Value as Json;
use std::sync::{Arc, OnceLock};
use taut_problem::{Data, DataFiles, StepSize, Tensors};
use taut_train::{Route, Train};

/// A study in which nothing is wrong.
#[derive(Debug)]
pub struct Checked {
    /// The study with the sections of its first cell.
    pub study: Study,
    /// Whether it is the small version that `[quick]` makes.
    pub quick: bool,
    /// The axes in the order of the file, the first slowest.
    pub axes: Vec<Axis>,
    /// What the cells must not fail, as `where` says.
    pub filters: Vec<String>,
    /// The study's text with the overrides applied: what tables carry in their footers.
    pub text: String,
    pub(crate) sources: Vec<Source>,
    pub(crate) root: Node,
    pub(crate) warnings: Vec<Diagnostic>,
    pub(crate) grid: Grid,
    pub(crate) sections: [Section; 3],
    pub(crate) data: Vec<Setting<Data, DataFiles>>,
    pub(crate) model: Vec<Setting<Model, Tensors>>,
    pub(crate) train: Vec<Setting<Train, ()>>,
}

/// One distinct setting of a section, with what its file holds.
#[derive(Debug)]
pub(crate) struct Setting<T, F: ?Sized> {
    pub(crate) value: Arc<T>,
    pub(crate) file: Option<Arc<F>>,
    /// What the files of the section hold, by the key of the table that names them.
    pub(crate) hashes: Vec<(String, String)>,
    pub(crate) meaning: OnceLock<String>,
    pub(crate) digest: OnceLock<blake3::Hash>,
}

impl<T, F: ?Sized> Setting<T, F> {
    pub(crate) fn new(value: T) -> Self {
        Self {
            value: Arc::new(value),
            file: None,
            hashes: Vec::new(),
            meaning: OnceLock::new(),
            digest: OnceLock::new(),
        }
    }
}

/// One cell: one resolved setting.
#[derive(Clone, Debug)]
pub struct CellSpec<'a> {
    /// Its number, from 0.
    pub index: usize,
    /// What is fitted.
    pub data: &'a Arc<Data>,
    /// Which of the distinct data settings this is.
    pub data_index: usize,
    /// What the data's files hold, where there are any.
    pub files: Option<&'a Arc<DataFiles>>,
    /// What fits it.
    pub model: &'a Arc<Model>,
    /// Which of the distinct models this is.
    pub model_index: usize,
    /// What the file of the model's start holds, where there is one.
    pub start: Option<&'a Arc<Tensors>>,
    /// How the parameters move.
    pub train: &'a Arc<Train>,
    /// Which of the distinct `[train]` settings this is.
    pub train_index: usize,
    /// The study's seed.
    pub seed: u64,
    /// The replicate.
    pub replicate: u64,
    /// The cell's position on each axis.
    pub positions: Vec<usize>,
    checked: &'a Checked,
}

/// A mistake that only the plan can see, such as a step size beyond a design's stable range.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// The dotted path of the key it is about.
    pub key_path: String,
    /// The word inside the key's value that is wrong, where there is one.
    pub word: Option<String>,
    /// What is wrong, with the value seen and the values allowed.
    pub message: String,
    /// One thing to try.
    pub help: String,
}

impl Checked {
    /// How many cells there are.
    pub fn cells(&self) -> usize {
        self.grid.cells
    }

    /// How many cells there would be without `where`; `None` where there is none.
    pub fn unfiltered(&self) -> Option<usize> {
        self.grid.unfiltered
    }

    /// What is odd about conditions and filters, and allowed.
    pub fn warnings(&self) -> Option<Diagnostics> {
        (!self.warnings.is_empty()).then(|| Diagnostics::new(self.sources.clone(), self.warnings.clone()))
    }

    /// The absolute path of the study's file.
    pub fn path(&self) -> String {
        let name = self.sources.first().map_or("", |source| &source.name);
        std::path::absolute(name).map_or_else(|_| name.to_owned(), |path| path.display().to_string())
    }

    /// How many distinct data, models and `[train]` settings there are.
    pub fn distinct(&self) -> [usize; 3] {
        [self.data.len(), self.model.len(), self.train.len()]
    }

    /// A cell's position on each axis.
    pub fn positions(&self, index: usize) -> Vec<usize> {
        self.grid.positions(index)
    }

    /// A cell.
    ///
    /// # Panics
    /// If `index` is not below `cells()`.
    pub fn cell(&self, index: usize) -> CellSpec<'_> {
        assert!(index < self.cells(), "cell {index} of {}", self.cells());
        let positions = self.positions(index);
        let [data_index, model_index, train_index] = [0, 1, 2].map(|i| self.sections[i].index(&positions));
        let seed_axis = self.axes.iter().position(|axis| axis.is_seed);
        let (data, model) = (&self.data[data_index], &self.model[model_index]);
        CellSpec {
            index,
            data: &data.value,
            data_index,
            files: data.file.as_ref(),
            model: &model.value,
            model_index,
            start: model.file.as_ref(),
            train: &self.train[train_index].value,
            train_index,
            seed: self.study.seed,
            replicate: seed_axis.map_or(0, |i| self.axes[i].replicate(positions[i])),
            positions,
            checked: self,
        }
    }

    /// Where a key stands; for a cell, as that cell has it (perhaps in `[sweep]`).
    pub fn locate(&self, key_path: &str, cell: Option<usize>) -> Place {
        let path: Vec<&str> = key_path.split('.').collect();
        let section = self.sections.iter().find(|section| section.name == path[0]);
        match (section, cell) {
            (Some(section), Some(cell)) => {
                let index = section.index(&self.positions(cell));
                section.tree(&self.axes, index).place_of(&path[1..])
            }
            _ => self.root.place_of(&path),
        }
    }

    /// Mistakes found while planning, at their places; each with the number of a cell that has it.
    pub fn diagnostics(&self, problems: impl IntoIterator<Item = (Option<usize>, Problem)>) -> Diagnostics {
        let items = problems.into_iter().map(|(cell, problem)| {
            let place = self.locate(&problem.key_path, cell);
            let place = problem.word.and_then(|word| self.word_in(place, &word)).unwrap_or(place);
            let mut item =
                Diagnostic::new(place, problem.message).label(spoken_path(&problem.key_path)).help(problem.help);
            item.severity = problem.severity;
            let settings = cell.map(|cell| self.describe(cell)).unwrap_or_default();
            if settings.is_empty() { item } else { item.note(format!("first seen at {settings}")) }
        });
        Diagnostics::new(self.sources.clone(), items.collect())
    }

    /// Where a whole word stands inside a value, as the file writes it.
    fn word_in(&self, place: Place, word: &str) -> Option<Place> {
        let written = self.sources[place.source].text.get(place.start..place.end)?;
        // The quotes around a text are none of its own.
        let quotes = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quotes| written.starts_with(quotes));
        let opening = quotes.map_or(0, str::len);
        let (place, text) = (Place { start: place.start + opening, ..place }, &written[opening..]);
        // A place at which no word goes on.
        let is_inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        let is_edge = |at: usize| !(is_inside(text[..at].chars().next_back()) && is_inside(text[at..].chars().next()));
        let whole = |&(at, _): &(usize, &str)| is_edge(at) && is_edge(at + word.len());
        let (at, _) = text.match_indices(word).find(whole)?;
        Some(Place { start: place.start + at, end: place.start + at + word.len(), ..place })
    }

    /// "basis = legendre, degree = 5": a cell's values on the axes.
    pub fn describe(&self, cell: usize) -> String {
        describe(&self.axes, &self.positions(cell))
    }

    /// One cell as a study of its own.
    pub fn cell_study(&self, cell: usize) -> String {
        let spec = self.cell(cell);
        let mut root = self.root.clone();
        for (section, index) in self.sections.iter().zip([spec.data_index, spec.model_index, spec.train_index]) {
            let place = root.place;
            root.set(&[section.name], &[place], section.tree(&self.axes, index));
        }
        let replicate = super::tree::parse(&format!("seed = [{}]", spec.replicate), 0).ok();
        let replicate = replicate.and_then(|mut node| node.take_key("seed"));
        let sweep: Vec<(String, &Node)> = match &replicate {
            Some(node) if spec.replicate > 0 => vec![("seed".to_owned(), node)],
            _ => Vec::new(),
        };
        let settings = self.describe(cell);
        let opening = if settings.is_empty() { String::new() } else { format!("# {settings}\n") };
        root.as_table().map(|table| study_text(table, &sweep, &opening)).unwrap_or_default()
    }
}

impl CellSpec<'_> {
    /// Whether it has a single output that is linear in the parameters.
    pub fn is_linear(&self) -> bool {
        self.model.parametrization.is_direct() && !self.data.is_matrix()
    }

    /// How its motion is computed.
    pub fn route(&self) -> Route {
        self.train.route(self.is_linear())
    }

    /// Inputs (or features) and outputs of its predictor; `None` if a file that says so is bad.
    pub fn shape(&self) -> Option<[usize; 2]> {
        if self.data.is_matrix() {
            return self.data.matrix_shape(self.files.map(|files| &**files));
        }
        Some([self.model.features.count(self.data.inputs()), 1])
    }

    /// Who the cell is: the hash of what `canonical` says, part by part.
    pub(crate) fn identity(&self) -> Identity {
        let data = &self.checked.data[self.data_index];
        let model = &self.checked.model[self.model_index];
        let train = &self.checked.train[self.train_index];
        let sections = [
            data.digest.get_or_init(|| digest(data_meaning(data))),
            model.digest.get_or_init(|| digest(model_meaning(model))),
            train.digest.get_or_init(|| digest(train_meaning(train))),
        ];
        Identity::of(sections, self.seed, self.replicate)
    }

    /// The number of the cell, as its `identity` has it.
    pub(crate) fn number(&self) -> i64 {
        self.identity().cell
    }

    /// What the cell means, as canonical JSON: sorted keys, shortest numbers, files by their content.
    /// Layout, save times and outputs are no part of it.
    pub fn canonical(&self) -> String {
        let data = data_meaning(&self.checked.data[self.data_index]);
        let model = model_meaning(&self.checked.model[self.model_index]);
        let train = train_meaning(&self.checked.train[self.train_index]);
        let (replicate, seed) = (self.replicate, self.seed);
        format!(r#"{{"data":{data},"model":{model},"replicate":{replicate},"seed":{seed},"train":{train}}}"#)
    }
}

/// The meaning of a data setting.
pub(crate) fn data_meaning(setting: &Setting<Data, DataFiles>) -> &str {
    setting.meaning.get_or_init(|| {
        let mut json = meaning(&*setting.value);
        replace_files(&mut json, &setting.hashes);
        sorted(&json)
    })
}

/// The meaning of a model.
pub(crate) fn model_meaning(setting: &Setting<Model, Tensors>) -> &str {
    setting.meaning.get_or_init(|| {
        let mut json = meaning(&*setting.value);
        replace_files(&mut json, &setting.hashes);
        if let Some(Json::Object(init)) = json.get_mut("init") {
            init.remove("only");
        }
        sorted(&json)
    })
}

/// The meaning of a `[train]` setting: permission to diverge changes no number.
pub(crate) fn train_meaning(setting: &Setting<Train, ()>) -> &str {
    setting.meaning.get_or_init(|| {
        let mut train = (*setting.value).clone();
        if !train.method.is_flow() {
            train.step_size.get_or_insert(StepSize::default());
        }
        let mut json = meaning(&train);
        if let Json::Object(fields) = &mut json {
            fields.remove("allow_unstable");
        }
        sorted(&json)
    })
}

fn meaning<T: Serialize>(value: &T) -> Json {
    serde_json::to_value(value).expect("a study holds finite numbers and string keys")
}

/// A file is what it holds, wherever it lies.
fn replace_files(section: &mut Json, hashes: &[(String, String)]) {
    for (key, hash) in hashes {
        if let Some(Json::Object(table)) = section.get_mut(key) {
            table.insert("file".to_owned(), Json::String(hash.clone()));
        }
    }
}

/// JSON with sorted keys and without nulls, so that a new optional field changes no old key.
fn sorted(json: &Json) -> String {
    match json {
        Json::Object(fields) => {
            let mut fields: Vec<(&String, &Json)> = fields.iter().filter(|(_, value)| !value.is_null()).collect();
            fields.sort_by_key(|(key, _)| *key);
            let fields: Vec<String> = fields
                .into_iter()
                .map(|(key, value)| format!("{}:{}", Json::String(key.clone()), sorted(value)))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
        Json::Array(items) => format!("[{}]", items.iter().map(sorted).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}
