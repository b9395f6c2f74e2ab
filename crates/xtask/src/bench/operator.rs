//! `cargo xtask bench operator`: a thousand deployments at once on simulated nodes, and what the operator takes for
//! them. Routes are made and accepted; no gateway carries traffic, since that is not what is measured.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    process::{Child, ExitCode, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::{machine, usage};
use crate::{
    cluster::{Cluster, namespace::Lifetime, programs, simulated},
    demo, process,
    progress::{Progress, Stage},
    wait,
    workspace::Workspace,
};

/// Simulated nodes.
const NODES: u8 = 5;
const NAMESPACE: &str = "scale";
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
}

/// `cargo xtask bench operator`.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    let stages = [("programs", 900), ("server", 600), ("cluster", 20), ("deployments", 90), ("rest", arguments.rest)];
    let mut progress = Progress::new(workspace, "bench-operator", &stages)?;
    let binaries = progress.stage(programs::find)?;
    let binary = progress.stage(demo::build_server)?;
    let cluster = progress.stage(|stage| start(stage, &binaries))?;
    let operator = Operator::start(&cluster, &binary)?;
    let created = progress.stage(|stage| create(stage, &cluster, &operator, arguments.deployments))?;
    let rest = progress.stage(|_| {
        let before = Requests::so_far(&cluster)?;
        wait::pause(Duration::from_secs(arguments.rest));
        Ok(Requests::so_far(&cluster)?.all() - before.all())
    })?;
    print(&created, arguments, rest);
    Ok(ExitCode::SUCCESS)
}

fn start(stage: &Stage<'_>, binaries: &programs::Binaries) -> Result<Cluster> {
    Cluster::forget(stage.workspace)?;
    let cluster = Cluster::start(stage, binaries, 1, Lifetime::WithThis)?;
    cluster.simulate(NODES)?;
    Ok(cluster)
}

/// What it took until all were ready.
struct Created {
    took: Duration,
    cpu: Duration,
    memory: f64,
    requests: Requests,
}

fn create(stage: &Stage<'_>, cluster: &Cluster, operator: &Operator, count: u32) -> Result<Created> {
    let manifests = stage.workspace.kept("bench/scale.json")?;
    fs::write(&manifests, all(count))?;
    let (start, cpu) = (Instant::now(), usage::cpu(operator.id()));
    process::output_of(cluster.command("kubectl")?.args(["create", "-f"]).arg(&manifests))?;
    let ready = wait::until(READY_MAX, || {
        wait::pause(ASK_EVERY);
        let ready = ready(cluster).unwrap_or(0);
        stage.says(&format!("{ready} of {count} are ready"));
        (ready >= count as usize).then(|| start.elapsed())
    });
    let took = ready.context("the deployments do not become ready")?;
    let cpu = usage::cpu(operator.id()).saturating_sub(cpu);
    Ok(Created { took, cpu, memory: operator.peak_memory()?, requests: Requests::so_far(cluster)? })
}

fn ready(cluster: &Cluster) -> Result<usize> {
    // A table, which costs the API server and this far less than the objects.
    let table = process::output_of(cluster.command("kubectl")?.args(["get", "sdep", "-n", NAMESPACE, "--no-headers"]))?;
    Ok(table.lines().filter(|line| line.split_whitespace().nth(1) == Some("Available")).count())
}

fn all(count: u32) -> String {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
    let mut all = namespace.to_string();
    for number in 0..count {
        // Writing to a String cannot fail.
        let _written = write!(all, "\n{}", deployment(number));
    }
    all
}

/// Seldon's iris example, on simulated nodes.
fn deployment(number: u32) -> Value {
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

/// The operator, with the lease and the routes that it has in a cluster. It ends with this value.
struct Operator(Child);

impl Operator {
    fn start(cluster: &Cluster, binary: &std::path::Path) -> Result<Self> {
        let crds = process::output_of(std::process::Command::new(binary).args(["print", "crds"]))?;
        cluster.apply_text("seldondeployments.yaml", &crds)?;
        let mut command = cluster.command(binary)?;
        command.args(["operator", "--image", "provost:bench", "--gateway", "gateways/public"]);
        command.args(["--lease", "default/provost"]).stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.stderr(Stdio::null()).spawn().context("cannot run the operator")?;
        Ok(Self(child))
    }

    fn id(&self) -> u32 {
        self.0.id()
    }

    /// In MB: the most that the operator itself had, which runs under the program that enters the node.
    fn peak_memory(&self) -> Result<f64> {
        usage::peak_memory(self.id()).context("the operator ended")
    }
}

/// What the operator asked of the API server, by verb and resource; watches and the lease apart, which do not grow
/// with deployments.
#[derive(Debug, Default)]
struct Requests(BTreeMap<String, u64>);

impl Requests {
    fn so_far(cluster: &Cluster) -> Result<Self> {
        let log = fs::read_to_string(cluster.audit_log()?).context("cannot read the API server's log")?;
        Ok(Self::of(&log))
    }

    fn of(audit: &str) -> Self {
        let mut counts = BTreeMap::new();
        for event in audit.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let (verb, resource) = (text(&event["verb"]), text(&event["objectRef"]["resource"]));
            let is_operators = text(&event["userAgent"]).starts_with("provost/");
            if is_operators && resource != "leases" && !["watch", "list"].contains(&verb.as_str()) {
                let subresource = text(&event["objectRef"]["subresource"]);
                *counts.entry(format!("{verb} {resource} {subresource}").trim().to_owned()).or_default() += 1;
            }
        }
        Self(counts)
    }

    fn all(&self) -> u64 {
        self.0.values().sum()
    }
}

fn print(created: &Created, arguments: &Arguments, rest: u64) {
    let count = f64::from(arguments.deployments);
    #[allow(clippy::cast_precision_loss, reason = "counts are small")]
    let each = |number: u64| number as f64 / count;
    println!(
        "\n{}\n\n{} deployments: all ready after {:.0} s. Each took {:.1} API requests and {:.1} ms of CPU; the operator had \
         {:.0} MB at most. In {} s of rest it made {rest} requests besides those for its lease.\n",
        machine::describe(),
        arguments.deployments,
        created.took.as_secs_f64(),
        each(created.requests.all()),
        created.cpu.as_secs_f64() * 1000.0 / count,
        created.memory,
        arguments.rest,
    );
    for (what, number) in &created.requests.0 {
        println!("  {:6.2} {what}", each(*number));
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _killed = self.0.kill();
        let _waited = self.0.wait();
    }
}
