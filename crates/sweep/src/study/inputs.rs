//! Files that a study brings: read through a callback, so that nothing here knows CSV or parquet.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use taut_numerics::DMatrix;
use taut_problem::{Curve, Data, DataFiles, FileStart, HeldOutRows, Matrices, Select, Table, TablePoints, Tensors};

/// Reads the user's tables.
pub trait Files {
    /// The table in a file.
    ///
    /// # Errors
    /// A sentence saying why it cannot be read, with the line where there is one.
    fn table(&self, path: &Path) -> Result<FileTable, String>;

    /// The hash of a file's bytes.
    ///
    /// # Errors
    /// A sentence saying why it cannot be read.
    fn hash(&self, path: &Path) -> Result<String, String>;
}

/// A table as read.
#[derive(Clone, Debug, Default)]
pub struct FileTable {
    /// The columns in the order of the file, all of one length.
    pub columns: Vec<FileColumn>,
}

/// A column as read.
#[derive(Clone, Debug)]
pub struct FileColumn {
    /// Its name in the header.
    pub name: String,
    /// Its cells as numbers, or a sentence saying which one is none.
    pub numbers: Result<Vec<f64>, String>,
    /// Its cells as written.
    pub texts: Vec<String>,
}

/// What went wrong with a file: about a key of the table that names it.
#[derive(Clone, Debug)]
pub(crate) struct FileComplaint {
    pub(crate) key: &'static str,
    pub(crate) message: String,
    pub(crate) help: String,
}

impl FileComplaint {
    fn new(key: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { key, message: message.into(), help: help.into() }
    }
}

/// What the files of a table hold, with the hash of each.
type ReadData = (DataFiles, Vec<(String, String)>);

/// A file's table and hash, or why there is none.
type ReadFile = (Result<FileTable, String>, Result<String, String>);

/// Files already read, by path.
pub(crate) struct Library<'a> {
    files: &'a dyn Files,
    folder: PathBuf,
    read: BTreeMap<String, ReadFile>,
}

impl<'a> Library<'a> {
    /// Paths are relative to the folder of the study file.
    pub(crate) fn new(files: &'a dyn Files, study: &Path) -> Self {
        Self { files, folder: study.parent().map(Path::to_path_buf).unwrap_or_default(), read: BTreeMap::new() }
    }

    fn get(&mut self, file: &str) -> Result<(&FileTable, String), FileComplaint> {
        let path = self.folder.join(file);
        let files = self.files;
        let entry = self.read.entry(file.to_owned()).or_insert_with(|| (files.table(&path), files.hash(&path)));
        match entry {
            (Ok(table), Ok(hash)) => Ok((table, hash.clone())),
            (Err(message), _) | (_, Err(message)) => {
                Err(FileComplaint::new("file", message.clone(), "paths are relative to the folder of the study file"))
            }
        }
    }

