//! The table `claims`: one row per claim and group, beside the tables that it was read off.

use super::{Answer, Measured, Verdicts};
use crate::results::CLAIMS;
use crate::{ReportError, Results};
use taut_store::{Column, ColumnType, Provenance, Rows, TableSchema};

/// The columns of the table `claims`.
pub fn table_schema() -> TableSchema {
    use ColumnType::{Float64, Int64, String};
    let columns = [
        ("claim", Int64, "number of the claim in the study, from 1"),
        ("says", String, "the hypothesis in words"),
        ("group", String, "the group's columns and values; empty where there is one group"),
        ("value", Float64, "what was measured, to nine digits; a truth value is 1 or 0; null if there is none"),
        ("lower", Float64, "smallest value that bears the claim out; null if there is none"),
        ("upper", Float64, "largest value that bears the claim out; null if there is none"),
        ("margin", Float64, "how far inside the bound the value is; negative outside"),
        ("verdict", String, "holds, fails, undecided, or skipped in the small version of the study"),
        ("reason", String, "why it is undecided or skipped; null otherwise"),
        ("cite", String, "where the claim comes from; null if the study does not say"),
        ("panel", String, "the sentences of the panel that it answers, as numbers joined by commas; null if none"),
    ];
    TableSchema {
        name: CLAIMS.to_owned(),
        columns: columns.into_iter().map(|(name, kind, doc)| Column::new(name, kind, "", doc)).collect(),
    }
}

/// Writes the verdicts beside the tables that they were read off; a study without claims gets no table.
///
/// # Errors
/// If the folder cannot be written.
pub fn record(verdicts: &Verdicts, results: &Results) -> Result<(), ReportError> {
    let folder = results.folder();
    if verdicts.answers.is_empty() && folder.parts(CLAIMS)?.is_empty() {
        return Ok(());
    }
    let mut rows = Rows::new(&table_schema());
    for (number, answer) in verdicts.answers.iter().enumerate() {
        answer.measured.iter().for_each(|measured| push(&mut rows, number, answer, measured));
    }
    let provenance = Provenance {
        schema_version: results.manifest.schema_version.clone(),
        program: results.manifest.program.clone(),
        study: results.manifest.study.clone(),
        extra: Vec::new(),
    };
    folder.write_part("00000", &rows, &provenance)?;
    Ok(())
}

fn push(rows: &mut Rows, number: usize, answer: &Answer, measured: &Measured) {
    let (lower, upper) = answer.bound.ends();
    rows.push_int(0, i64::try_from(number + 1).ok());
    rows.push_text(1, Some(&answer.claim.says));
    rows.push_text(2, Some(&measured.group));
    rows.push_float(3, measured.value);
    rows.push_float(4, lower);
    rows.push_float(5, upper);
    rows.push_float(6, measured.margin);
    rows.push_text(7, Some(measured.verdict.name()));
    rows.push_text(8, measured.reason.as_deref());
    rows.push_text(9, answer.claim.cite.as_deref());
    let panel = answer.claim.panel.iter().map(u8::to_string).collect::<Vec<_>>().join(",");
    rows.push_text(10, Some(panel.as_str()).filter(|panel| !panel.is_empty()));
}
