//! `MLServer` with the same models, in its default configuration or in one process.

use std::{
    fs::{self, File},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::models::{MODELS, Model, Trained};
use crate::{http, process, progress::Stage, setup::Environment, wait};

/// Longest wait for its models to be ready.
const START_MAX: Duration = Duration::from_mins(2);

/// How it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Configuration {
    /// As it comes: one worker process, to which requests are passed on.
    Default,
    /// Predictions in the process that answers.
    InProcess,
}

/// An `MLServer` that runs. It ends with this value.
#[derive(Debug)]
pub(super) struct MlServer {
    child: Child,
    address: String,
}

impl MlServer {
    /// Starts it and waits until its models are ready.
    pub(super) fn start(
        stage: &Stage<'_>,
        environment: &Environment,
        trained: &Trained,
        configuration: Configuration,
    ) -> Result<Self> {
        let name = format!("mlserver-{configuration:?}").to_lowercase();
        let folder = stage.workspace.kept(&format!("bench/{name}/settings.json"))?.with_file_name("");
        let ports = free_ports()?;
        write_settings(&folder, trained, configuration, ports)?;
        let log_path = stage.workspace.kept(&format!("logs/bench-{name}.log"))?;
        let log = File::create(&log_path)?;
        let mut command = Command::new(environment.program("mlserver"));
        command.arg("start").arg(&folder).current_dir(&folder).env("OMP_NUM_THREADS", "1");
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().context("cannot start MLServer")?;
        let mut server = Self { child, address: format!("127.0.0.1:{}", ports[0]) };
        server.become_ready(&log_path)?;
        Ok(server)
    }

    /// Address and port.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Process id.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    fn become_ready(&mut self, log: &Path) -> Result<()> {
        let ready = wait::until(START_MAX, || {
            let has_ended = self.child.try_wait().is_ok_and(|status| status.is_some());
            (has_ended || MODELS.iter().all(|model| self.serves(model))).then_some(!has_ended)
        });
        if ready == Some(true) {
            return Ok(());
        }
        let output = fs::read_to_string(log).unwrap_or_default();
        bail!("MLServer does not become ready:\n{}", process::last_lines(&output, 20))
    }

    fn serves(&self, model: &Model) -> bool {
        let path = format!("/v2/models/{}/ready", model.name);
        http::get(&self.address, &path).is_ok_and(|answer| answer.status == 200)
    }
}

impl Drop for MlServer {
    fn drop(&mut self) {
        use rustix::process::{Pid, Signal, kill_process};
        // Told nicely it ends its worker too.
        let _told = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let ended = wait::until(Duration::from_secs(15), || self.child.try_wait().ok().flatten());
        if ended.is_none() {
            let _killed = self.child.kill();
            let _ended = self.child.wait();
        }
    }
}

fn write_settings(folder: &Path, trained: &Trained, configuration: Configuration, ports: [u16; 3]) -> Result<()> {
    write(&folder.join("settings.json"), &settings(configuration, ports))?;
    for model in MODELS {
        let (runtime, file) = model.runtime;
        let uri = trained.folder.join(model.name).join(file);
        let settings = json!({ "name": model.name, "implementation": runtime, "parameters": { "uri": uri } });
        write(&folder.join(model.name).join("model-settings.json"), &settings)?;
    }
    Ok(())
}

fn settings(configuration: Configuration, [http, grpc, metrics]: [u16; 3]) -> Value {
    let mut settings = json!({ "host": "127.0.0.1", "http_port": http, "grpc_port": grpc, "metrics_port": metrics });
    if configuration == Configuration::InProcess {
        settings["parallel_workers"] = json!(0);
    }
    settings
}

fn write(file: &Path, settings: &Value) -> Result<()> {
    fs::create_dir_all(file.parent().unwrap_or(file))?;
    fs::write(file, settings.to_string()).with_context(|| format!("cannot write `{}`", file.display()))
}

/// Ports that nobody listens on; all are held until the last is found, so that they differ.
fn free_ports() -> Result<[u16; 3]> {
    let held = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0"));
    let mut ports = [0; 3];
    for (port, listener) in ports.iter_mut().zip(held) {
        *port = listener?.local_addr()?.port();
    }
    Ok(ports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_ports_are_set_in_its_default_configuration() {
        assert_eq!(settings(Configuration::Default, [1, 2, 3]).get("parallel_workers"), None);
        assert_eq!(settings(Configuration::InProcess, [1, 2, 3])["parallel_workers"], 0);
    }

    #[test]
    fn ports_differ() {
        let [a, b, c] = free_ports().unwrap();
        assert!(a != b && b != c && a != c);
    }
}
