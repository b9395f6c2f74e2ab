//! `provost instances`.

use provost_api::rest::v1::workloads::{InstanceSummary, Instances};

use crate::{connect::DeploymentArguments, failure::Failure, output::table};

pub(crate) async fn run(arguments: DeploymentArguments) -> Result<(), Failure> {
    let client = arguments.server.client()?;
    let instances = client.instances(&arguments.namespace.namespace, &arguments.name).await?;
    arguments.output.print(&instances, instances_table)
}

/// The instances, a line each.
pub(super) fn instances_table(instances: &Instances) -> String {
    let row = |instance: &InstanceSummary| {
        let main = instance.containers.iter().filter(|container| !container.initial);
        let ready = main.clone().filter(|container| container.ready).count();
        vec![
            instance.name.clone(),
            instance.predictor.clone().unwrap_or_default(),
            format!("{:?}", instance.state),
            format!("{ready}/{}", main.count()),
            instance.restarts.to_string(),
            instance.node.clone().unwrap_or_default(),
            instance.created.clone(),
            instance.reason.clone().unwrap_or_default(),
        ]
    };
    let headings = ["name", "predictor", "state", "ready", "restarts", "node", "created", "reason"];
    table(&headings, instances.items.iter().map(row))
}
