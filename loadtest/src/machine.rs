//! What Linux says of this machine and of a process: memory, processor time. Read from /proc, so nothing is kept.

use serde::Serialize;
use std::collections::BTreeMap;

/// Ticks in which Linux counts processor time: `USER_HZ`, 100 on every machine it runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// The machine.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// Its processor.
    pub processor: String,
    /// How many cores of it there are.
    pub cores: usize,
    /// Memory, in MiB.
    pub memory_mib: u64,
    /// Load average over a minute when the test began: how busy others kept it.
    pub load_average: f64,
    /// Kernel.
    pub kernel: String,
}

impl Machine {
    /// This one.
    pub fn this() -> Self {
        let processors = read("/proc/cpuinfo");
        let model = processors.lines().find_map(|line| line.strip_prefix("model name"));
        let model = model.and_then(|rest| rest.split_once(':')).map_or("unknown", |(_, name)| name.trim());
        let memory = kib(&read("/proc/meminfo"), "MemTotal:") / 1_024;
        let load = read("/proc/loadavg");
        Self {
            processor: model.to_owned(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_mib: memory,
            load_average: load.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or(0.0),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
        }
    }
}

/// A process, by its id.
#[derive(Clone, Copy, Debug)]
pub struct Process(pub u32);

impl Process {
    /// This one.
    pub fn this() -> Self {
        Self(std::process::id())
    }

    /// The most memory it ever held (`VmHWM`), in MiB.
    pub fn memory_peak_mib(self) -> u64 {
        kib(&read(&format!("/proc/{}/status", self.0)), "VmHWM:") / 1_024
    }

    /// Memory it holds now (`VmRSS`), in KiB.
    pub fn memory_kib(self) -> u64 {
        kib(&read(&format!("/proc/{}/status", self.0)), "VmRSS:")
    }

    /// Processor time so far, in seconds, by the names of its threads.
    pub fn seconds_by_thread(self) -> BTreeMap<String, f64> {
        let mut seconds = BTreeMap::new();
        let Ok(threads) = std::fs::read_dir(format!("/proc/{}/task", self.0)) else { return seconds };
        for thread in threads.flatten() {
            let stat = read(&thread.path().join("stat").to_string_lossy());
            if let Some((name, spent)) = spent(&stat) {
                *seconds.entry(name).or_insert(0.0) += spent;
            }
        }
        seconds
    }

    /// Processor time so far, in seconds, threads that ended included.
    pub fn seconds(self) -> f64 {
        spent(&read(&format!("/proc/{}/stat", self.0))).map_or(0.0, |(_, spent)| spent)
    }
}

/// Name and processor seconds out of a `stat` file. The name may hold spaces and brackets.
fn spent(stat: &str) -> Option<(String, f64)> {
    let (head, tail) = stat.rsplit_once(") ")?;
    let (_, name) = head.split_once('(')?;
    let mut fields = tail.split(' ').skip(11).map(str::parse::<f64>);
    let (user, system) = (fields.next()?.ok()?, fields.next()?.ok()?);
    // Pools number their threads: rocksdb:low3, tokio-rt-worker.
    let name = name.trim_end_matches(|c: char| c.is_ascii_digit());
    Some((name.to_owned(), (user + system) / TICKS_PER_SECOND))
}

fn kib(text: &str, key: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    line.and_then(|rest| rest.split_whitespace().next()).and_then(|word| word.parse().ok()).unwrap_or(0)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_read_from_a_stat_whose_name_has_brackets() {
        let stat = "7 (a b) c) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 1";
        assert_eq!(spent(stat), Some(("a b) c".to_owned(), 3.0)));
        assert_eq!(spent("nothing"), None);
        assert_eq!(kib("VmRSS:\t  12 kB\n", "VmRSS:"), 12);
    }

    #[test]
    fn this_machine_and_process_have_memory_and_cores() {
        let machine = Machine::this();
        assert!(machine.cores > 0 && machine.memory_mib > 0 && !machine.processor.is_empty());
        assert!(Process::this().memory_kib() > 0 && Process::this().memory_peak_mib() > 0);
        assert!(!Process::this().seconds_by_thread().is_empty());
    }
}
