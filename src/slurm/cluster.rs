//! The cluster that this machine belongs to: how large an array it takes, and how one gets into its queue.

use crate::exit::Usage;
use anyhow::{Context, Result};
use std::path::Path;
use std::process::{Command, Stdio};

/// What Slurm allows unless its administrator says otherwise.
const USUAL_LARGEST_ARRAY: u32 = 1001;

/// How many of the tasks asked for an array may have. Up to the usual number nobody is asked: where the cluster allows less,
/// `sbatch` says so.
pub(crate) fn largest_array(tasks: u32) -> u32 {
    if tasks <= USUAL_LARGEST_ARRAY {
        return USUAL_LARGEST_ARRAY;
    }
    let asked = Command::new("scontrol").args(["show", "config"]).stdin(Stdio::null()).output();
    let said = asked.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    max_array_size(&said).unwrap_or(USUAL_LARGEST_ARRAY)
}

/// The number in the line `MaxArraySize = 1001`; one more than the largest number of a task.
fn max_array_size(config: &str) -> Option<u32> {
    let of = |line: &str| {
        let (name, value) = line.split_once('=')?;
        (name.trim() == "MaxArraySize").then(|| value.trim().parse().ok()).flatten()
    };
    config.lines().find_map(of)
}

/// Puts the array of this script and its job that collects into the queue; returns what the script said: their numbers.
///
/// # Errors
/// If there is no `sbatch`, or if it refuses.
pub(crate) fn submit(script: &Path) -> Result<String> {
    let output = Command::new("bash")
        .arg(script)
        .arg("submit")
        .stdin(Stdio::null())
        .output()
        .context("bash cannot be started")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Usage(format!(
            "Slurm did not take all of {}: {}\nrun this on a machine where `sbatch` works; without --go the script is printed, to be copied there",
            script.display(),
            said.trim()
        ))
        .into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::max_array_size;

    #[test]
    fn the_largest_array_is_read_off_the_configuration() {
        let config = "MailProg                = /bin/mail\nMaxArraySize            = 4001\nMaxJobCount = 10000\n";
        assert_eq!(max_array_size(config), Some(4001));
        assert_eq!(max_array_size("slurm_load_ctl_conf error"), None);
    }
}
