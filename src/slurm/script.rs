//! The script of one array: a template with names filled in.

use super::time_limit::warning;
use super::words::{bash, bash_words, header};
use crate::exit::Usage;

const TEMPLATE: &str = include_str!("array.sh");

/// A shard that stops early every time is given up after so many restarts.
const MOST_RESTARTS: &str = "1000";

/// Options of `sbatch` that the script sets itself, with what to use instead.
const OURS: [(&str, &str); 19] = [
    ("account", "--account"),
    ("array", "--shards, or --missing"),
    ("cpus-per-task", "--cpus"),
    ("dependency", "`sbatch --dependency=… FILE`, with the printed script as FILE"),
    ("error", "--out: logs go to DIR/slurm"),
    ("job-name", "the name of the study file"),
    ("mem", "--mem"),
    ("no-requeue", "nothing: shards that stop early go back into the queue"),
    ("nodes", "nothing: a shard runs on one node"),
    ("ntasks", "nothing: a shard is one task"),
    ("open-mode", "nothing: a shard that is started again goes on with its log"),
    ("output", "--out: logs go to DIR/slurm"),
    ("parsable", "--go, which prints the numbers of the jobs"),
    ("partition", "--partition"),
    ("qos", "--qos"),
    ("requeue", "nothing: it is always set"),
    ("signal", "--time, which decides when shards are warned"),
    ("time", "--time"),
    ("wrap", "nothing: the script is the job"),
];

/// What a user asks of Slurm.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) time: Option<&'a str>,
    pub(crate) partition: Option<&'a str>,
    pub(crate) account: Option<&'a str>,
    pub(crate) qos: Option<&'a str>,
    pub(crate) mem: Option<&'a str>,
    /// Any other option of `sbatch`, `NAME` or `NAME=VALUE`.
    pub(crate) more: &'a [String],
}

/// One array; every path is absolute.
#[derive(Debug)]
pub(crate) struct Script<'a> {
    pub(crate) program: &'a str,
    pub(crate) study: &'a str,
    /// The folder of results.
    pub(crate) out: &'a str,
    /// `--set PATH=VALUE` and `--quick`, word by word.
    pub(crate) changes: &'a [&'a str],
    /// The name of the study, for the queue.
    pub(crate) name: &'a str,
    pub(crate) shards: usize,
    /// Those that go into the queue, ascending.
    pub(crate) wanted: &'a [usize],
    pub(crate) cpus: u16,
    pub(crate) asked: Asked<'a>,
}

impl Script<'_> {
    /// The text of the script.
    ///
    /// # Errors
    /// If a word can be no part of it.
    pub(crate) fn text(&self) -> Result<String, Usage> {
        let logs = log_pattern(self.out)?;
        let warning = warning(self.asked.time)?;
        let asked = self.asked.options()?;
        let mut lines = String::new();
        for option in &asked {
            lines.push_str(&format!("#SBATCH {}\n", header(option, "the option")?));
        }
        let name = job_name(self.name);
        let collect_asked = [
            &format!("--job-name={name}-collect"),
            &format!("--output={logs}/%j-collect.log"),
            "--nodes=1",
            "--ntasks=1",
        ];
        let collect_asked = collect_asked.into_iter().chain(asked.iter().map(String::as_str));
        // Whoever submits has been asked; a shard has nobody to ask.
        let run = [self.program, "run", self.study, "--out", self.out, "--yes"];
        Ok(fill(&[
            ("NAME", &name),
            ("ARRAY", &ranges(self.wanted)),
            ("LOG", &header(&format!("{logs}/%A_%a.log"), "the name of logs")?),
            ("CPUS", &self.cpus.to_string()),
            ("WARNING", &warning.to_string()),
            ("ASKED", &lines),
            ("SHARDS", &self.shards.to_string()),
            ("PROGRAM", taut_sweep::PROGRAM),
            ("RUN", &bash_words(run.into_iter().chain(self.changes.iter().copied()))),
            ("COLLECT", &bash_words([self.program, "collect", self.out])),
            ("COLLECT_ASKED", &bash_words(collect_asked)),
            ("LOG_FOLDER", &bash(&format!("{}/slurm", self.out))),
            ("MOST_RESTARTS", MOST_RESTARTS),
            // Of the time that is left after the warning, a part that a short limit has as well.
            ("PAUSE", &(warning / 6).max(1).to_string()),
        ]))
    }
}

