//! Writes what fuzzing starts from beside the kept corpora: the studies of this repository, small tables as parts and
//! as files of users, and a dictionary of everything that a study can say.

// Instrumented code does not link without it.
use libfuzzer_sys as _;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use taut_store::{Column, ColumnType, Folder, Provenance, Rows, TableSchema};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let out = PathBuf::from(std::env::args().nth(1).ok_or("give a folder to write into")?);
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for target in ["study_parser", "part_reader", "input_table"] {
        fs::create_dir_all(out.join(target))?;
    }
    for folder in ["experiments", "tests/studies", "scripts/peers"] {
        for entry in fs::read_dir(repository.join(folder))? {
            let path = entry?.path();
            let target = match path.extension().and_then(|extension| extension.to_str()) {
                Some("toml") => "study_parser",
                Some("csv") => "input_table",
                _ => continue,
            };
            // Comments cost the fuzzer time and reach nothing.
            let text = fs::read_to_string(&path)?;
            let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
            let text: String = lines.map(|line| format!("{line}\n")).collect();
            fs::write(out.join(target).join(path.file_name().unwrap_or_default()), text)?;
        }
    }
    for (name, rows) in [("empty", 0), ("short", 3), ("long", 400)] {
        let part = part(&out, &rows_of(rows))?;
        fs::copy(&part, out.join("part_reader").join(name))?;
        fs::copy(&part, out.join("input_table").join(name))?;
        fs::remove_dir_all(out.join("tables"))?;
    }
    fs::write(out.join("study_parser.dict"), dictionary())?;
    Ok(())
}

/// Columns of every type, with nulls and few values in one of them.
fn rows_of(count: i64) -> Rows {
    let kinds = [ColumnType::Int64, ColumnType::Float64, ColumnType::String, ColumnType::Bool, ColumnType::Float64];
    let columns = ["cell", "risk", "status", "ok", "gap"].into_iter().zip(kinds);
    let columns = columns.map(|(name, kind)| Column::new(name, kind, "m", "what it is")).collect();
    let mut rows = Rows::new(&TableSchema { name: "cells".to_owned(), columns });
    for row in 0..count {
        rows.push_int(0, Some(row * row));
        rows.push_float(1, Some(1.0 / (row as f64 - 2.5)));
        rows.push_text(2, Some(["trained", "diverged at step 3", ""][row as usize % 3]));
        rows.push_bool(3, (row % 5 > 0).then_some(row % 2 == 0));
        rows.push_float(4, (row % 3 > 0).then_some(0.5));
    }
    rows
}

fn part(out: &Path, rows: &Rows) -> Result<PathBuf, Box<dyn std::error::Error>> {
    let folder = Folder::at(out.join("tables"));
    let (schema_version, program, study) = ("1".to_owned(), "taut".to_owned(), "title = \"t\"\n".to_owned());
    folder.write_part("1", rows, &Provenance { schema_version, program, study, extra: Vec::new() })?;
    Ok(folder.part_path("cells", "1")?)
}

/// Keys, names and kinds from the schema of a study, metrics and theories from their lists, and what TOML is made of.
fn dictionary() -> String {
    let mut words = BTreeSet::new();
    collect(&taut_sweep::study::json_schema(), &mut words);
    for kind in taut_sweep::KINDS {
        words.extend(taut_sweep::listing(kind).unwrap_or_default().iter().map(|listed| listed.name.to_owned()));
    }
    let notation = "[|]|[[|]]|{ | }| = |, |.|\n|\"\"\"|inf|nan|1e400|-1|1e15|9007199254740992|1979-05-27|true|zip|cases|\
        values|linspace|logspace|count|name|uniform|loguniform|random|derive|when|where| and | or |not |(|)|min(|sqrt(|\
        \"latin-hypercube\"|\"halton\"|\u{1e}|\n[sweep]\n|\n[quick]\n|points.csv|table.csv|start.csv|matrix.csv|\
        entries.csv";
    words.extend(notation.split('|').map(str::to_owned));
    let escaped = |word: &String| -> String {
        word.bytes()
            .map(|byte| match byte {
                b'"' | b'\\' => format!("\\{}", byte as char),
                b' '..=b'~' => (byte as char).to_string(),
                _ => format!("\\x{byte:02x}"),
            })
            .collect()
    };
    words.iter().map(|word| format!("\"{}\"\n", escaped(word))).collect()
}

fn collect(schema: &Value, words: &mut BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            for (key, value) in fields {
                if key == "properties" {
                    words.extend(value.as_object().into_iter().flatten().map(|(name, _)| name.clone()));
                }
                let names = value.as_array().map_or(&[][..], Vec::as_slice);
                match key.as_str() {
                    "enum" => words.extend(names.iter().filter_map(Value::as_str).map(|name| format!("\"{name}\""))),
                    "const" => words.extend(value.as_str().map(|name| format!("\"{name}\""))),
                    _ => collect(value, words),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, words)),
        _ => {}
    }
}
