//! Small studies in folders of their own, run with a time limit and looked at.

use super::{Sheet, here, run_study};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use taut_store::Folder;

/// No study of these tests takes a tenth of this, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the binary said and how it ended.
#[derive(Debug)]
pub struct Said {
    /// The exit code; none if it was killed, also by our own time limit.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    pub in_time: bool,
}

impl Said {
    /// The one JSON object on stdout.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// Expects an exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        self
    }
}

/// The binary with these arguments, not yet started.
pub fn command<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_taut"));
    command.args(arguments).stdin(Stdio::null()).env_remove("CLICOLOR_FORCE").env("RUST_BACKTRACE", "0");
    command
}

/// Runs a command to its end, or kills it after a while.
pub fn finish(command: &mut Command, patience: Duration) -> Said {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    watch(child, patience)
}

/// Waits for a child whose output is piped.
pub fn watch(mut child: Child, patience: Duration) -> Said {
    let gather = |pipe: Option<Box<dyn Read + Send>>| {
        let mut pipe = pipe.expect("the output is piped");
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            pipe.read_to_end(&mut bytes).expect("a pipe");
            String::from_utf8(bytes).expect("UTF-8")
        })
    };
    let stdout = gather(child.stdout.take().map(|pipe| Box::new(pipe) as _));
    let stderr = gather(child.stderr.take().map(|pipe| Box::new(pipe) as _));
    let began = Instant::now();
    let mut in_time = true;
    let status = loop {
        match child.try_wait().expect("our own child") {
            Some(status) => break status,
            None if in_time && began.elapsed() > patience => {
                in_time = false;
                child.kill().expect("our own child");
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    Said {
        code: status.code(),
        stdout: stdout.join().expect("a pipe"),
        stderr: stderr.join().expect("a pipe"),
        in_time,
    }
}

/// A folder with one study and its results.
pub struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    /// A folder with this study.
    pub fn new(study: &str) -> Self {
        let bench = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        bench.write("study.toml", study);
        bench
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("a writable folder");
    }

    /// Where the tables are.
    pub fn out(&self) -> PathBuf {
        self.path("out")
    }

    /// `taut run study.toml --out out` with more arguments.
    pub fn command(&self, more: &[&str]) -> Command {
        let mut command = command(&["run", "study.toml", "--out", "out"]);
        command.args(more).current_dir(self.folder.path());
        command
    }

    pub fn run(&self, more: &[&str]) -> Said {
        finish(&mut self.command(more), PATIENCE)
    }

    /// Any command in the bench's folder.
    pub fn taut(&self, arguments: &[&str]) -> Said {
        finish(command(arguments).current_dir(self.folder.path()), PATIENCE)
    }

    pub fn sheet(&self, table: &str) -> Sheet {
        Sheet::read(&self.out(), table)
    }

    /// A column of `cells` as texts.
    pub fn cell_texts(&self, column: &str) -> Vec<String> {
        let cells = self.sheet("cells");
        cells.rows().map(|row| cells.text(column, row).to_owned()).collect()
    }
}

/// The tables of one committed study.
pub struct Tables {
    _folder: tempfile::TempDir,
    out: PathBuf,
}

impl Tables {
    pub fn of(study: &str, set: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        let mut more = vec!["--threads", "2"];
        more.extend(set.iter().flat_map(|set| ["--set", set]));
        run_study(&here(study), &out, &more);
        Self { _folder: folder, out }
    }

    pub fn sheet(&self, name: &str) -> Sheet {
        Sheet::read(&self.out, name)
    }
}

/// How many parts `cells` has.
pub fn parts(out: &Path) -> usize {
    Folder::at(out).parts("cells").map_or(0, |parts| parts.len())
}

/// Every file below a folder with its time of change, sorted.
pub fn files(folder: &Path) -> Vec<(PathBuf, std::time::SystemTime)> {
    let mut out = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).expect("a readable folder") {
            let entry = entry.expect("a readable folder");
            match entry.path() {
                path if path.is_dir() => open.push(path),
                path => out.push((path, entry.metadata().and_then(|about| about.modified()).expect("a file"))),
            }
        }
    }
    out.sort();
    out
}
