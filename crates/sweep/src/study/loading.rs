//! From text to a checked study: parse, override, compare with the shape, expand, check.

use super::axes::Axis;
use super::axis_reading::{Surroundings, read_axes};
use super::checked::{Checked, Setting};
use super::checks::{self, Finding, Known};
use super::choices;
use super::conformity::Conformity;
use super::diagnostics::{Diagnostic, Diagnostics};
use super::draft::{Changes, Draft};
use super::expansion::{MOST_SETTINGS, Section};
use super::grid::{Grid, MOST_CELLS, too_many_cells};
use super::inputs::{FileComplaint, Files, Library};
use super::kinds::{unused_kind_here, unused_kinds};
use super::overrides;
use super::quick;
use super::raw_axes::{SECTIONS, provided_paths};
use super::shape::{Field, Shape};
use super::spec::{Model, Study};
use super::train_checks::{self, Anywhere, Kinds};
use super::tree::{Node, Place, spoken_path};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use taut_problem::{Data, DataFiles, Init, ParametrizationKind, Tensors};
use taut_train::Train;

/// Why there is no study.
#[derive(Debug, thiserror::Error)]
pub enum StudyError {
    /// There is no such file.
    #[error("there is no study {}{}", path.display(), nearby_text(nearby))]
    Missing {
        /// The path as given.
        path: PathBuf,
        /// Studies that are there.
        nearby: Vec<PathBuf>,
    },
    /// The file cannot be read.
    #[error("cannot read the study {}: {reason}", path.display())]
    Unreadable {
        /// The path as given.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// The study has mistakes.
    #[error("{0}")]
    Invalid(Diagnostics),
}

fn nearby_text(nearby: &[PathBuf]) -> String {
    if nearby.is_empty() {
        return "; there is no *.toml nearby either: `taut init` writes a first study".to_owned();
    }
    let list: Vec<String> = nearby.iter().map(|path| format!("\n  {}", path.display())).collect();
    format!("; studies nearby:{}", list.concat())
}

/// Reads a study file.
///
/// # Errors
/// If it is not there, naming the studies nearby, or cannot be read.
pub fn read(path: &Path) -> Result<String, StudyError> {
    std::fs::read_to_string(path).map_err(|reason| match reason.kind() {
        io::ErrorKind::NotFound => StudyError::Missing { path: path.to_path_buf(), nearby: nearby(path) },
        _ => StudyError::Unreadable { path: path.to_path_buf(), reason },
    })
}

/// TOML files in the folder of a path, in the folder above and in `experiments/`; at most eight.
fn nearby(path: &Path) -> Vec<PathBuf> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut found = Vec::new();
    for folder in [folder.to_path_buf(), PathBuf::from("experiments"), folder.join("..")] {
        let here = if folder.as_os_str().is_empty() { Path::new(".") } else { &folder };
        let Ok(entries) = std::fs::read_dir(here) else {
            continue;
        };
        let mut studies: Vec<PathBuf> = entries
            .flatten()
            .map(|entry| folder.join(entry.file_name()))
            .filter(|path| path.extension().is_some_and(|e| e == "toml"))
            .filter(|path| {
                !["Cargo.toml", "rustfmt.toml"].iter().any(|name| path.file_name().is_some_and(|n| n == *name))
            })
            .collect();
        studies.sort();
        found.extend(studies);
        if !found.is_empty() {
            break;
        }
    }
    found.truncate(8);
    found
}

