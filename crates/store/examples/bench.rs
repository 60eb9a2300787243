#![allow(missing_docs, clippy::print_stdout)]
use std::time::Instant;
use taut_store::*;
fn threads() -> usize { std::fs::read_dir("/proc/self/task").map(|d| d.count()).unwrap_or(0) }
fn main() {
    let n = 250_000usize;
    let mut columns = vec![Column::new("cell", ColumnType::Int64, "", "c"), Column::new("source", ColumnType::String, "", "s"), Column::new("step", ColumnType::Int64, "", "")];
    for i in 0..30 { columns.push(Column::new(format!("m{i}"), ColumnType::Float64, "", "a metric")); }
    let schema = TableSchema { name: "trajectory".into(), columns };
    for nulls in [false, true] {
    for mode in ["random", "mixed", "smooth"] {
    let t = Instant::now();
    let mut rows = Rows::new(&schema);
    let mut s = 1u64;
    let mut rnd = || { s ^= s << 13; s ^= s >> 7; s ^= s << 17; (s >> 11) as f64 / (1u64 << 53) as f64 };
    for cell in 0..n / 250 {
        rows.repeat_int(0, Some(cell as i64 * 7919), 250);
        rows.repeat_text(1, Some("trained"), 250);
        for k in 0..250 { rows.push_int(2, Some((1.07f64).powi(k) as i64)); }
        for c in 0..30 {
            let a = rnd();
            for k in 0..250 {
                let v = match (mode, c % 3) { ("random", _) => rnd(), ("mixed", 0) => rnd(), ("mixed", 1) => a, ("mixed", _) => (k as f64 * 0.01).exp() * a, (_, _) => a * (-0.05 * k as f64).exp() + 0.01 };
                rows.push_float(3 + c, if nulls && k % 50 == 7 { None } else { Some(v) });
            }
        }
    }
    let fill = t.elapsed();
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::at(dir.path().join("r"));
    let p = Provenance { schema_version: "1".into(), program: "x".into(), study: "y".into(), extra: vec![] };
    let t = Instant::now();
    let bytes = folder.write_part("a", &rows, &p).unwrap();
    let write = t.elapsed();
    let t = Instant::now();
    let table = folder.read_table("trajectory").unwrap();
    println!("{mode:7} nulls={nulls} fill {:.3} write {:.3} s, {:.1} MB of {:.1} MB, read {:.3} s ({} rows) threads {}", fill.as_secs_f64(), write.as_secs_f64(), bytes as f64 / 1e6, rows.estimated_bytes() as f64 / 1e6, t.elapsed().as_secs_f64(), table.rows(), threads());
    }}
}
