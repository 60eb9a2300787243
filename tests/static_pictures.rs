//! `taut report --svg`: every figure of a study as a picture for papers.

mod support;

use std::path::Path;
use support::{here, run_study, taut};

fn results(folder: &Path) -> String {
    let results = folder.join("results");
    run_study(&here("tests/studies/hostile_report.toml"), &results, &[]);
    results.to_str().expect("a path in UTF-8").to_owned()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn every_figure_with_rows_becomes_a_picture() {
    let folder = tempfile::tempdir().expect("a folder");
    let results = results(folder.path());
    let pictures = folder.path().join("paper/figures");
    let into = pictures.to_str().expect("a path in UTF-8");

    let output = taut(&["report", &results, "--svg", into, "--width", "86mm"]);
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("figure 3") && said.contains("nothing to draw"), "{said}");
    let mut names: Vec<String> = std::fs::read_dir(&pictures)
        .expect("pictures")
        .map(|entry| entry.expect("a readable folder").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["01-script-script-window-hacked-1-script.svg", "02-names-that-are-paths-and-expressions.svg"]);
    let svg = std::fs::read_to_string(pictures.join(&names[0])).expect("a picture");
    assert!(svg.starts_with("<svg") && svg.contains("<path") && !svg.contains("<script"), "{svg}");
    // Pictures are instead of the page.
    assert!(!Path::new(&results).join("report.html").exists());

    let again = taut(&["report", &results, "--svg", into, "--width", "86mm", "--quiet"]);
    assert_eq!((again.status.code(), again.stderr.len()), (Some(0), 0));
    assert_eq!(svg, std::fs::read_to_string(pictures.join(&names[0])).expect("the picture again"));
}

#[test]
fn what_does_not_fit_is_said_for_every_figure() {
    let folder = tempfile::tempdir().expect("a folder");
    let results = results(folder.path());
    let file = folder.path().join("a_file");
    std::fs::write(&file, "").expect("a file");
    let pictures = folder.path().join("pictures");
    let into = pictures.to_str().expect("a path in UTF-8");
    for (arguments, words) in [
        (vec!["--svg", into, "--width", "12mm"], &["figure 1", "figure 2", "mm or more"][..]),
        (vec!["--svg", into, "--width", "3 parsecs"], &["parsecs", "mm, cm, in, pt or px"]),
        (vec!["--svg", into, "--height=-3mm"], &["86mm"]),
        (vec!["--svg", file.to_str().expect("a path in UTF-8")], &["is a file"]),
        (vec!["--width", "86mm"], &["--svg"]),
        (vec!["--svg", into, "--out", "x.html"], &["--out"]),
    ] {
        let output = taut(&[&["report", &results], arguments.as_slice()].concat());
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(words.iter().all(|word| said.contains(word)), "{arguments:?}: {said}");
    }
    assert!(!pictures.exists());
}