/// Checks a study: its text, where it stands, which version of it is meant, the names it may ask for, and how
/// to read its files.
///
/// # Errors
/// All mistakes of the study at once.
pub fn load(
    text: &str,
    path: &Path,
    changes: &Changes<'_>,
    known: &Known<'_>,
    files: &dyn Files,
) -> Result<Checked, StudyError> {
    let mut draft = Draft::new(text, path, changes).map_err(StudyError::Invalid)?;
    let shape = Shape::of_a_study();
    let provided = provided_paths(&draft.raw);
    let (mistakes, mut broken) = Conformity::new(shape, &provided).check_study(&draft.root);
    draft.mistakes.extend(mistakes);
    let around = Surroundings { root: &draft.root, shape, sources: &draft.sources, reserved: known.metrics };
    let read = read_axes(&draft.raw, around);
    let (depends, sound) = (read.depends(), read.mistakes.is_empty());
    broken.extend(read.broken);
    let mut axes = read.axes;
    let mut grid = Grid::product(&axes);
    let mut warnings = Vec::new();
    let mut mistakes = read.mistakes;
    if depends && sound {
        let (made, remarks) = Grid::new(&mut axes, &read.filters, &draft.root, shape);
        (mistakes, warnings) = (remarks.mistakes, remarks.warnings);
        match made {
            Some(made) => grid = made,
            None => broken.extend(SECTIONS.map(str::to_owned)),
        }
    }
    draft.mistakes.extend(mistakes);
    if grid.leaves_no_cell_out() && axes.iter().all(|axis| axis.when.is_none()) {
        let unused = unused_kinds(&draft.root, &axes, shape);
        broken.extend(unused.iter().flat_map(|_| SECTIONS.map(str::to_owned)));
        draft.mistakes.extend(unused);
    }
    draft.mistakes.extend(overrides::without_effect(&draft.overrides, &axes));
    if !changes.quick {
        draft.mistakes.extend(quick::mistakes(&draft, shape, known.metrics));
    }
    let filters = read.filters.into_iter().map(|filter| filter.text).collect();
    let library = Library::new(files, path);
    let mut checking = Checking { draft, axes, grid, filters, warnings, shape, broken, known: *known, library };
    let parts = checking.parts();
    checking.finish(text, changes, parts)
}

/// The three sections, expanded as far as they are sound.
pub(super) struct Parts {
    pub(super) sections: [Section; 3],
    pub(super) data: Option<Vec<Setting<Data, DataFiles>>>,
    pub(super) model: Option<Vec<Setting<Model, Tensors>>>,
    pub(super) train: Option<Vec<Setting<Train, ()>>>,
    /// Whether some cell is linear in its parameters.
    linear: bool,
    /// Whether some cell is a product of factors.
    factors: bool,
}

impl Parts {
    /// Whether no cell has rows.
    fn only_matrices(&self) -> bool {
        let all = |data: &Vec<Setting<Data, DataFiles>>| data.iter().all(|setting| setting.value.is_matrix());
        self.data.as_ref().is_some_and(|data| !data.is_empty() && all(data))
    }
}

pub(super) struct Checking<'a> {
    pub(super) draft: Draft,
    pub(super) axes: Vec<Axis>,
    pub(super) grid: Grid,
    filters: Vec<String>,
    warnings: Vec<Diagnostic>,
    shape: &'static Shape,
    broken: BTreeSet<String>,
    known: Known<'a>,
    library: Library<'a>,
}

/// Beyond this many failing settings of a section the rest would say the same.
const ENOUGH: usize = 50;

