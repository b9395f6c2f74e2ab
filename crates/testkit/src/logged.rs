//! The request log in a bucket, as a reader of it sees it.

use std::{collections::BTreeMap, sync::Arc};

use provost_inference::record::{Column, LogPage, LogQuery, LogReader as _};
use provost_request_log::{Bucket, BucketLog, CacheOptions};
use provost_store::buckets::{self, Folder};

/// Most bytes of copies.
const COPIES: u64 = 1 << 30;

/// Request ids of the rows of a deployment in the folder `uri` of a bucket, newest first, over pages of `limit` rows.
pub async fn logged_ids(
    uri: &str,
    access: &BTreeMap<String, String>,
    (namespace, deployment): (&str, &str),
    limit: usize,
) -> Result<Vec<String>, String> {
    let uri = uri.parse().map_err(text)?;
    let Folder { store, path, uri } = buckets::open(&uri, access).map_err(text)?;
    let copies = tempfile::tempdir().map_err(text)?;
    let cache = CacheOptions { folder: copies.path().to_owned(), bytes: COPIES };
    let bucket = Bucket { store, path, uri, explain: buckets::explain };
    let log = Arc::new(BucketLog::open(bucket, cache).map_err(text)?);
    let (namespace, deployment) = (namespace.to_owned(), deployment.to_owned());
    let mut query = LogQuery { namespace, deployment, limit, ..LogQuery::default() };
    let mut all = Vec::new();
    loop {
        let (log, of) = (Arc::clone(&log), query.clone());
        let page = tokio::task::spawn_blocking(move || log.page(&of)).await.map_err(text)?;
        let page = page.map_err(|error| std::error::Error::source(&error).map_or_else(|| text(&error), text))?;
        all.extend(ids(&page));
        match page.next {
            Some(next) => query.before = Some(next),
            None => return Ok(all),
        }
    }
}

fn ids(page: &LogPage) -> Vec<String> {
    let columns = page.columns.names.iter().zip(&page.columns.columns);
    let ids = columns.filter(|(name, _)| *name == "request_id").map(|(_, column)| match column {
        Column::Text(values) => values.iter().flatten().map(ToString::to_string).collect(),
        _ => Vec::new(),
    });
    ids.flatten().collect()
}

fn text(error: impl ToString) -> String {
    error.to_string()
}
