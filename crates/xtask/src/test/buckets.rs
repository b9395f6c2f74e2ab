//! Models are fetched from buckets of real stores: an S3 server and an emulator of Google's, each over a
//! folder, built with Go and started here.

use std::{
    fs::{self, File},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};

use super::{rust, suite::Outcome};
use crate::{
    process,
    progress::Stage,
    setup::{self, Programs},
    wait,
};

/// What asks them.
const TESTS: [&str; 2] = ["--test", "buckets"];
/// The stores.
pub(super) const PROGRAMS: Programs = Programs {
    module: "stores",
    packages: &["github.com/versity/versitygw/cmd/versitygw", "github.com/fsouza/fake-gcs-server"],
    version: None,
    files: &[],
};
/// Longest wait for a store to listen.
const START_MAX: Duration = Duration::from_secs(30);

/// Runs it.
pub(super) fn run(stage: &Stage<'_>) -> Result<Outcome> {
    let programs = match setup::programs(stage, &[PROGRAMS]) {
        Ok(programs) => programs,
        Err(error) => return Ok(Outcome::skipped(&error)),
    };
    let buckets = stage.workspace.kept("buckets/s3/made")?.with_file_name("").with_file_name("");
    fs::remove_dir_all(&buckets)?;
    let (s3, gcs) = (buckets.join("s3"), buckets.join("gcs"));
    fs::create_dir_all(&s3)?;
    fs::create_dir_all(&gcs)?;
    let [s3_port, gcs_port] = free_ports()?;
    let mut versity = Command::new(programs[0].join("versitygw"));
    versity.args(s3_arguments(&format!("127.0.0.1:{s3_port}"), &s3));
    let mut google = Command::new(programs[0].join("fake-gcs-server"));
    let address = format!("127.0.0.1:{gcs_port}");
    google.args(["-scheme", "http", "-host", "127.0.0.1", "-port", &gcs_port.to_string(), "-public-host", &address]);
    google
        .args(["-external-url", &format!("http://{address}"), "-backend", "filesystem", "-filesystem-root"])
        .arg(&gcs);
    let _stores = [Store::start(stage, "versitygw", versity, s3_port)?, Store::start(stage, "gcs", google, gcs_port)?];
    let variables = [
        ("PROVOST_TEST_S3", format!("http://127.0.0.1:{s3_port}")),
        ("PROVOST_TEST_GCS", format!("http://{address}")),
        ("PROVOST_TEST_BUCKETS", buckets.display().to_string()),
    ];
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, Path::new(value))).collect();
    rust::run_again(stage, &TESTS, &variables)
}

/// The arguments of an S3 server at this address, whose buckets are the folders in `folder`.
pub(super) fn s3_arguments(address: &str, folder: &Path) -> Vec<String> {
    let access = ["--access", "testaccess", "--secret", "testsecret", "--region", "us-east-1", "--quiet"];
    let folder = folder.display().to_string();
    ["--port", address].into_iter().chain(access).chain(["posix", &folder]).map(str::to_owned).collect()
}

/// Ports that nobody listens on; both are held until both are found, so that they differ.
fn free_ports() -> Result<[u16; 2]> {
    let held = [TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?];
    Ok([held[0].local_addr()?.port(), held[1].local_addr()?.port()])
}

/// A store that runs. It ends with this value.
#[derive(Debug)]
struct Store(Child);

impl Store {
    fn start(stage: &Stage<'_>, name: &str, mut command: Command, port: u16) -> Result<Self> {
        let log_path = stage.workspace.kept(&format!("logs/{name}.log"))?;
        let log = File::create(&log_path)?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let mut store = Self(command.spawn().with_context(|| format!("cannot run {name}"))?);
        let listens = wait::until(START_MAX, || {
            let has_ended = store.0.try_wait().is_ok_and(|status| status.is_some());
            (has_ended || TcpStream::connect(("127.0.0.1", port)).is_ok()).then_some(!has_ended)
        });
        if listens == Some(true) {
            return Ok(store);
        }
        let output = fs::read_to_string(&log_path).unwrap_or_default();
        bail!("{name} does not start:\n{}", process::last_lines(&output, 20))
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.0.kill();
        let _waited = self.0.wait();
    }
}
