//! What runs a deployment: instances, their logs, events, and what they use.

use std::sync::Arc;

use provost_api::{
    problem::Problem,
    rest::v1::workloads::{
        ContainerSummary, EventSummary, Events, InstanceState as StateName, InstanceSummary, Instances,
        LinesParameters, Usage, UsageSeries,
    },
};
use provost_domain::{
    DeploymentId, ErrorCode,
    plan::Timestamp,
    port::workloads::{
        Container, Event, Instance, InstanceState, Lines, LinesQuery, UsagePoint, WorkloadError, WorkloadView,
    },
};

use super::{App, format_time};
use crate::reconcile::with_causes;

const TAIL: u32 = 500;
const TAIL_MAX: u32 = 10_000;
const USAGE_SECONDS: u64 = 900;
const USAGE_SECONDS_MAX: u64 = 3600;

impl App {
    /// The instances of a deployment.
    pub async fn instances(&self, id: &DeploymentId) -> Result<Instances, Problem> {
        let view = self.view_of(id).await?;
        let instances = view.instances(id).await.map_err(workload_problem)?;
        Ok(Instances { items: instances.iter().map(instance_summary).collect() })
    }

    /// What happened to a deployment and its instances.
    pub async fn events(&self, id: &DeploymentId) -> Result<Events, Problem> {
        let view = self.view_of(id).await?;
        let events = view.events(id).await.map_err(workload_problem)?;
        Ok(Events { items: events.into_iter().map(event_summary).collect() })
    }

    /// Lines that a container of an instance wrote.
    pub async fn lines(
        &self,
        id: &DeploymentId,
        instance: String,
        parameters: LinesParameters,
    ) -> Result<Box<dyn Lines>, Problem> {
        let LinesParameters { container, tail, since_seconds, previous, follow } = parameters;
        let tail = tail.unwrap_or(TAIL).min(TAIL_MAX);
        let query = LinesQuery { instance, container, previous, tail, since_seconds, follow };
        self.view_of(id).await?.lines(id, query).await.map_err(workload_problem)
    }

    /// What a deployment used recently.
    pub async fn usage(&self, id: &DeploymentId, seconds: Option<u64>) -> Result<Usage, Problem> {
        let view = self.view_of(id).await?;
        let seconds = seconds.unwrap_or(USAGE_SECONDS).min(USAGE_SECONDS_MAX);
        let since = Timestamp::from_millis(self.clock.now().as_millis().saturating_sub(seconds * 1000));
        Ok(usage(view.usage(id, since)))
    }

    /// The view of instances, for a deployment that is there.
    async fn view_of(&self, id: &DeploymentId) -> Result<Arc<dyn WorkloadView>, Problem> {
        self.stored(id).await?;
        self.workloads.clone().ok_or_else(|| {
            let detail = "this server runs its deployments in its own process: there are no instances to tell of";
            Problem::new(ErrorCode::NotFound, detail)
        })
    }
}

fn workload_problem(error: WorkloadError) -> Problem {
    match error {
        WorkloadError::NotFound(detail) => Problem::new(ErrorCode::NotFound, detail),
        WorkloadError::Refused(detail) => Problem::new(ErrorCode::BadRequest, detail),
        WorkloadError::Backend { .. } => {
            tracing::error!(error = %with_causes(&error), "the cluster cannot be asked");
            Problem::new(ErrorCode::Unavailable, format!("{error}: see the server's log"))
        }
    }
}

fn instance_summary(instance: &Instance) -> InstanceSummary {
    InstanceSummary {
        name: instance.name.clone(),
        predictor: instance.predictor.clone(),
        state: state(instance.state),
        reason: instance.reason.clone(),
        node: instance.node.clone(),
        created: format_time(instance.created),
        restarts: instance.containers.iter().map(|container| container.restarts).sum(),
        containers: instance.containers.iter().map(container_summary).collect(),
    }
}

fn state(state: InstanceState) -> StateName {
    match state {
        InstanceState::Pending => StateName::Pending,
        InstanceState::Starting => StateName::Starting,
        InstanceState::Ready => StateName::Ready,
        InstanceState::Failed => StateName::Failed,
        InstanceState::Stopping => StateName::Stopping,
    }
}

fn container_summary(container: &Container) -> ContainerSummary {
    ContainerSummary {
        name: container.name.clone(),
        image: container.image.clone(),
        initial: container.is_initial,
        ready: container.is_ready,
        restarts: container.restarts,
        reason: container.reason.clone(),
    }
}

fn event_summary(event: Event) -> EventSummary {
    let Event { time, count, is_warning, reason, message, object } = event;
    EventSummary { time: format_time(time), count, warning: is_warning, reason, message, object }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds and bytes are far below 2^53")]
fn usage(points: Vec<UsagePoint>) -> Usage {
    let mut series: Vec<UsageSeries> = Vec::new();
    for point in points {
        let index = series.iter().position(|series| series.predictor == point.predictor).unwrap_or_else(|| {
            series.push(UsageSeries { predictor: point.predictor.clone(), ..UsageSeries::default() });
            series.len() - 1
        });
        let series = &mut series[index];
        series.time.push(point.time.as_millis() as f64 / 1000.0);
        series.instances.push(point.instances);
        series.ready.push(point.ready);
        series.cpu.push(point.cpu);
        series.memory.push(point.memory.map(|bytes| bytes as f64));
    }
    Usage { series }
}
