//! Scripts for Slurm: their text, and what they do when bash runs them with stand-ins for Slurm and for the program.

mod support;

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use support::golden::golden;
use support::study::{Bench, Said, command, finish, watch};
use support::{read, table};

const STUDY: &str = r#"title = "dealt"

[data.curve]
target  = { sine = { frequency = 1 } }
samples = 8
design  = "midpoint"
noise   = 0.1

[model]
features = { polynomial = { basis = "legendre", degree = 9 } }

[train]
until = { steps = 100 }

[sweep]
seed = { count = 6 }
"#;

/// Everything that a shell or Slurm could misread.
const ODD: &str = "it's \"odd\" $(touch pwned) `touch pwned` 100% #1 *";

const PATIENCE: Duration = Duration::from_secs(60);

/// The script for these options, of the study `folder/study.toml` with results in `folder/out`.
fn script(bench: &Bench, folder: &str, more: &[&str]) -> String {
    let (study, out) = (format!("{folder}/study.toml"), format!("{folder}/out"));
    bench.taut(&[&["submit", "slurm", &study, "--out", &out], more].concat()).exits(0).stdout
}

/// A bench with stand-ins in `bin`: `sbatch` and `scontrol` that write down what they are told, a `sleep` that does not,
/// and the program `folder/taut`, which ends with $CODE.
fn bench_with_stand_ins(folder: &str) -> Bench {
    let bench = Bench::new(STUDY);
    for below in [folder, "bin"] {
        std::fs::create_dir(bench.path(below)).expect("a folder");
    }
    bench.write(&format!("{folder}/study.toml"), STUDY);
    let program = "if [ \"$STUBBORN\" = yes ]; then\n  trap 'exit 75' TERM\n  touch \"$NOTES/up\"\n  while :; do /bin/sleep 0.05; done\nfi\nexit \"${CODE:-0}\"";
    let stand_ins = [
        (format!("{folder}/taut"), "program", program),
        (
            "bin/sbatch".into(),
            "sbatch",
            "cat </dev/stdin >\"$NOTES/stdin\"\n[ -s \"$NOTES/stdin\" ] && echo 18 || echo '17;here'",
        ),
        (
            "bin/scontrol".into(),
            "scontrol",
            "[ \"$1\" = show ] && echo \"JobId=9 JobState=${STATE:-RUNNING} Reason=None\"\nexit 0",
        ),
        ("bin/sleep".into(), "sleep", "exit 0"),
    ];
    for (path, name, body) in stand_ins {
        bench.write(&path, &format!("#!/bin/bash\nprintf '%s\\0' \"$@\" $'\\n' >>\"$NOTES/{name}\"\n{body}\n"));
        let made = Command::new("chmod").arg("+x").arg(bench.path(&path)).status().expect("chmod");
        assert!(made.success());
    }
    bench
}