impl Asked<'_> {
    /// As options of `sbatch`, `--name=value` each.
    fn options(&self) -> Result<Vec<String>, Usage> {
        let named = [
            ("time", self.time),
            ("partition", self.partition),
            ("account", self.account),
            ("qos", self.qos),
            ("mem", self.mem),
        ];
        let mut options: Vec<String> =
            named.into_iter().filter_map(|(name, value)| Some(format!("--{name}={}", value?))).collect();
        for given in self.more {
            let option = given.strip_prefix("--").unwrap_or(given);
            let name = option.split_once('=').map_or(option, |(name, _)| name);
            if name.is_empty()
                || !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
                || name.starts_with('-')
            {
                return Err(Usage(format!(
                    "--option {given:?} names no option of sbatch; write its long name, such as --option constraint=skylake"
                )));
            }
            if let Some((_, instead)) = OURS.iter().find(|(ours, _)| *ours == name) {
                return Err(Usage(format!("--option {name} is set by the script; use {instead}")));
            }
            options.push(format!("--{option}"));
        }
        Ok(options)
    }
}

/// Where logs go, in the pattern in which Slurm puts numbers for letters after a `%`.
fn log_pattern(out: &str) -> Result<String, Usage> {
    if out.contains('\\') {
        return Err(Usage(format!(
            "the folder {out} has a backslash in its name, after which Slurm puts no numbers into the names of logs; choose another with --out"
        )));
    }
    Ok(format!("{}/slurm", out.replace('%', "%%")))
}

/// A name for the queue: letters, digits, dots, dashes.
fn job_name(study: &str) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || "._-".contains(letter) { letter } else { '_' };
    format!("taut-{}", study.chars().map(plain).collect::<String>())
}

/// Numbers as Slurm lists them, `0-7,9,12-13`.
fn ranges(numbers: &[usize]) -> String {
    let runs = numbers.chunk_by(|one, next| one + 1 == *next);
    let shown = |run: &[usize]| match run {
        [first, .., last] => format!("{first}-{last}"),
        [one] => one.to_string(),
        [] => String::new(),
    };
    runs.map(shown).collect::<Vec<_>>().join(",")
}

/// The template with every `@NAME@` replaced, in one pass: what is put in is not looked at again.
fn fill(values: &[(&str, &str)]) -> String {
    let mut text = String::with_capacity(2 * TEMPLATE.len());
    let mut rest = TEMPLATE;
    while let Some((before, after)) = rest.split_once('@') {
        text.push_str(before);
        let value = after.split_once('@').and_then(|(name, beyond)| {
            let (_, value) = values.iter().find(|(known, _)| *known == name)?;
            Some((*value, beyond))
        });
        match value {
            Some((value, beyond)) => {
                text.push_str(value);
                rest = beyond;
            }
            None => {
                text.push('@');
                rest = after;
            }
        }
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_numbers_become_ranges() {
        assert_eq!(ranges(&[0, 1, 2, 3]), "0-3");
        assert_eq!(ranges(&[3, 17, 40]), "3,17,40");
        assert_eq!(ranges(&[0, 2, 3, 9]), "0,2-3,9");
        assert_eq!(ranges(&[5]), "5");
    }

    #[test]
    fn every_name_of_the_template_has_a_value() {
        let nothing = Asked { time: None, partition: None, account: None, qos: None, mem: None, more: &[] };
        let script = Script {
            program: "/bin/taut",
            study: "/a/@OUT@.toml",
            out: "/b",
            changes: &[],
            name: "a",
            shards: 2,
            wanted: &[0, 1],
            cpus: 1,
            asked: nothing,
        };
        let text = script.text().expect("a script");
        assert!(text.contains("'/a/@OUT@.toml'") || text.contains("/a/@OUT@.toml"), "{text}");
        let mut left = text.replace("@OUT@", "");
        left = left.replace("[@]", "");
        assert_eq!(left.matches('@').count(), 1, "one `@`, of the signal: {left}");
    }

    #[test]
    fn options_of_the_script_itself_are_refused() {
        let asked = |more: &[String]| {
            Asked { time: None, partition: Some("long"), account: None, qos: None, mem: None, more }.options()
        };
        let good = asked(&["constraint=skylake".into(), "--exclusive".into()]).expect("options");
        assert_eq!(good, ["--partition=long", "--constraint=skylake", "--exclusive"]);
        for (bad, hint) in [("array=1", "--missing"), ("--time=5", "--time"), ("-C x", "long name"), ("", "long name")]
        {
            assert!(asked(&[bad.into()]).expect_err(bad).0.contains(hint), "{bad}");
        }
    }
}
