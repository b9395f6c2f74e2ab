//! What the figures were measured on.

use std::{fs, process::Command, thread};

use crate::process;

/// Processor, cores, kernel, and what else there was to do in the last minute.
pub(super) fn describe() -> String {
    let processor = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| model_name(&text));
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let kernel = process::output_of(Command::new("uname").arg("-sr")).unwrap_or_default();
    let processor = processor.unwrap_or_else(|| "unknown processor".to_owned());
    format!("{processor}, {cores} cores, {}, load before {}", kernel.trim(), load())
}

/// The load average over a minute.
fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or("unknown").to_owned()
}

fn model_name(text: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_has_a_name() {
        assert_eq!(model_name("processor\t: 0\nmodel name\t: Fast One @ 2 GHz\n").as_deref(), Some("Fast One @ 2 GHz"));
    }
}
