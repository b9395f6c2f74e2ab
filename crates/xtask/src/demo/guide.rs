//! What the demo says once it serves.

use std::path::Path;

use anyhow::{Context as _, Result};

use crate::{server::Server, workspace::Workspace};

const REQUEST: &str = "examples/iris/requests/two-rows.json";

/// The console's address, a line that predicts, and what to try next.
pub(super) fn text(workspace: &Workspace, server: &Server, data: &Path, binary: &Path) -> Result<String> {
    let file = workspace.root.join(REQUEST);
    let request = std::fs::read_to_string(&file).with_context(|| format!("cannot read `{REQUEST}`"))?;
    let address = server.address();
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
        binary = workspace.display(binary),
        MANIFEST = super::MANIFEST,
    ))
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
    fn the_line_is_pinned_to_the_scikit_learn_predictor() {
        let line = curl_line("127.0.0.1:8000", r#"{"data":{}}"#);
        assert!(line.starts_with("curl -s http://127.0.0.1:8000/seldon/default/iris/api/v1.0/predictions "));
        assert!(line.contains("-H 'provost-predictor: main'"));
        assert!(line.ends_with(r#"-d '{"data":{}}'"#));
    }
}