    /// What the files of a `[data]` table hold, and the hash of each beside the table that names it;
    /// or what is wrong, with the table.
    pub(crate) fn data(&mut self, data: &Data) -> Result<ReadData, (&'static str, FileComplaint)> {
        let mut files = DataFiles::default();
        let mut hashes = Vec::new();
        let columns = Columns::of(data);
        let mut keep = |table: &'static str, read: Result<(TablePoints, String), FileComplaint>| {
            let (points, hash) = read.map_err(|complaint| (table, complaint))?;
            hashes.push((table.to_owned(), hash));
            Ok(Some(points))
        };
        if let Some(curve) = &data.curve
            && let Some(file) = &curve.file
        {
            files.points = keep("curve", self.on_line(file, &columns, curve.select.as_ref(), curve))?;
        }
        if let Some(table) = &data.table
            && let Some(file) = &table.file
        {
            files.points = keep("table", self.points(file, &columns, table.select.as_ref()))?;
        }
        if let Some(matrices) = &data.matrices {
            let (tensors, hash) = self.matrices(matrices).map_err(|complaint| ("matrices", complaint))?;
            hashes.push(("matrices".to_owned(), hash));
            files.tensors = Some(tensors);
            if let Some(HeldOutRows { file: Some(file), .. }) = &data.test {
                let (tensors, hash) = self.matrices_held_out(matrices, file, &files).map_err(|c| ("test", c))?;
                hashes.push(("test".to_owned(), hash));
                files.test_tensors = Some(tensors);
            }
            return Ok((files, hashes));
        }
        files.test = match &data.test {
            Some(HeldOutRows { file: Some(file), select, .. }) => {
                keep("test", self.held_out(file, &columns, select.as_ref(), data))?
            }
            _ => None,
        };
        files.validation = match &data.validation {
            Some(HeldOutRows { file: Some(file), select, .. }) => {
                keep("validation", self.held_out(file, &columns, select.as_ref(), data))?
            }
            _ => None,
        };
        Ok((files, hashes))
    }

    /// The rows of a file, and its hash.
    fn points(
        &mut self,
        file: &str,
        columns: &Columns<'_>,
        select: Option<&Select>,
    ) -> Result<(TablePoints, String), FileComplaint> {
        let (table, hash) = self.get(file)?;
        let rows = selected_rows(table, select)?;
        let number = |(key, setting, name): Named<'_>| numbers(table, key, setting, name, &rows);
        let inputs = columns.inputs.iter().map(|named| number(*named)).collect::<Result<_, _>>()?;
        let y = columns.output.map(number).transpose()?;
        let replicate = columns.replicate.map(|name| replicates(table, name, &rows)).transpose()?;
        let outputs = columns.outputs.iter().map(|named| number(*named)).collect::<Result<_, _>>()?;
        Ok((TablePoints { inputs, y, outputs, replicate }, hash))
    }

    /// The same for points on the line: none may lie outside of the domain.
    fn on_line(
        &mut self,
        file: &str,
        columns: &Columns<'_>,
        select: Option<&Select>,
        curve: &Curve,
    ) -> Result<(TablePoints, String), FileComplaint> {
        let (points, hash) = self.points(file, columns, select)?;
        curve.points(0, 0, Some(&points)).map_err(|message| FileComplaint::new("file", message, ""))?;
        Ok((points, hash))
    }

    /// Held-out rows; the replicate counts where the file has its column.
    fn held_out(
        &mut self,
        file: &str,
        columns: &Columns<'_>,
        select: Option<&Select>,
        data: &Data,
    ) -> Result<(TablePoints, String), FileComplaint> {
        let (table, _) = self.get(file)?;
        let has = |name: &str| table.columns.iter().any(|column| column.name == name);
        let columns = columns.without_settings(columns.replicate.filter(|name| has(name)));
        match &data.curve {
            Some(curve) => {
                // Design, values and offsets belong to the points that are fitted.
                let curve = Curve { design: None, samples: None, x: None, y: None, offsets: None, ..curve.clone() };
                self.on_line(file, &columns, select, &curve)
            }
            None => self.points(file, &columns, select),
        }
    }

    /// The tensors of `[data.matrices]`, without their prefix, and the file's hash.
    fn matrices(&mut self, matrices: &Matrices) -> Result<(Tensors, String), FileComplaint> {
        let (tensors, hash) = self.long_form(&matrices.file, &matrices.prefix, &matrices.only)?;
        let known = |name: &&String| Matrices::NAMES.contains(&name.as_str());
        if let Some(other) = tensors.0.keys().find(|name| !known(name)) {
            let message =
                format!("the file also has the tensor `{}{other}`, which data have no use for", matrices.prefix);
            let names = Matrices::NAMES.join(", ");
            let help = match tensors.0.keys().any(|name| known(&name)) {
                true => format!("say `only = [...]` to ignore the others; allowed: {names}"),
                false => format!("set `prefix` to what the names begin with before one of {names}"),
            };
            return Err(FileComplaint::new("file", message, help));
        }
        matrices.possible_problem(&tensors).map_err(|message| {
            let help = "matrices that make a problem: X and Y; Syx, with Sxx and trSyy if wanted; target and mask";
            FileComplaint::new("file", message, help)
        })?;
        Ok((tensors, hash))
    }

    /// `X` and `Y` of the samples that are held out of `[data.matrices]`, named as there, and the file's hash.
    fn matrices_held_out(
        &mut self,
        matrices: &Matrices,
        file: &str,
        files: &DataFiles,
    ) -> Result<(Tensors, String), FileComplaint> {
        let only = ["X", "Y"].map(|name| format!("{}{name}", matrices.prefix));
        let (tensors, hash) = self.long_form(file, &matrices.prefix, &only)?;
        let problem = files.tensors.as_ref().map(|tensors| matrices.problem(tensors));
        if let Some(Ok(problem)) = problem {
            matrices.tested_on(&tensors, problem).map_err(|message| FileComplaint::new("file", message, ""))?;
        }
        Ok((tensors, hash))
    }

    /// The tensors of a start, without their prefix, and the file's hash.
    pub(crate) fn start(&mut self, start: &FileStart) -> Result<(Tensors, String), FileComplaint> {
        self.long_form(&start.file, &start.prefix, &start.only)
    }

    /// Tensors in the long form `tensor,row,col,value` whose names begin with `prefix`, without it.
    fn long_form(&mut self, file: &str, prefix: &str, only: &[String]) -> Result<(Tensors, String), FileComplaint> {
        let (table, hash) = self.get(file)?;
        let all: Vec<usize> = (0..table.columns.first().map_or(0, |column| column.texts.len())).collect();
        let names = &column(table, "file", "tensor", "")?.texts;
        let wanted = |name: &str| {
            let name = name.strip_prefix(prefix)?;
            let is_wanted = only.is_empty() || only.iter().any(|o| o == name || o.strip_prefix(prefix) == Some(name));
            is_wanted.then(|| name.to_owned())
        };
        let kept: Vec<usize> = all.into_iter().filter(|&i| wanted(&names[i]).is_some()).collect();
        let [row, col, value] = ["row", "col", "value"].map(|name| numbers(table, "file", "", name, &kept));
        let (row, col, value) = (row?, col?, value?);
        let mut entries: BTreeMap<String, Vec<(f64, f64, f64)>> = BTreeMap::new();
        for (place, &i) in kept.iter().enumerate() {
            let name = wanted(&names[i]).unwrap_or_default();
            entries.entry(name).or_default().push((row[place], col[place], value[place]));
        }
        let absent = |name: &&String| !entries.contains_key(name.strip_prefix(prefix).unwrap_or(name));
        if let Some(absent) = only.iter().find(absent) {
            let message = format!("`only` names the tensor `{absent}`, which the file does not have");
            return Err(FileComplaint::new("only", message, format!("it has {}", listed(names))));
        }
        if entries.is_empty() {
            let message = format!("the file has no tensor whose name begins with `{prefix}`; it has {}", listed(names));
            return Err(FileComplaint::new("prefix", message, "set `prefix` to what the names begin with"));
        }
        let tensors = entries.into_iter().map(|(name, entries)| Ok((name.clone(), filled(&name, &entries)?)));
        Ok((Tensors(tensors.collect::<Result<_, FileComplaint>>()?), hash))
    }

    /// θ₀ from a file, and the file's hash; `parameters` is the length that the model needs,
    /// where that does not depend on the data.
    pub(crate) fn theta(
        &mut self,
        start: &FileStart,
        parameters: Option<usize>,
    ) -> Result<(Tensors, String), FileComplaint> {
        let (table, hash) = self.get(&start.file)?;
        let all: Vec<usize> = (0..table.columns.first().map_or(0, |column| column.texts.len())).collect();
        let tensor = &column(table, "file", "tensor", "")?.texts;
        if parameters.is_none() && numbers(table, "file", "", "col", &all)?.iter().any(|col| *col > 0.0) {
            // A predictor of several outputs is a matrix.
            return self.start(start);
        }
        let [row, col, value] = ["row", "col", "value"].map(|name| numbers(table, "file", "", name, &all));
        let (row, col, value) = (row?, col?, value?);
        let wanted = format!("{}theta", start.prefix);
        check_only(start, tensor, &wanted)?;
        let rows = tensor.iter().zip(&row).filter(|(name, _)| **name == wanted);
        let rows = rows.fold(0.0, |most: f64, (_, row)| most.max(*row + 1.0));
        let parameters = parameters.unwrap_or(rows.min(1e7) as usize);
        let mut theta: Vec<Option<f64>> = vec![None; parameters];
        let long = "a start in the long form has one line `tensor,row,col,value` per entry, zero-based";
        let mut seen = 0;
        for i in all {
            if tensor[i] != wanted {
                continue;
            }
            seen += 1;
            let place = row[i];
            if col[i].abs() > 0.0 {
                let message = format!("`{wanted}` has an entry in column {}: a vector has column 0 only", col[i]);
                return Err(FileComplaint::new("file", message, long));
            }
            let slot = (place.fract() == 0.0 && place >= 0.0).then(|| theta.get_mut(place as usize)).flatten();
            match slot {
                Some(slot) if slot.is_none() => *slot = Some(value[i]),
                Some(_) => {
                    let message = format!("`{wanted}` has two entries in row {place}");
                    return Err(FileComplaint::new("file", message, long));
                }
                None => {
                    let message =
                        format!("`{wanted}` has an entry in row {place}, but the model has {parameters} parameters");
                    return Err(FileComplaint::new(
                        "file",
                        message,
                        format!("rows run from 0 to {}", parameters.saturating_sub(1)),
                    ));
                }
            }
        }
        if seen == 0 {
            let mut names: Vec<&str> = tensor.iter().map(String::as_str).collect();
            names.dedup();
            let message = format!("the file has no tensor `{wanted}`; it has {}", names.join(", "));
            return Err(FileComplaint::new("file", message, "set `prefix`, or name the tensor `theta`"));
        }
        match theta.iter().position(Option::is_none) {
            Some(row) => {
                let message =
                    format!("`{wanted}` has {seen} entries for {parameters} parameters: row {row} is missing");
                Err(FileComplaint::new("file", message, long))
            }
            None => {
                let theta = DMatrix::from_iterator(parameters, 1, theta.into_iter().flatten());
                Ok((Tensors([("theta".to_owned(), theta)].into()), hash))
            }
        }
    }
}