/// The script under bash as Slurm would start it, with these variables.
fn start(bench: &Bench, text: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Child {
    bench.write("script.sh", text);
    let path = std::env::var("PATH").expect("a path");
    let mut command = Command::new("bash");
    command.arg(bench.path("script.sh")).args(arguments).current_dir(bench.path(""));
    command.env("PATH", format!("{}:{path}", bench.path("bin").display())).env("NOTES", bench.path(""));
    command.envs(variables.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("bash starts")
}

fn as_task(bench: &Bench, text: &str, variables: &[(&str, &str)]) -> Said {
    let task = [("SLURM_ARRAY_JOB_ID", "17"), ("SLURM_ARRAY_TASK_ID", "2"), ("SLURM_ARRAY_TASK_COUNT", "1")];
    watch(start(bench, text, &[], &[&task, variables].concat()), PATIENCE)
}

/// What a stand-in was told, call by call.
fn told(bench: &Bench, name: &str) -> Vec<Vec<String>> {
    let noted = std::fs::read_to_string(bench.path(name)).unwrap_or_default();
    let words = |call: &str| call.split('\0').filter(|word| !word.is_empty()).map(str::to_owned).collect();
    noted.split("\n\0").filter(|call| !call.is_empty()).map(words).collect()
}

/// A path as the program writes it: absolute, links kept.
fn absolute(bench: &Bench, name: &str) -> String {
    let folder: PathBuf = bench.path("").canonicalize().expect("a folder");
    folder.join(name).to_str().expect("UTF-8").to_owned()
}

#[test]
fn the_script_says_everything_by_itself() {
    let bench = Bench::new(STUDY);
    std::fs::create_dir(bench.path("s")).expect("a folder");
    bench.write("s/study.toml", STUDY);
    let asked = ["--shards", "64", "--time", "2:00:00", "--cpus", "8", "--mem", "4G", "--partition", "short"];
    let more = ["--account", "phys", "--qos", "high", "--option", "constraint=skylake", "--option", "exclusive"];
    let text =
        script(&bench, "s", &[&asked[..], &more, &["--set", "title=\"dealt out\"", "--program", "/opt/taut"]].concat());
    let shown = text.replace(&absolute(&bench, ""), "/home/ada/");
    let (before, after) = shown.split_once("written by taut ").expect("the version");
    let (_, after) = after.split_once(".\n").expect("the end of a sentence");
    golden("slurm_array", &format!("{before}written by taut VERSION.\n{after}"));
    assert!(!bench.path("s/out").exists(), "printing writes nothing");
}

#[test]
fn bash_takes_the_script_and_shellcheck_has_nothing_to_say() {
    let bench = bench_with_stand_ins("s");
    bench.write("script.sh", &script(&bench, "s", &["--shards", "5"]));
    let read = Command::new("bash").arg("-n").arg(bench.path("script.sh")).output().expect("bash starts");
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    // Where it is installed.
    if let Ok(checked) = Command::new("shellcheck").arg(bench.path("script.sh")).output() {
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
    }
}

#[test]
fn odd_names_reach_the_program_as_they_are() {
    let folder = format!("{ODD}\nline");
    let bench = bench_with_stand_ins(&folder);
    bench.write("study.toml", STUDY);
    let program = absolute(&bench, &format!("{folder}/taut"));
    let (study, out) = (format!("{folder}/study.toml"), format!("{ODD}/out"));
    let set = "title=\"a 'b' $c\"";
    let arguments = ["submit", "slurm", &study, "--out", &out, "--shards", "5", "--set", set, "--program", &program];
    let text = bench.taut(&arguments).exits(0).stdout;
    assert_eq!(as_task(&bench, &text, &[]).exits(0).stdout, "");
    let (study, out) = (absolute(&bench, &study), absolute(&bench, &out));
    assert_eq!(told(&bench, "program"), [["run", &study, "--out", &out, "--yes", "--set", set, "--shard", "2/5"]]);
    assert!(!bench.path("pwned").exists());
    let logs = format!("#SBATCH --output=\"{}/slurm/%A_%a.log\"", out.replace('%', "%%").replace('"', "\\\""));
    assert!(text.lines().any(|line| line == logs), "{logs}\n{text}");
}

#[test]
fn submitting_puts_a_job_that_collects_behind_the_array() {
    let bench = bench_with_stand_ins(ODD);
    let program = absolute(&bench, &format!("{ODD}/taut"));
    let text = script(&bench, ODD, &["--shards", "5", "--program", &program, "--partition", "a b", "--cpus", "8"]);
    let said = watch(start(&bench, &text, &["submit"], &[("SBATCH_SIGNAL", "KILL")]), PATIENCE).exits(0);
    assert_eq!(said.stdout, "array 17\ncollect 18\n", "{}", said.stderr);
    assert!(bench.path(&format!("{ODD}/out/slurm")).is_dir(), "Slurm makes no folders for logs");
    let calls = told(&bench, "sbatch");
    assert_eq!(calls[0], ["--parsable", "--", &bench.path("script.sh").display().to_string()]);
    for word in ["--dependency=afterany:17", "--job-name=taut-study-collect", "--partition=a b", "--ntasks=1"] {
        assert!(calls[1].iter().any(|found| found == word), "{word} in {calls:?}");
    }
    assert!(!calls[1].iter().any(|word| word.contains("cpus")), "collecting needs one core: {calls:?}");
    watch(start(&bench, &read(&bench.path("stdin")), &[], &[("CODE", "75")]), PATIENCE).exits(75);
    assert_eq!(told(&bench, "program"), [["collect", &absolute(&bench, &format!("{ODD}/out"))]]);
}

#[test]
fn exit_codes_decide_what_becomes_of_a_shard() {
    let bench = bench_with_stand_ins("s");
    let program = absolute(&bench, "s/taut");
    let text = script(&bench, "s", &["--shards", "5", "--program", &program]);
    assert!(as_task(&bench, &text, &[("CODE", "3")]).exits(0).stdout.contains("running again would change nothing"));
    for code in ["1", "2", "137"] {
        let said = as_task(&bench, &text, &[("CODE", code)]).exits(code.parse().expect("a code"));
        assert!(said.stdout.contains(&format!("shard 2 ended with {code}")), "{said:?}");
    }
    assert!(told(&bench, "scontrol").is_empty());
    // A cancelled task that went back into the queue would run again.
    for (variables, why) in [
        (&[("CODE", "75"), ("STATE", "CANCELLED")][..], "not requeued"),
        (&[("CODE", "75"), ("SLURM_RESTART_COUNT", "1000")], "not tried again"),
    ] {
        let said = as_task(&bench, &text, variables).exits(75);
        assert!(said.stdout.contains(why), "{said:?}");
    }
    assert!(told(&bench, "scontrol").iter().all(|call| call[0] == "show"));
    // The stand-in for Slurm does not end the shell, so it goes on after a while.
    let said = as_task(&bench, &text, &[("CODE", "75"), ("SLURM_RESTART_COUNT", "4")]).exits(75);
    assert!(said.stdout.contains("back into the queue for start 6"), "{said:?}");
    assert_eq!(told(&bench, "scontrol").last().expect("a call"), &["requeue", "17_2"]);
}

#[test]
fn a_warning_reaches_the_program_and_its_answer_counts() {
    let bench = bench_with_stand_ins("s");
    let program = absolute(&bench, "s/taut");
    let text = script(&bench, "s", &["--shards", "5", "--program", &program]);
    let task = [("SLURM_ARRAY_JOB_ID", "17"), ("SLURM_ARRAY_TASK_ID", "2"), ("STUBBORN", "yes")];
    let child = start(&bench, &text, &[], &task);
    for _ in 0..1200 {
        if bench.path("up").exists() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    // As Slurm does with `--signal=B:…`: the shell alone.
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-s", "TERM", &pid]).status().expect("kill").success());
    let said = watch(child, PATIENCE).exits(75);
    assert!(said.stdout.contains("back into the queue for start 2"), "{said:?}");
    assert_eq!(told(&bench, "scontrol").last().expect("a call"), &["requeue", "17_2"]);
}

/// The binary with only these stand-ins for Slurm on its path.
fn with_slurm(bench: &Bench, arguments: &[&str]) -> Said {
    let path = format!("{}:/bin:/usr/bin", bench.path("bin").display());
    let mut command = command(arguments);
    finish(command.current_dir(bench.path("")).env("PATH", path).env("NOTES", bench.path("")), PATIENCE)
}

#[test]
fn what_cannot_be_submitted_says_why() {
    let bench = bench_with_stand_ins("s");
    for (more, wanted) in [
        (&["--shards", "5000"][..], &["5000", "MaxArraySize 1001", "--cpus"][..]),
        (&["--shards", "0"], &["--shards"]),
        (&["--shards", "4", "--time", "2h"], &["--time 2h", "2:00:00"]),
        (&["--shards", "4", "--option", "array=0-9"], &["--option array", "--missing"]),
        (&["--shards", "4", "--option", "comment=a\nb"], &["control character"]),
        (&["--shards", "4", "--out", "a\nb"], &["a\\nb", "control character"]),
        (&["--shards", "4", "--out", "a\\b"], &["backslash", "--out"]),
    ] {
        let said = with_slurm(&bench, &[&["submit", "slurm", "study.toml"], more].concat()).exits(2).stderr;
        for word in wanted {
            assert!(said.contains(word), "`{word}` is missing in:\n{said}");
        }
    }
}

#[test]
fn going_submits_the_script_and_prints_its_jobs() {
    let bench = bench_with_stand_ins("s");
    let go = ["submit", "slurm", "study.toml", "--shards", "4", "--go"];
    assert_eq!(with_slurm(&bench, &go).exits(0).stdout, "array 17\ncollect 18\n");
    let written = read(&bench.path("results/study/slurm/array.sh"));
    assert_eq!(with_slurm(&bench, &go[..5]).exits(0).stdout, written);
    // The cluster is asked how large an array may be only where it matters.
    assert!(told(&bench, "scontrol").is_empty());
    bench.write("bin/scontrol", "#!/bin/sh\necho 'MaxArraySize            = 4001'\n");
    with_slurm(&bench, &["submit", "slurm", "study.toml", "--shards", "4001"]).exits(0);
    let said = with_slurm(&bench, &["submit", "slurm", "study.toml", "--shards", "4002"]).exits(2);
    assert!(said.stderr.contains("MaxArraySize 4001"), "{said:?}");
    bench.write("bin/sbatch", "#!/bin/sh\necho 'sbatch: error: invalid partition specified: nowhere' >&2\nexit 1\n");
    let said = with_slurm(&bench, &go).exits(2);
    assert!(said.stderr.contains("invalid partition") && said.stderr.contains("--go"), "{said:?}");
    // What a run would ask about is asked here, once.
    let dear = [&go[..], &["--set", "budget.cells=3"]].concat();
    let said = with_slurm(&bench, &dear).exits(2);
    assert!(said.stderr.contains("6 cells, and 3 are allowed") && said.stderr.contains("--yes"), "{said:?}");
    // A run goes where a script was written.
    bench.taut(&["run", "study.toml", "--quiet"]).exits(0);
}

#[test]
fn the_cores_that_slurm_gives_are_the_threads_of_a_run() {
    let bench = Bench::new(STUDY);
    for (cpus, threads, more) in [("1", 1, &[][..]), ("3", 3, &[]), ("3", 2, &["--threads", "2", "--set", "seed=1"])] {
        let mut command =
            bench.command(&[more, &["--force", "--quiet", "--set", &format!("seed={cpus}{threads}")]].concat());
        assert!(command.env("SLURM_CPUS_PER_TASK", cpus).status().expect("the binary starts").success());
        let counted = table(&bench.out(), "timing").ints("threads").expect("a column");
        assert!(counted.iter().all(|found| *found == Some(threads)), "{cpus} cores: {counted:?}");
    }
}