impl Checking<'_> {
    fn parts(&mut self) -> Parts {
        let sections = ["data", "model", "train"].map(|name| {
            let base = self.draft.root.at(&[name]).cloned();
            Section::new(name, &self.axes, base.unwrap_or_else(|| Node::table(self.draft.root.place)), &self.grid)
        });
        let data = self.expand::<Data>(&sections[0]).map(|values| self.data(&sections[0], values));
        let model = self.expand::<Model>(&sections[1]).map(|values| self.model(&sections[1], values));
        let kinds = kinds_of_cells(data.as_deref(), model.as_deref());
        let train = self.expand::<Train>(&sections[2]).map(|values| self.train(&sections[2], values, kinds));
        let Kinds { linear, factors, .. } = kinds;
        let mut parts = Parts { sections, data, model, train, linear, factors };
        self.rest(&mut parts);
        self.repetitions(&parts);
        parts
    }

    /// Every distinct setting of a section, typed; none if the section has mistakes.
    fn expand<T: for<'de> Deserialize<'de>>(&mut self, section: &Section) -> Option<Vec<T>> {
        if self.broken.contains(section.name) {
            return None;
        }
        if section.len() > MOST_SETTINGS {
            let place = section.axes.last().map_or(self.draft.root.place, |(axis, _)| self.axes[*axis].place);
            let title = format!("the axes make more than {MOST_SETTINGS} distinct settings of [{}]", section.name);
            self.draft.mistakes.push(Diagnostic::new(place, title).help("shorten the axes, or split the study"));
            return None;
        }
        let mut values = Vec::with_capacity(section.len());
        let mut failures = 0;
        let settled = self.grid.leaves_no_cell_out();
        for index in 0..section.len() {
            if !settled
                && let assignments = section.assignments(&self.axes, index)
                && let Some(mistake) = unused_kind_here(&section.base, &assignments, self.shape)
            {
                // The same path again would say the same.
                if !self.draft.mistakes.iter().any(|m| m.place == mistake.place && m.title == mistake.title) {
                    self.draft
                        .mistakes
                        .push(mistake.note(format!("in cells with {}", section.describe(&self.axes, index))));
                }
                failures += 1;
                continue;
            }
            let tree = section.tree(&self.axes, index);
            match T::deserialize(&tree) {
                Ok(value) => values.push(value),
                Err(error) => {
                    let field = self.section_field(section.name)?;
                    let path = [section.name.to_owned()];
                    let mut mistakes = Conformity::new(self.shape, &[]).check(field, &path, &tree);
                    if mistakes.is_empty() {
                        mistakes.push(Diagnostic::new(error.place.unwrap_or(tree.place), error.message));
                    }
                    let settings = section.describe(&self.axes, index);
                    let noted = mistakes
                        .into_iter()
                        .map(|m| if settings.is_empty() { m } else { m.note(format!("in cells with {settings}")) });
                    self.draft.mistakes.extend(noted);
                    failures += 1;
                    if failures == ENOUGH {
                        break;
                    }
                }
            }
        }
        (failures == 0).then_some(values)
    }

    fn section_field(&self, name: &str) -> Option<&Field> {
        self.shape.fields().into_iter().find(|field| field.name == name)
    }

    fn report(&mut self, section: &Section, index: usize, findings: Vec<Finding>) {
        if findings.is_empty() {
            return;
        }
        let tree = section.tree(&self.axes, index);
        let settings = section.describe(&self.axes, index);
        for finding in findings {
            let path: Vec<&str> = finding.path.split('.').collect();
            let place =
                if path[0] == section.name { tree.place_of(&path[1..]) } else { self.draft.root.place_of(&path) };
            let mut mistake =
                Diagnostic::new(place, finding.message).label(spoken_path(&finding.path)).help(finding.help);
            if !settings.is_empty() {
                mistake = mistake.note(format!("in cells with {settings}"));
            }
            self.draft.mistakes.push(mistake);
        }
    }

    fn data(&mut self, section: &Section, values: Vec<Data>) -> Vec<Setting<Data, DataFiles>> {
        let mut settings = Vec::with_capacity(values.len());
        for (index, value) in values.into_iter().enumerate() {
            let mut setting = Setting::new(value);
            let mut findings = checks::data(&setting.value);
            if findings.is_empty() && !setting.value.files().is_empty() {
                match self.library.data(&setting.value) {
                    Ok((files, hashes)) => (setting.file, setting.hashes) = (Some(Arc::new(files)), hashes),
                    Err((table, complaint)) => findings.push(file_finding(&format!("data.{table}"), complaint)),
                }
            }
            self.report(section, index, findings);
            settings.push(setting);
        }
        settings
    }

    fn model(&mut self, section: &Section, values: Vec<Model>) -> Vec<Setting<Model, Tensors>> {
        let mut settings = Vec::with_capacity(values.len());
        for (index, value) in values.into_iter().enumerate() {
            let mut setting = Setting::new(value);
            if let Init::File(start) = setting.value.init.clone() {
                let read = if setting.value.parametrization.is_direct() {
                    let features = setting.value.features.on_curve().map(|map| map.features());
                    self.library.theta(&start, features)
                } else {
                    self.library.start(&start)
                };
                match read {
                    Ok((tensors, hash)) => {
                        setting.file = Some(Arc::new(tensors));
                        setting.hashes = vec![("init".to_owned(), hash)];
                    }
                    Err(complaint) => self.report(section, index, vec![file_finding("model.init", complaint)]),
                }
            }
            settings.push(setting);
        }
        settings
    }

    fn train(&mut self, section: &Section, values: Vec<Train>, kinds: Kinds) -> Vec<Setting<Train, ()>> {
        let anywhere = Anywhere::of(&values, kinds);
        for (index, train) in values.iter().enumerate() {
            self.report(section, index, train_checks::train(train, anywhere));
        }
        values.into_iter().map(Setting::new).collect()
    }

    /// Checks of what is one for all cells, and of what it needs of the sections.
    fn rest(&mut self, parts: &mut Parts) {
        if let Some(record) = self.typed::<super::spec::Record>("record") {
            let findings = checks::record(&record, self.known);
            self.report_fixed(findings);
            if let Some(trains) = &parts.train {
                for (index, train) in trains.iter().enumerate() {
                    let findings = checks::save_times(&record, &train.value, parts.linear);
                    self.report(&parts.sections[2], index, findings);
                }
                self.report_fixed(checks::never_reached(&record.times, trains.iter().map(|t| &*t.value)));
                self.report_fixed(checks::unused_records(&record, trains.iter().map(|t| &*t.value)));
            }
            if !parts.factors {
                self.report_fixed(checks::of_factors(&record).into_iter().collect());
            }
            if parts.only_matrices() {
                let [solutions, choose] = ["solutions", "choose"].map(|key| self.draft.root.at(&[key]).is_some());
                self.report_fixed(checks::of_functions(&record, solutions, choose));
            }
        }
        if !parts.only_matrices() {
            self.functions(parts);
        }
        if let Some(budget) = self.typed::<super::budget::Budget>("budget") {
            self.report_fixed(super::budget::complaints(&budget));
        }
        if let Some(claims) = self.typed::<Vec<super::spec::Claim>>("claim") {
            self.report_fixed(checks::claims(&claims));
        }
    }

    /// Checks of what is asked of points and the functions through them.
    fn functions(&mut self, parts: &Parts) {
        if let Some(solutions) = self.typed::<taut_train::Solutions>("solutions")
            && let Some(data) = &parts.data
        {
            // Elsewhere these solutions say that there is no line.
            for (index, setting) in data.iter().enumerate().filter(|(_, setting)| setting.value.is_curve()) {
                if let Some(samples) = setting.value.samples(setting.file.as_deref()) {
                    self.report(&parts.sections[0], index, checks::solutions(&solutions, samples));
                }
            }
        }
        if self.draft.root.at(&["choose"]).is_some()
            && let Some(choose) = self.typed::<super::spec::Choose>("choose")
        {
            self.choices(parts, &choose);
        }
    }

    /// What `[choose]` needs of itself, of the data and of the motions.
    fn choices(&mut self, parts: &Parts, choose: &super::spec::Choose) {
        self.report_fixed(choices::choose(choose));
        for (index, setting) in parts.data.iter().flatten().enumerate() {
            if let Some(samples) = setting.value.samples(setting.file.as_deref()) {
                self.report(&parts.sections[0], index, choices::samples(choose, samples));
            }
        }
        let section = &parts.sections[0];
        let without = |index: &usize| section.tree(&self.axes, *index).at(&["validation"]).is_none();
        if let Some(index) = (0..parts.data.as_ref().map_or(0, Vec::len)).find(without) {
            self.report(section, index, choices::without_validation(choose));
        }
        for (index, setting) in parts.train.iter().flatten().enumerate() {
            self.report(&parts.sections[2], index, choices::motion(choose, &setting.value, parts.linear));
        }
    }

    /// A section that is one for all cells, if it is sound; its default if it is not written.
    fn typed<T: for<'de> Deserialize<'de> + Default>(&mut self, name: &str) -> Option<T> {
        if self.broken.contains(name) {
            return None;
        }
        let Some(node) = self.draft.root.at(&[name]) else {
            return Some(T::default());
        };
        match T::deserialize(node) {
            Ok(value) => Some(value),
            Err(error) => {
                let mistake = Diagnostic::new(error.place.unwrap_or(node.place), error.message).label(name);
                self.draft.mistakes.push(mistake);
                None
            }
        }
    }

    fn report_fixed(&mut self, findings: Vec<Finding>) {
        for finding in findings {
            let path: Vec<&str> = finding.path.split('.').collect();
            let place = self.draft.root.place_of(&path);
            self.draft
                .mistakes
                .push(Diagnostic::new(place, finding.message).label(spoken_path(&finding.path)).help(finding.help));
        }
    }

    fn finish(mut self, text: &str, changes: &Changes<'_>, parts: Parts) -> Result<Checked, StudyError> {
        // None at all are more than can be counted.
        let is_too_large = self.grid.cells == 0 || self.grid.cells > MOST_CELLS;
        if is_too_large && self.draft.mistakes.is_empty() {
            self.draft.mistakes.push(too_many_cells(&self.axes, self.draft.root.place));
        }
        let invalid =
            |draft: &Draft, mistakes| Err(StudyError::Invalid(Diagnostics::new(draft.sources.clone(), mistakes)));
        let mistakes = std::mem::take(&mut self.draft.mistakes);
        let (Some(data), Some(model), Some(train), true) = (parts.data, parts.model, parts.train, mistakes.is_empty())
        else {
            return invalid(&self.draft, mistakes);
        };
        let study = match Study::deserialize(&self.first_cell(&parts.sections)) {
            Ok(study) => study,
            Err(error) => {
                let place = error.place.unwrap_or(self.draft.root.place);
                return invalid(&self.draft, vec![Diagnostic::new(place, error.message)]);
            }
        };
        let text = if changes.is_none() { text.to_owned() } else { self.draft.rewritten(changes) };
        let Self { draft: Draft { sources, root, .. }, axes, grid, filters, warnings, .. } = self;
        let (sections, quick) = (parts.sections, changes.quick);
        let study =
            Checked { study, quick, axes, filters, text, sources, root, warnings, grid, sections, data, model, train };
        Ok(study)
    }

    /// The whole study as its first cell has it.
    fn first_cell(&self, sections: &[Section; 3]) -> Node {
        let mut root = self.draft.root.clone();
        let place: Place = root.place;
        let positions = self.grid.positions(0);
        for section in sections {
            root.set(&[section.name], &[place], section.tree(&self.axes, section.index(&positions)));
        }
        root.set(&["sweep"], &[place], self.draft.sweep_table());
        root
    }
}

/// Which kinds of cells there can be; a section with mistakes may be anything.
fn kinds_of_cells(data: Option<&[Setting<Data, DataFiles>]>, model: Option<&[Setting<Model, Tensors>]>) -> Kinds {
    let any_data = |is: fn(&Data) -> bool| data.is_none_or(|data| data.iter().any(|setting| is(&setting.value)));
    let any_model = |is: fn(&ParametrizationKind) -> bool| {
        model.is_none_or(|model| model.iter().any(|setting| is(&setting.value.parametrization)))
    };
    Kinds {
        linear: any_data(|data| !data.is_matrix()) && any_model(ParametrizationKind::is_direct),
        nonlinear: any_data(Data::is_matrix) || any_model(|kind| !kind.is_direct()),
        factors: any_model(|kind| matches!(kind, ParametrizationKind::DeepLinear(_))),
    }
}

fn file_finding(table: &str, complaint: FileComplaint) -> Finding {
    Finding { path: format!("{table}.{}", complaint.key), message: complaint.message, help: complaint.help }
}
