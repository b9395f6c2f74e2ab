//! Reading the request log of a deployment.

use provost_api::{
    problem::Problem,
    rest::v1::requests::{RequestPage, RequestParameters},
};
use provost_domain::{DeploymentId, ErrorCode};
use provost_inference::record::{Column, Columns, LogPage, LogQuery, Position, ReadError, Timestamp};
use serde_json::Value;

use super::{
    App,
    time::{format_nanos, parse_time},
};
use crate::reconcile::with_causes;

const LIMIT: usize = 50;
const LIMIT_MAX: usize = 1000;

impl App {
    /// A page of the request log of a deployment, newest first. The log outlives its deployment.
    pub async fn requests(&self, id: &DeploymentId, parameters: &RequestParameters) -> Result<RequestPage, Problem> {
        let mut page = self.page(self.query(id, parameters)?).await?;
        self.add_feedback(id, &mut page.columns).await?;
        Ok(request_page(page))
    }

    pub(super) async fn page(&self, query: LogQuery) -> Result<LogPage, Problem> {
        let log = self.log.clone().ok_or_else(|| {
            let detail = "the requests of this cluster are not kept: give it a bucket for them (predictors.requestLog.bucket of the chart)";
            Problem::new(ErrorCode::NotFound, detail)
        })?;
        let page = tokio::task::spawn_blocking(move || log.page(&query)).await;
        match page {
            Ok(Ok(page)) => Ok(page),
            Ok(Err(ReadError::Filter(message))) => Err(bad(message)),
            Ok(Err(error @ ReadError::Store(_))) => {
                tracing::error!(error = %with_causes(&error), "the request log cannot be read");
                Err(Problem::new(ErrorCode::Internal, format!("{error}: see the server's log")))
            }
            Err(error) => {
                tracing::error!(%error, "reading the request log failed");
                Err(Problem::new(ErrorCode::Internal, "reading the request log failed: see the server's log"))
            }
        }
    }

    pub(super) fn query(&self, id: &DeploymentId, parameters: &RequestParameters) -> Result<LogQuery, Problem> {
        let now = self.clock.now();
        let time = |text: &String| {
            let parsed = parse_time(text, now).map(Timestamp);
            parsed.ok_or_else(|| bad(format!("`{text}` is not a time: write 15m, 2h, 3d, or 2026-01-31T12:00:00Z")))
        };
        let filter = parameters.filter.as_deref().filter(|text| !text.trim().is_empty());
        Ok(LogQuery {
            namespace: id.namespace.to_string(),
            deployment: id.name.to_string(),
            since: parameters.since.as_ref().map(time).transpose()?,
            until: parameters.until.as_ref().map(time).transpose()?,
            filter: filter
                .map(str::parse)
                .transpose()
                .map_err(|error: provost_inference::filter::FilterError| bad(error.to_string()))?,
            before: parameters.cursor.as_deref().map(parse_cursor).transpose()?,
            limit: parameters.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX),
        })
    }
}

fn bad(detail: impl Into<String>) -> Problem {
    Problem::new(ErrorCode::BadRequest, detail)
}

fn parse_cursor(text: &str) -> Result<Position, Problem> {
    text.parse().map_err(|_| bad("the cursor is not one that this server gave"))
}

pub(super) fn request_page(page: LogPage) -> RequestPage {
    let next = page.next.map(|position| position.to_string());
    let Columns { names, columns } = page.columns;
    let count = columns.first().map_or(0, Column::len);
    let rows =
        (0..count).map(|row| names.iter().zip(&columns).map(|(name, column)| value(name, column, row)).collect());
    RequestPage { rows: rows.collect(), columns: names, next }
}

fn value(name: &str, column: &Column, row: usize) -> Value {
    match column {
        Column::Integer(values) if name == "time" => values[row].map(format_nanos).into(),
        Column::Integer(values) => values[row].into(),
        Column::Float(values) => values[row].into(),
        Column::Boolean(values) => values[row].into(),
        Column::Text(values) => values[row].as_deref().into(),
    }
}
