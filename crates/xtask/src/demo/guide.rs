//! What the demo says once it serves.

use std::path::Path;

use anyhow::{Context as _, Result};

use crate::{server::Server, workspace::Workspace};

/// Where commands look for a server that nobody named.
const DEFAULT_DATA: &str = "provost-data";
const REQUEST: &str = "examples/iris/requests/two-rows.json";

/// The console's address, a line that predicts, and what to try next.
pub(super) fn text(workspace: &Workspace, server: &Server, data: &Path, binary: &Path) -> Result<String> {
    let file = workspace.root.join(REQUEST);
    let request = std::fs::read_to_string(&file).with_context(|| format!("cannot read `{REQUEST}`"))?;
    let (address, binary) = (server.address(), command(workspace, binary, data));
    Ok(format!(
        "Provost serves.

  Console  http://{address}
  Data     {data}, kept until you remove it

Ask the scikit-learn model about two flowers:

  {curl}

Then try:

  - The same without `provost-predictor`: one request in ten is answered by the XGBoost canary.
  - The requests, in the console under iris, or with
      {binary} requests iris
  - Other shares of the traffic: edit {MANIFEST}, and
      {binary} apply -f {MANIFEST}
  - A model of your own: \"Create deployment\" in the console takes the path of its folder.

Ctrl-C stops the server.",
        data = data.display(),
        curl = curl_line(address, request.trim()),
        MANIFEST = super::MANIFEST,
    ))
}

/// How commands are called that find this server: by its data directory.
fn command(workspace: &Workspace, binary: &Path, data: &Path) -> String {
    let binary = workspace.display(binary);
    if data == Path::new(DEFAULT_DATA) { binary } else { format!("{binary} --data-dir {}", data.display()) }
}

/// Pinned to one predictor, so that the answer is always the same model's.
fn curl_line(address: &str, request: &str) -> String {
    format!(
        "curl -s http://{address}/seldon/default/iris/api/v1.0/predictions -H 'Content-Type: application/json' \
         -H 'provost-predictor: main' -d '{request}'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_told_of_data_elsewhere() {
        let workspace = Workspace { root: "/code".into(), target: "/code/target".into() };
        let said = |data| command(&workspace, Path::new("/code/target/release/provost"), Path::new(data));
        assert_eq!(said("provost-data"), "target/release/provost");
        assert_eq!(said("other"), "target/release/provost --data-dir other");
    }

    #[test]
    fn the_line_is_pinned_to_the_scikit_learn_predictor() {
        let line = curl_line("127.0.0.1:8000", r#"{"data":{}}"#);
        assert!(line.starts_with("curl -s http://127.0.0.1:8000/seldon/default/iris/api/v1.0/predictions "));
        assert!(line.contains("-H 'provost-predictor: main'"));
        assert!(line.ends_with(r#"-d '{"data":{}}'"#));
    }
}
