//! `provost events`.

use provost_api::rest::v1::workloads::{EventSummary, Events};

use crate::{connect::DeploymentArguments, failure::Failure, output::table};

pub(crate) async fn run(arguments: DeploymentArguments) -> Result<(), Failure> {
    let client = arguments.server.client()?;
    let mut events = client.events(&arguments.namespace.namespace, &arguments.name).await?;
    // A terminal shows the end of what is printed.
    events.items.reverse();
    arguments.output.print(&events, text)
}

fn text(events: &Events) -> String {
    let row = |event: &EventSummary| {
        vec![
            event.time.clone(),
            if event.warning { "Warning" } else { "Normal" }.to_owned(),
            event.reason.clone(),
            event.object.clone(),
            event.count.to_string(),
            event.message.clone(),
        ]
    };
    table(&["time", "type", "reason", "object", "count", "message"], events.items.iter().map(row))
}