/// The distinct names, in the order of the file.
fn listed(names: &[String]) -> String {
    let mut seen: Vec<&str> = Vec::new();
    for name in names {
        if !seen.contains(&name.as_str()) {
            seen.push(name);
        }
    }
    seen.join(", ")
}

/// A matrix in which every entry is given once.
fn filled(name: &str, entries: &[(f64, f64, f64)]) -> Result<DMatrix<f64>, FileComplaint> {
    let long = "matrices in the long form have one line `tensor,row,col,value` per entry, zero-based";
    let is_place = |x: f64| x.fract() == 0.0 && (0.0..1e5).contains(&x);
    if let Some((row, col, _)) = entries.iter().find(|(row, col, _)| !is_place(*row) || !is_place(*col)) {
        let message = format!("`{name}` has an entry at row {row}, column {col}: expected whole numbers from 0");
        return Err(FileComplaint::new("file", message, long));
    }
    let size = |of: fn(&(f64, f64, f64)) -> f64| entries.iter().map(of).fold(0.0, f64::max) as usize + 1;
    let (rows, columns) = (size(|e| e.0), size(|e| e.1));
    let mut slots: BTreeMap<(usize, usize), f64> = BTreeMap::new();
    for &(row, col, value) in entries {
        let place = (row as usize, col as usize);
        if slots.insert(place, value).is_some() {
            let message = format!("`{name}` has two entries at row {row}, column {col}");
            return Err(FileComplaint::new("file", message, long));
        }
    }
    if slots.len() != rows * columns {
        let message = format!("`{name}` has {} entries, and {rows} rows of {columns} columns", slots.len());
        return Err(FileComplaint::new("file", message, long));
    }
    Ok(DMatrix::from_fn(rows, columns, |i, j| slots[&(i, j)]))
}

