//! `provost doctor`.

use provost_deployer::{
    doctor::{self, Check, Outcome, Question},
    kubernetes::ObjectName,
};
use serde::Serialize;

use crate::{
    failure::Failure,
    output::{OutputArguments, table},
};

/// Tell whether a Kubernetes cluster has what the operator needs.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where deployments are to be; may be repeated. Without, that is any namespace.
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Vec<String>,
    /// The gateway of the Gateway API that routes are to attach to, as `namespace/name`.
    #[arg(long, value_name = "GATEWAY")]
    gateway: Option<ObjectName>,
    #[command(flatten)]
    output: OutputArguments,
}

#[derive(Serialize)]
struct Diagnosis {
    checks: Vec<Check>,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let question = Question { namespaces: arguments.namespace, gateway: arguments.gateway };
    let facts = doctor::observe(question).await;
    let diagnosis = Diagnosis { checks: doctor::diagnose(&facts) };
    arguments.output.print(&diagnosis, |diagnosis| rows(&diagnosis.checks))?;
    let failed = diagnosis.checks.iter().filter(|check| check.outcome == Outcome::Failed).count();
    match failed {
        0 => Ok(()),
        _ => Err(Failure::new(format!("{failed} of {} checks failed", diagnosis.checks.len()))),
    }
}

/// A line a check, and one below with what to do.
fn rows(checks: &[Check]) -> String {
    let rows = checks.iter().flat_map(|check| {
        let found = vec![check.name.to_owned(), word(check.outcome).to_owned(), check.found.clone()];
        let advice = check.advice.iter().map(|advice| vec![String::new(), String::new(), format!("advice: {advice}")]);
        std::iter::once(found).chain(advice)
    });
    table(&["check", "outcome", "found"], rows)
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "ok",
        Outcome::Warning => "warning",
        Outcome::Failed => "failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &'static str, outcome: Outcome, advice: Option<&str>) -> Check {
        Check { name, outcome, found: format!("{name} was looked at"), advice: advice.map(str::to_owned) }
    }

    #[test]
    fn what_to_do_stands_below_what_was_found() {
        let checks = [
            check("api-server", Outcome::Ok, None),
            check("kind", Outcome::Failed, Some("install it")),
            check("metrics", Outcome::Warning, Some("think of it")),
        ];
        insta::assert_snapshot!(rows(&checks), @r"
        CHECK        OUTCOME   FOUND
        api-server   ok        api-server was looked at
        kind         failed    kind was looked at
                               advice: install it
        metrics      warning   metrics was looked at
                               advice: think of it
        ");
    }
}
