//! The request log in a bucket, as a reader of it sees it.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use provost_inference::record::{Column, LogPage, LogQuery, LogReader as _, Timestamp};
use provost_request_log::{Bucket, BucketKeeper, BucketLog, CacheOptions, KeeperOptions, Kept, Retention};
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
    let bucket = open(uri, access)?;
    let copies = tempfile::tempdir().map_err(text)?;
    let cache = CacheOptions { folder: copies.path().to_owned(), bytes: COPIES };
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

/// Lets a keeper with the usual settings look once at such a log, as if it were so many days later.
pub async fn keep_log(uri: &str, access: &BTreeMap<String, String>, days: u64) -> Result<Kept, String> {
    let copies = tempfile::tempdir().map_err(text)?;
    let options = KeeperOptions { folder: copies.path().join("keeper"), retention: Retention::default() };
    let mut keeper = BucketKeeper::open(open(uri, access)?, options).map_err(text)?;
    let later = SystemTime::now() + Duration::from_secs(days * 86_400);
    let nanos = later.duration_since(SystemTime::UNIX_EPOCH).map_err(text)?.as_nanos();
    keeper.pass(Timestamp(i64::try_from(nanos).map_err(text)?)).await.map_err(text)
}

fn open(uri: &str, access: &BTreeMap<String, String>) -> Result<Bucket, String> {
    let Folder { store, path, uri } = buckets::open(&uri.parse().map_err(text)?, access).map_err(text)?;
    Ok(Bucket { store, path, uri, explain: buckets::explain })
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