/// Other tensors under the prefix are ignored only if the study says so.
fn check_only(start: &FileStart, tensors: &[String], wanted: &str) -> Result<(), FileComplaint> {
    let is_theta = |name: &String| name == "theta" || name == wanted;
    if !start.only.is_empty() {
        return match start.only.iter().find(|name| !is_theta(name)) {
            None => Ok(()),
            Some(other) => {
                let message = format!("`only` names the tensor `{other}`, but a start has only `theta`");
                Err(FileComplaint::new("only", message, "write `only = [\"theta\"]`"))
            }
        };
    }
    match tensors.iter().find(|name| name.starts_with(&start.prefix) && *name != wanted) {
        None => Ok(()),
        Some(other) => {
            let message = format!("the file also has the tensor `{other}`, which a start has no use for");
            Err(FileComplaint::new("file", message, "say `only = [\"theta\"]` to ignore the others"))
        }
    }
}

/// A column: the key that a mistake is about, the setting that would name it, and its name.
type Named<'a> = (&'static str, &'static str, &'a str);

/// Where the inputs, the values and the replicate of a source's rows are.
struct Columns<'a> {
    inputs: Vec<Named<'a>>,
    output: Option<Named<'a>>,
    /// The outputs, where there are several.
    outputs: Vec<Named<'a>>,
    replicate: Option<&'a str>,
}

