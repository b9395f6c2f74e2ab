//! `provost requests`.

use std::time::Duration;

use provost_api::{
    client::Client,
    rest::v1::requests::{RequestPage, RequestParameters},
};
use serde_json::{Map, Value};

use crate::{
    connect::{NamespaceArguments, ServerArguments},
    failure::Failure,
    output::{Format, OutputArguments, print, table},
};

/// Rows of a page when all are read.
const PAGE: usize = 1000;
/// How often new rows are looked for.
const FOLLOW_EVERY: Duration = Duration::from_millis(500);

/// Read the request log of a deployment, newest first: one row an instance.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Name of the deployment.
    name: String,
    /// All rows, and not only the newest.
    #[arg(long)]
    all: bool,
    /// Number of rows.
    #[arg(long, default_value_t = 50, conflicts_with = "all")]
    limit: usize,
    /// Rows since then: 15m, 2h, 3d, or a time such as 2026-01-31T12:00:00Z.
    #[arg(long)]
    since: Option<String>,
    /// Rows before then, likewise.
    #[arg(long)]
    until: Option<String>,
    /// Rows for which this holds, as `status = 200 AND "x.Sepal length" > 5`.
    #[arg(long = "where", value_name = "FILTER")]
    filter: Option<String>,
    /// The feedback to requests, with what callers told of each, in place of the requests themselves.
    #[arg(long)]
    feedback: bool,
    /// Go on, and print rows as they come, oldest first.
    #[arg(short, long, conflicts_with = "all")]
    follow: bool,
    #[command(flatten)]
    namespace: NamespaceArguments,
    #[command(flatten)]
    server: ServerArguments,
    #[command(flatten)]
    output: OutputArguments,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let client = arguments.server.client()?;
    let log = Log { client, arguments };
    if log.arguments.follow { log.follow().await } else { log.list().await }
}

struct Log {
    client: Client,
    arguments: Arguments,
}

impl Log {
    async fn page(&self, limit: usize, cursor: Option<String>) -> Result<RequestPage, Failure> {
        let arguments = &self.arguments;
        let parameters = RequestParameters {
            since: arguments.since.clone(),
            until: arguments.until.clone(),
            filter: arguments.filter.clone(),
            limit: Some(limit),
            cursor,
        };
        let namespace = &arguments.namespace.namespace;
        Ok(if arguments.feedback {
            self.client.feedback(namespace, &arguments.name, &parameters).await?
        } else {
            self.client.requests(namespace, &arguments.name, &parameters).await?
        })
    }

    async fn list(&self) -> Result<(), Failure> {
        let mut wanted = if self.arguments.all { usize::MAX } else { self.arguments.limit };
        let mut cursor = None;
        let mut is_first = true;
        while wanted > 0 {
            let page = self.page(wanted.min(PAGE), cursor).await?;
            wanted -= page.rows.len().min(wanted);
            self.print(&page, is_first)?;
            is_first = false;
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Prints rows as they come. Rows that come faster than pages are read are passed over, and said.
    async fn follow(&self) -> Result<(), Failure> {
        let mut last: Option<(u64, u64)> = None;
        let mut is_first = true;
        loop {
            let mut page = self.page(PAGE, None).await?;
            if last.is_none() {
                page.rows.truncate(self.arguments.limit);
            }
            let place = |row: &Vec<Value>| (number(&page.columns, row, "seq"), number(&page.columns, row, "row"));
            let newest = page.rows.first().map(place);
            let has_gap = page.rows.last().map(place).is_some_and(|oldest| last.is_some_and(|last| oldest > last));
            let mut rows: Vec<_> =
                page.rows.iter().filter(|row| last.is_none_or(|last| place(row) > last)).cloned().collect();
            rows.reverse();
            if has_gap && rows.len() == PAGE {
                eprintln!("… rows came faster than they are printed; some are passed over");
            }
            if !rows.is_empty() {
                self.print(&RequestPage { columns: page.columns.clone(), rows, next: None }, is_first)?;
                is_first = false;
            }
            last = newest.or(last);
            tokio::time::sleep(FOLLOW_EVERY).await;
        }
    }

    /// Prints rows: a table, or one JSON object a line, or YAML documents.
    fn print(&self, page: &RequestPage, is_first: bool) -> Result<(), Failure> {
        match self.arguments.output.output {
            Format::Table if page.rows.is_empty() => {
                let Arguments { name, feedback, .. } = &self.arguments;
                if *feedback {
                    eprintln!("No feedback. Send some with `provost feedback {name} --request-id ID --truth CLASS`.");
                } else {
                    eprintln!("No requests. Send one with `provost predict {name} -f FILE`.");
                }
                Ok(())
            }
            Format::Table => {
                let headings: Vec<_> = page.columns.iter().map(String::as_str).collect();
                let text = table(&headings, page.rows.iter().map(|row| row.iter().map(shown).collect()));
                let text = if is_first { &text[..] } else { text.split_once('\n').map_or("", |(_, rows)| rows) };
                print(text)
            }
            Format::Json => page.rows.iter().try_for_each(|row| print(&Value::from(object(page, row)).to_string())),
            Format::Yaml => page
                .rows
                .iter()
                .try_for_each(|row| print(&format!("---\n{}", provost_api::yaml::to_yaml(&object(page, row))))),
        }
    }
}

fn object(page: &RequestPage, row: &[Value]) -> Map<String, Value> {
    let present = page.columns.iter().zip(row).filter(|(_, value)| !value.is_null());
    present.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn number(columns: &[String], row: &[Value], name: &str) -> u64 {
    let index = columns.iter().position(|column| column == name);
    index.and_then(|index| row.get(index)).and_then(Value::as_u64).unwrap_or(0)
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
