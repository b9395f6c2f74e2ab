//! A load by wrk: one thread, a few connections, a bounded time, on this machine only.

use std::{fs, path::Path, process::Command, time::Duration};

use anyhow::{Context as _, Result, bail};

use super::usage;
use crate::progress::Stage;

const CONNECTIONS: u32 = 8;

/// What is asked.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// Address and port on this machine.
    pub(super) server: String,
    pub(super) path: String,
    /// Asked in turn.
    pub(super) bodies: Vec<String>,
}

/// What a load measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sample {
    pub(super) requests: f64,
    pub(super) requests_per_second: f64,
    pub(super) p50: Duration,
    pub(super) p99: Duration,
    /// Of all processes of the server, work after the load included.
    pub(super) cpu: Duration,
    /// Of the threads that answer requests, where they have a name.
    pub(super) serving: Option<Duration>,
}

/// A server's process, and what is known of its work.
#[derive(Debug, Clone, Copy)]
pub(super) struct Process {
    pub(super) id: u32,
    /// How the names of its serving threads start.
    pub(super) serving: Option<&'static str>,
    /// It may pause for so long before work that belongs to the requests.
    pub(super) pause: Duration,
}

impl Process {
    /// A provost: it rewrites its log when segments are a second old and have waited for ten.
    pub(super) fn provost(id: u32) -> Self {
        Self { id, serving: Some("serve-"), pause: Duration::from_millis(12_500) }
    }

    /// One of which only latencies are asked.
    pub(super) fn other(id: u32) -> Self {
        Self { id, serving: None, pause: Duration::ZERO }
    }

    fn serving(&self) -> Option<Duration> {
        self.serving.map(|name| usage::cpu_of_threads(self.id, name))
    }
}

/// Asks again and again for some seconds.
pub(super) fn drive(stage: &Stage<'_>, request: &Request, process: Process, seconds: u64) -> Result<Sample> {
    drive_with(stage, request, process, seconds, CONNECTIONS)
}

/// The same over so many connections.
pub(super) fn drive_with(
    stage: &Stage<'_>,
    request: &Request,
    process: Process,
    seconds: u64,
    connections: u32,
) -> Result<Sample> {
    let script = stage.workspace.kept("bench/request.lua")?;
    fs::write(&script, lua(&request.bodies)).with_context(|| format!("cannot write `{}`", script.display()))?;
    let (before, serving_before) = (usage::cpu(process.id), process.serving());
    let finished = stage.command("wrk", &mut wrk(&script, request, seconds, connections))?;
    usage::settle(process.id, process.pause);
    let cpu = usage::cpu(process.id).saturating_sub(before);
    let serving = process.serving().zip(serving_before).map(|(after, before)| after.saturating_sub(before));
    let output = finished.success()?;
    refuse_errors(&output)?;
    let sample = parse(&output, cpu).map(|sample| Sample { serving, ..sample });
    sample.with_context(|| format!("wrk wrote something else than expected:\n{output}"))
}

fn wrk(script: &Path, request: &Request, seconds: u64, connections: u32) -> Command {
    let mut command = Command::new("wrk");
    command.args(["-t1", "-c", &connections.to_string(), "--latency", "-d", &format!("{seconds}s"), "-s"]).arg(script);
    command.arg(format!("http://{}{}", request.server, request.path));
    command
}

/// A script that sends the bodies in turn; the requests are written once.
fn lua(bodies: &[String]) -> String {
    let bodies: Vec<_> = bodies.iter().map(|body| format!("[==[{body}]==]")).collect();
    let bodies = bodies.join(",\n");
    format!(
        "local bodies = {{{bodies}}}\nlocal requests, next = {{}}, 0\n\
         wrk.method = 'POST'\nwrk.headers['Content-Type'] = 'application/json'\n\
         function init()\n  \
         for index, body in ipairs(bodies) do requests[index] = wrk.format(nil, nil, nil, body) end\nend\n\
         function request()\n  next = next % #requests + 1\n  return requests[next]\nend\n"
    )
}

/// A server that refuses is fast: such figures are none.
fn refuse_errors(output: &str) -> Result<()> {
    let errors = output.lines().find(|line| line.contains("Non-2xx") || line.contains("Socket errors"));
    match errors {
        Some(line) => bail!("not every request was answered well: {}", line.trim()),
        None => Ok(()),
    }
}

fn parse(output: &str, cpu: Duration) -> Option<Sample> {
    let after = |label: &str| output.lines().find_map(|line| line.trim().strip_prefix(label)).map(str::trim);
    let (requests, _) = output.lines().find_map(|line| line.split_once(" requests in "))?;
    Some(Sample {
        requests: requests.trim().parse().ok()?,
        requests_per_second: after("Requests/sec:")?.parse().ok()?,
        p50: length(after("50%")?)?,
        p99: length(after("99%")?)?,
        cpu,
        serving: None,
    })
}

/// Reads `850.00us`, `1.23ms`, `1.20s`, `1.50m`.
fn length(text: &str) -> Option<Duration> {
    let units = [("us", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0)];
    let (number, factor) = units.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)))?;
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * factor).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
Running 5s test @ http://127.0.0.1:8000/x
  1 threads and 8 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   101.50us   22.10us   1.02ms   90.01%
    Req/Sec    78.99k     2.10k   81.02k    80.00%
  Latency Distribution
     50%   98.00us
     75%  110.00us
     90%  125.00us
     99%    1.20ms
  393210 requests in 5.00s, 120.10MB read
Requests/sec:  78642.00
Transfer/sec:     24.02MB
";

    #[test]
    fn figures_are_read_from_what_wrk_writes() {
        let sample = parse(OUTPUT, Duration::from_secs(2)).unwrap();
        assert_eq!((sample.requests, sample.requests_per_second), (393_210.0, 78_642.0));
        assert_eq!((sample.p50, sample.p99), (Duration::from_micros(98), Duration::from_micros(1200)));
        refuse_errors(OUTPUT).unwrap();
    }

    #[test]
    fn answers_that_are_errors_are_no_figures() {
        let output = format!("{OUTPUT}  Non-2xx or 3xx responses: 12\n");
        let error = refuse_errors(&output).unwrap_err();
        assert_eq!(error.to_string(), "not every request was answered well: Non-2xx or 3xx responses: 12");
    }

    #[test]
    fn lengths_have_units() {
        assert_eq!(length("1.50s"), Some(Duration::from_millis(1500)));
        assert_eq!(length("2.00m"), Some(Duration::from_mins(2)));
        assert_eq!(length("2"), None);
    }
}
