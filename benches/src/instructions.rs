//! Does one workload so often: `instructions NAME TIMES`; without words, prints the names. For counting instructions.

use taut_benches::WORKLOADS;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [name, times] = words.as_slice() else {
        for workload in &WORKLOADS {
            println!("{}", workload.name);
        }
        return;
    };
    let workload = WORKLOADS.iter().find(|workload| workload.name == *name).expect("a name from the list");
    (workload.repeat)(times.parse().expect("a whole number"));
}
