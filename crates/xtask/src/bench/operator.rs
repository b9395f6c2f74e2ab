//! `cargo xtask bench operator`: a thousand deployments at once on simulated nodes, and what the operator takes for
//! them, beside KServe's controller on the same cluster. Routes are made and accepted; no gateway carries traffic, since that is not what is measured.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::{kserve::Kserve, machine, usage};
use crate::{
    cluster::{Cluster, namespace::Lifetime, programs, simulated},
    demo, process,
    progress::{Progress, Stage},
    wait,
    workspace::Workspace,
};

/// Simulated nodes.
const NODES: u8 = 5;
pub(super) const NAMESPACE: &str = "scale";
/// Longest wait for all to be ready.
const READY_MAX: Duration = Duration::from_mins(10);
/// How often to ask whether they are: asking costs the API server time too.
const ASK_EVERY: Duration = Duration::from_secs(3);

/// What can be chosen.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How many deployments.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=5000))]
    deployments: u32,
    /// How long to look at what the operator does once all are ready, in seconds.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    rest: u64,
    /// How many resources `InferenceService` KServe's controller gets on the same cluster, to compare with; 0 for none.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(0..=5000))]
    peer: u32,
}

/// `cargo xtask bench operator`.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    let stages = [
        ("programs", 900),
        ("server", 600),
        ("cluster", 20),
        ("deployments", 90),
        ("rest", arguments.rest),
        ("peer", 150),
    ];
    let mut progress = Progress::new(workspace, "bench-operator", &stages)?;
    let (binaries, kserve) = progress.stage(|stage| {
        let kserve = (arguments.peer > 0).then(|| Kserve::find(stage)).transpose()?;
        Ok((programs::find(stage)?, kserve))
    })?;
    let binary = progress.stage(demo::build_server)?;
    let cluster = progress.stage(|stage| start(stage, &binaries))?;
    let ours = Ours::prepare(&cluster, &binary)?;
    let operator = Running::start(&ours, &cluster)?;
    let created = progress.stage(|stage| create(stage, &cluster, (&ours, &operator), arguments.deployments))?;
    let rest = progress.stage(|_| {
        let before = Requests::so_far(&cluster, ours.agent())?;
        wait::pause(Duration::from_secs(arguments.rest));
        Ok(Requests::so_far(&cluster, ours.agent())?.all() - before.all())
    })?;
    // Whoever is measured has the cluster to itself.
    drop(operator);
    let peer = progress.stage(|stage| {
        let Some(kserve) = kserve else { return Ok(None) };
        kserve.prepare(&cluster)?;
        let running = Running::start(&kserve, &cluster)?;
        create(stage, &cluster, (&kserve, &running), arguments.peer).map(Some)
    })?;
    print(&created, arguments, rest);
    if let Some(peer) = peer {
        print_peer(&peer, &created);
    }
    Ok(ExitCode::SUCCESS)
}

fn start(stage: &Stage<'_>, binaries: &programs::Binaries) -> Result<Cluster> {
    Cluster::forget(stage.workspace)?;
    let cluster = Cluster::start(stage, binaries, 1, Lifetime::WithThis)?;
    cluster.simulate(NODES)?;
    Ok(cluster)
}

/// An operator, and what it is given.
pub(super) trait Contender {
    /// What the API server calls it: how its user agent begins.
    fn agent(&self) -> &'static str;
    /// Starts it.
    fn command(&self, cluster: &Cluster) -> Result<Command>;
    /// One resource of many.
    fn resource(&self, number: u32) -> Value;
    /// How many are ready.
    fn ready(&self, cluster: &Cluster) -> Result<usize>;
}

/// What it took until all were ready.
struct Created {
    count: u32,
    took: Duration,
    cpu: Duration,
    memory: f64,
    requests: Requests,
}

impl Created {
    #[allow(clippy::cast_precision_loss, reason = "counts are small")]
    fn requests_each(&self) -> f64 {
        self.requests.all() as f64 / f64::from(self.count)
    }

    /// In milliseconds.
    fn cpu_each(&self) -> f64 {
        self.cpu.as_secs_f64() * 1000.0 / f64::from(self.count)
    }
}

fn create<T: Contender>(
    stage: &Stage<'_>,
    cluster: &Cluster,
    (contender, running): (&T, &Running),
    count: u32,
) -> Result<Created> {
    let manifests = stage.workspace.kept("bench/scale.json")?;
    fs::write(&manifests, all(contender, count))?;
    let before = Requests::so_far(cluster, contender.agent())?;
    let (start, cpu) = (Instant::now(), usage::cpu(running.id()));
    process::output_of(cluster.command("kubectl")?.args(["create", "-f"]).arg(&manifests))?;
    let ready = wait::until(READY_MAX, || {
        wait::pause(ASK_EVERY);
        let ready = contender.ready(cluster).unwrap_or(0);
        stage.says(&format!("{ready} of {count} are ready"));
        (ready >= count as usize).then(|| start.elapsed())
    });
    let took = ready.context("the deployments do not become ready")?;
    let cpu = usage::cpu(running.id()).saturating_sub(cpu);
    let requests = Requests::so_far(cluster, contender.agent())?.since(&before);
    Ok(Created { count, took, cpu, memory: running.peak_memory()?, requests })
}

/// The lines of a table, which costs the API server and this far less than the objects.
pub(super) fn table(cluster: &Cluster, kind: &str) -> Result<String> {
    process::output_of(cluster.command("kubectl")?.args(["get", kind, "-n", NAMESPACE, "--no-headers"]))
}