impl<'a> Columns<'a> {
    fn of(data: &'a Data) -> Self {
        let named = |setting: &'static str, name: Option<&'a str>, default: &'static str| -> Named<'a> {
            (if name.is_some() { setting } else { "file" }, setting, name.unwrap_or(default))
        };
        let replicate = data.replicate_column().map(|(_, name)| name);
        if let Some(Table { inputs, output, outputs, .. }) = &data.table {
            let listed = |key: &'static str, names: &'a Option<Vec<String>>| -> Vec<Named<'a>> {
                names.iter().flatten().map(|name| (key, "", name.as_str())).collect()
            };
            let single = outputs.is_none().then(|| named("output", output.as_deref(), "y"));
            let (inputs, outputs) = (listed("inputs", inputs), listed("outputs", outputs));
            return Self { inputs, output: single, outputs, replicate };
        }
        let curve = data.curve.as_ref();
        let x = named("x_column", curve.and_then(|curve| curve.x_column.as_deref()), "x");
        let y = named("y_column", curve.and_then(|curve| curve.y_column.as_deref()), "y");
        Self {
            inputs: vec![x],
            output: Some(y).filter(|(_, _, name)| !name.is_empty()),
            outputs: Vec::new(),
            replicate,
        }
    }

    /// The same columns in another file: a mistake is about that file.
    fn without_settings(&self, replicate: Option<&'a str>) -> Self {
        let plain = |&(_, _, name): &Named<'a>| -> Named<'a> { ("file", "", name) };
        let all = |named: &[Named<'a>]| named.iter().map(plain).collect();
        let (inputs, outputs) = (all(&self.inputs), all(&self.outputs));
        Self { inputs, output: self.output.as_ref().map(plain), outputs, replicate }
    }
}

/// The replicate of each row.
fn replicates(table: &FileTable, name: &str, rows: &[usize]) -> Result<Vec<u64>, FileComplaint> {
    let key = "replicate_column";
    let values = numbers(table, key, key, name, rows)?;
    let whole = |value: &f64| value.fract() == 0.0 && (0.0..=9e15).contains(value);
    match values.iter().find(|value| !whole(value)) {
        Some(value) => {
            let message = format!("column `{name}` holds {value}: expected whole numbers of at least 0");
            Err(FileComplaint::new(key, message, "a row belongs to the cells whose `seed` in [sweep] is this number"))
        }
        None => Ok(values.into_iter().map(|value| value as u64).collect()),
    }
}

fn selected_rows(table: &FileTable, select: Option<&Select>) -> Result<Vec<usize>, FileComplaint> {
    let count = table.columns.first().map_or(0, |column| column.texts.len());
    let Some(select) = select else {
        return Ok((0..count).collect());
    };
    let texts = &column(table, "select", &select.column, "")?.texts;
    let same = |text: &str| {
        text == select.value
            || matches!((text.parse::<f64>(), select.value.parse::<f64>()), (Ok(a), Ok(b)) if a.to_bits() == b.to_bits())
    };
    let rows: Vec<usize> = (0..count).filter(|i| same(&texts[*i])).collect();
    if rows.is_empty() {
        let mut values: Vec<&str> = Vec::new();
        for text in texts {
            if !values.contains(&text.as_str()) && values.len() < 8 {
                values.push(text);
            }
        }
        let message = format!("no row has `{}` in column `{}`", select.value, select.column);
        return Err(FileComplaint::new("select", message, format!("the column holds {}", values.join(", "))));
    }
    Ok(rows)
}

fn column<'t>(
    table: &'t FileTable,
    key: &'static str,
    name: &str,
    setting: &str,
) -> Result<&'t FileColumn, FileComplaint> {
    table.columns.iter().find(|column| column.name == name).ok_or_else(|| {
        let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        let help = if setting.is_empty() { String::new() } else { format!("name the column: `{setting} = \"…\"`") };
        FileComplaint::new(key, format!("the file has no column `{name}`; it has {}", names.join(", ")), help)
    })
}

fn numbers(
    table: &FileTable,
    key: &'static str,
    setting: &str,
    name: &str,
    rows: &[usize],
) -> Result<Vec<f64>, FileComplaint> {
    let column = column(table, key, name, setting)?;
    let values: Vec<f64> = match &column.numbers {
        Ok(values) => rows.iter().map(|i| values[*i]).collect(),
        // Rows that are not selected may hold anything.
        Err(message) => {
            let parsed: Option<Vec<f64>> = rows.iter().map(|i| column.texts[*i].parse().ok()).collect();
            parsed
                .ok_or_else(|| FileComplaint::new(key, message.clone(), format!("column `{name}` must hold numbers")))?
        }
    };
    match values.iter().find(|value| !value.is_finite()) {
        Some(value) => {
            let plain = || format!("column `{name}` holds {value}: expected finite numbers");
            let message = column.numbers.as_ref().err().cloned().unwrap_or_else(plain);
            Err(FileComplaint::new(key, message, format!("column `{name}` must hold finite numbers")))
        }
        None => Ok(values),
    }
}