fn all<T: Contender>(contender: &T, count: u32) -> String {
    let mut all = String::new();
    for number in 0..count {
        // Writing to a String cannot fail.
        let _written = writeln!(all, "{}", contender.resource(number));
    }
    all
}

/// This platform's operator, with the lease and the routes that it has in a cluster.
struct Ours {
    binary: PathBuf,
}

impl Ours {
    fn prepare(cluster: &Cluster, binary: &Path) -> Result<Self> {
        let crds = process::output_of(Command::new(binary).args(["print", "crds"]))?;
        cluster.apply_text("seldondeployments.yaml", &crds)?;
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
        cluster.apply_text("scale.yaml", &namespace.to_string())?;
        Ok(Self { binary: binary.to_owned() })
    }
}

impl Contender for Ours {
    fn agent(&self) -> &'static str {
        "provost/"
    }

    fn command(&self, cluster: &Cluster) -> Result<Command> {
        let mut command = cluster.command(&self.binary)?;
        command.args(["operator", "--image", "provost:bench", "--gateway", "gateways/public"]);
        command.args(["--lease", "default/provost"]);
        Ok(command)
    }

    /// Seldon's iris example, on simulated nodes.
    fn resource(&self, number: u32) -> Value {
        let (label, value) = simulated::LABEL;
        json!({
            "apiVersion": "machinelearning.seldon.io/v1",
            "kind": "SeldonDeployment",
            "metadata": {"name": format!("iris-{number}"), "namespace": NAMESPACE},
            "spec": {"predictors": [{
                "name": "default",
                "componentSpecs": [{"spec": {
                    "nodeSelector": {label: value},
                    "tolerations": [{"key": simulated::TAINT, "operator": "Exists"}],
                }}],
                "graph": {
                    "name": "classifier",
                    "implementation": "SKLEARN_SERVER",
                    "modelUri": "gs://seldon-models/sklearn/iris",
                },
            }]},
        })
    }

    fn ready(&self, cluster: &Cluster) -> Result<usize> {
        let is_ready = |line: &&str| line.split_whitespace().nth(1) == Some("Available");
        Ok(table(cluster, "sdep")?.lines().filter(is_ready).count())
    }
}

/// An operator that runs. It ends with this value.
struct Running(Child);

impl Running {
    fn start<T: Contender>(contender: &T, cluster: &Cluster) -> Result<Self> {
        let mut command = contender.command(cluster)?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self(command.spawn().context("cannot run the operator")?))
    }

    fn id(&self) -> u32 {
        self.0.id()
    }

    /// In MB: the most that the operator itself had, which runs under the program that enters the node.
    fn peak_memory(&self) -> Result<f64> {
        usage::peak_memory(self.id()).context("the operator ended")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _killed = self.0.kill();
        let _waited = self.0.wait();
    }
}

/// What the operator asked of the API server, by verb and resource; watches and the lease apart, which do not grow
/// with deployments.
#[derive(Debug, Default)]
struct Requests(BTreeMap<String, u64>);

impl Requests {
    fn so_far(cluster: &Cluster, agent: &str) -> Result<Self> {
        let log = fs::read_to_string(cluster.audit_log()?).context("cannot read the API server's log")?;
        Ok(Self::of(&log, agent))
    }

    fn of(audit: &str, agent: &str) -> Self {
        let mut counts = BTreeMap::new();
        for event in audit.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let (verb, resource) = (text(&event["verb"]), text(&event["objectRef"]["resource"]));
            let is_operators = text(&event["userAgent"]).starts_with(agent);
            if is_operators && resource != "leases" && !["watch", "list"].contains(&verb.as_str()) {
                let subresource = text(&event["objectRef"]["subresource"]);
                *counts.entry(format!("{verb} {resource} {subresource}").trim().to_owned()).or_default() += 1;
            }
        }
        Self(counts)
    }

    /// Those that were not there before.
    fn since(mut self, before: &Self) -> Self {
        for (what, number) in &mut self.0 {
            *number -= before.0.get(what).copied().unwrap_or(0).min(*number);
        }
        self.0.retain(|_, number| *number > 0);
        self
    }

    fn all(&self) -> u64 {
        self.0.values().sum()
    }
}

fn print(created: &Created, arguments: &Arguments, rest: u64) {
    println!(
        "\n{}\n\n{} deployments: all ready after {:.0} s. Each took {:.1} API requests and {:.1} ms of CPU; the operator had \
         {:.0} MB at most. In {} s of rest it made {rest} requests besides those for its lease.\n",
        machine::describe(),
        created.count,
        created.took.as_secs_f64(),
        created.requests_each(),
        created.cpu_each(),
        created.memory,
        arguments.rest,
    );
    print_requests(created);
}

fn print_peer(peer: &Created, ours: &Created) {
    let Created { count, took, memory, .. } = peer;
    println!(
        "\nKServe 0.16, {count} InferenceServices on the same cluster: all ready after {:.0} s. Each took {:.1} API requests \
         ({:.1} × ours) and {:.1} ms of CPU ({:.1} ×); the controller had {memory:.0} MB at most ({:.1} ×).\n",
        took.as_secs_f64(),
        peer.requests_each(),
        peer.requests_each() / ours.requests_each(),
        peer.cpu_each(),
        peer.cpu_each() / ours.cpu_each(),
        memory / ours.memory,
    );
    print_requests(peer);
}

fn print_requests(created: &Created) {
    #[allow(clippy::cast_precision_loss, reason = "counts are small")]
    let each = |number: u64| number as f64 / f64::from(created.count);
    for (what, number) in &created.requests.0 {
        println!("  {:6.2} {what}", each(*number));
    }
}
