//! Deployments in a SQLite file.

use std::{path::Path, time::Duration};

use async_trait::async_trait;
use provost_domain::{
    DeploymentId, Namespace,
    plan::{Report, Timestamp},
    port::deployments::{
        Change, ChangeNote, DeploymentJournal, DeploymentRepository, Mutation, Precondition, ResolvedArtifact,
        StoreError, StoredDeployment,
    },
};
use serde_json::Value;
use sqlx::{
    Row, SqlSafeStr as _, Sqlite, SqlitePool, Transaction,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous},
};
use tokio::sync::watch;

use super::record::{decode, encode};

/// Every change of the tables so far, in order. A step that was released is never edited.
const MIGRATIONS: [(i64, &str, &str); 1] = [(1, "deployments", include_str!("migrations/sqlite/0001_deployments.sql"))];

/// Why the file cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A newer provost has changed the tables.
    #[error("the metadata in `{path}` were written by a newer provost: use that version, or another data directory")]
    Newer {
        /// The file.
        path: String,
    },
    /// It cannot be read as a database.
    #[error("cannot open the metadata in `{path}`")]
    Database {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Stores deployments in a SQLite file.
#[derive(Debug)]
pub struct SqliteRepository {
    pool: SqlitePool,
    version: watch::Sender<u64>,
}

impl SqliteRepository {
    /// Opens the file at `path`, made and brought up to date as needed.
    pub async fn open(path: &Path) -> Result<Self, OpenError> {
        let shown = path.display().to_string();
        let failed =
            |source: Box<dyn std::error::Error + Send + Sync>| OpenError::Database { path: shown.clone(), source };
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(10));
        let pool = SqlitePoolOptions::new().max_connections(2).connect_with(options).await;
        let pool = pool.map_err(|error| failed(error.into()))?;
        match migrator().run(&pool).await {
            Ok(()) => Ok(Self { pool, version: watch::Sender::new(1) }),
            Err(MigrateError::VersionMissing(_) | MigrateError::VersionTooNew(..)) => {
                Err(OpenError::Newer { path: shown })
            }
            Err(error) => Err(failed(error.into())),
        }
    }

    /// Closes the file.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Leaves the tables as if a newer version had changed them.
    #[cfg(test)]
    pub(super) async fn pretend_newer(&self) {
        let step = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                    VALUES (9999, 'later', TRUE, x'00', 0)";
        sqlx::query(step).execute(&self.pool).await.unwrap();
    }

    fn notify(&self) {
        self.version.send_modify(|version| *version += 1);
    }

    async fn begin(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(backend("start a change"))
    }

    /// Changes a stored deployment, if it is there and `change` wants to.
    async fn modify(
        &self,
        id: &DeploymentId,
        change: impl FnOnce(&mut StoredDeployment) -> bool + Send,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let Some(mut stored) = read(&mut transaction, id).await? else { return Ok(()) };
        if !change(&mut stored) {
            return Ok(());
        }
        save(&mut transaction, &stored).await?;
        transaction.commit().await.map_err(backend("commit a change"))?;
        self.notify();
        Ok(())
    }
}

#[async_trait]
impl DeploymentRepository for SqliteRepository {
    async fn get(&self, id: &DeploymentId) -> Result<Option<StoredDeployment>, StoreError> {
        let row = sqlx::query("SELECT record FROM deployments WHERE namespace = $1 AND name = $2")
            .bind(id.namespace.as_str())
            .bind(id.name.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(backend("read a deployment"))?;
        row.map(|row| from_row(&row)).transpose()
    }

    async fn list(&self, namespace: Option<&Namespace>) -> Result<Vec<StoredDeployment>, StoreError> {
        let rows =
            sqlx::query("SELECT record FROM deployments WHERE $1 IS NULL OR namespace = $1 ORDER BY namespace, name")
                .bind(namespace.map(Namespace::as_str))
                .fetch_all(&self.pool)
                .await
                .map_err(backend("list deployments"))?;
        rows.iter().map(from_row).collect()
    }

    async fn write(&self, mutations: Vec<Mutation>, note: ChangeNote) -> Result<Vec<StoredDeployment>, StoreError> {
        let mut transaction = self.begin().await?;
        let mut results = Vec::with_capacity(mutations.len());
        for mutation in mutations {
            results.push(perform(&mut transaction, mutation, &note).await?);
        }
        transaction.commit().await.map_err(backend("commit a change"))?;
        self.notify();
        Ok(results)
    }

    async fn history(&self, id: &DeploymentId, limit: u32) -> Result<Vec<Change>, StoreError> {
        let rows = sqlx::query(
            "SELECT position, generation, time, author, message, document FROM changes \
             WHERE namespace = $1 AND name = $2 ORDER BY position DESC LIMIT $3",
        )
        .bind(id.namespace.as_str())
        .bind(id.name.as_str())
        .bind(limit)
        .fetch_all(&self.pool)
        .await
        .map_err(backend("read the history"))?;
        rows.iter().map(|row| change_from_row(id, row)).collect()
    }

    async fn namespaces(&self) -> Result<Vec<Namespace>, StoreError> {
        Ok(vec![Namespace::default_namespace()])
    }

    async fn changed(&self, version: u64) -> u64 {
        let mut versions = self.version.subscribe();
        // The sender lives as long as this repository.
        let seen = versions.wait_for(|now| *now > version).await.map(|now| *now);
        seen.unwrap_or(version)
    }
}

#[async_trait]
impl DeploymentJournal for SqliteRepository {
    async fn set_artifacts(
        &self,
        id: &DeploymentId,
        generation: u64,
        artifacts: Vec<ResolvedArtifact>,
    ) -> Result<(), StoreError> {
        self.modify(id, |stored| {
            let is_current = stored.generation == generation && stored.artifacts != artifacts;
            if is_current {
                stored.artifacts = artifacts;
            }
            is_current
        })
        .await
    }

    async fn set_report(&self, id: &DeploymentId, report: Report) -> Result<(), StoreError> {
        self.modify(id, |stored| {
            let is_new = stored.report.replace(report.clone()).as_ref() != Some(&report);
            let is_over = stored.is_available() && stored.before.take().is_some();
            is_new || is_over
        })
        .await
    }
}

fn migrator() -> Migrator {
    let step = |(version, name, sql): (i64, &'static str, &'static str)| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(MIGRATIONS.map(step).to_vec())
}

async fn perform(
    transaction: &mut Transaction<'static, Sqlite>,
    mutation: Mutation,
    note: &ChangeNote,
) -> Result<StoredDeployment, StoreError> {
    let (id, document, precondition) = match mutation {
        Mutation::Put { id, document, precondition } => (id, Some(document), precondition),
        Mutation::Delete { id, precondition } => (id, None, precondition),
    };
    let before = read(transaction, &id).await?;
    check(&id, before.as_ref(), precondition)?;
    let stored = match (document.clone(), before) {
        (Some(document), before) => {
            let stored = put(before, &id, document, note.time);
            save(transaction, &stored).await?;
            stored
        }
        (None, Some(before)) => {
            remove(transaction, &id).await?;
            before
        }
        (None, None) => return Err(StoreError::NotFound(id)),
    };
    record_change(transaction, &stored, document.as_ref(), note).await?;
    Ok(stored)
}

fn check(id: &DeploymentId, before: Option<&StoredDeployment>, precondition: Precondition) -> Result<(), StoreError> {
    let actual = before.map_or(0, |stored| stored.generation);
    let holds = match precondition {
        Precondition::None => true,
        Precondition::Absent => actual == 0,
        Precondition::Generation(generation) => actual == generation,
    };
    if holds { Ok(()) } else { Err(StoreError::Conflict { id: id.clone(), actual }) }
}

fn put(before: Option<StoredDeployment>, id: &DeploymentId, document: Value, now: Timestamp) -> StoredDeployment {
    match before {
        Some(before) => before.next(document, now),
        None => StoredDeployment {
            id: id.clone(),
            document,
            generation: 1,
            created: now,
            updated: now,
            artifacts: Vec::new(),
            report: None,
            before: None,
        },
    }
}

async fn read(
    transaction: &mut Transaction<'static, Sqlite>,
    id: &DeploymentId,
) -> Result<Option<StoredDeployment>, StoreError> {
    let row = sqlx::query("SELECT record FROM deployments WHERE namespace = $1 AND name = $2")
        .bind(id.namespace.as_str())
        .bind(id.name.as_str())
        .fetch_optional(&mut **transaction)
        .await
        .map_err(backend("read a deployment"))?;
    row.map(|row| from_row(&row)).transpose()
}

async fn save(transaction: &mut Transaction<'static, Sqlite>, stored: &StoredDeployment) -> Result<(), StoreError> {
    let record = encode(stored).map_err(backend("write a deployment"))?;
    sqlx::query(
        "INSERT INTO deployments (namespace, name, generation, record) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (namespace, name) DO UPDATE SET generation = excluded.generation, record = excluded.record",
    )
    .bind(stored.id.namespace.as_str())
    .bind(stored.id.name.as_str())
    .bind(stored.generation.cast_signed())
    .bind(record)
    .execute(&mut **transaction)
    .await
    .map_err(backend("write a deployment"))?;
    Ok(())
}

async fn remove(transaction: &mut Transaction<'static, Sqlite>, id: &DeploymentId) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM deployments WHERE namespace = $1 AND name = $2")
        .bind(id.namespace.as_str())
        .bind(id.name.as_str())
        .execute(&mut **transaction)
        .await
        .map_err(backend("delete a deployment"))?;
    Ok(())
}

async fn record_change(
    transaction: &mut Transaction<'static, Sqlite>,
    stored: &StoredDeployment,
    document: Option<&Value>,
    note: &ChangeNote,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO changes (namespace, name, generation, time, author, message, document) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(stored.id.namespace.as_str())
    .bind(stored.id.name.as_str())
    .bind(stored.generation.cast_signed())
    .bind(note.time.as_millis().cast_signed())
    .bind(&note.author)
    .bind(&note.message)
    .bind(document.map(Value::to_string))
    .execute(&mut **transaction)
    .await
    .map_err(backend("record a change"))?;
    Ok(())
}

fn from_row(row: &SqliteRow) -> Result<StoredDeployment, StoreError> {
    let text: &str = row.try_get("record").map_err(backend("read a deployment"))?;
    decode(text).map_err(backend("read a deployment"))
}

fn change_from_row(id: &DeploymentId, row: &SqliteRow) -> Result<Change, StoreError> {
    let read = || -> Result<Change, Box<dyn std::error::Error + Send + Sync>> {
        let document: Option<&str> = row.try_get("document")?;
        Ok(Change {
            position: row.try_get::<i64, _>("position")?.cast_unsigned(),
            id: id.clone(),
            generation: row.try_get::<i64, _>("generation")?.cast_unsigned(),
            document: document.map(serde_json::from_str).transpose()?,
            note: ChangeNote {
                author: row.try_get("author")?,
                message: row.try_get("message")?,
                time: Timestamp::from_millis(row.try_get::<i64, _>("time")?.cast_unsigned()),
            },
        })
    };
    read().map_err(backend("read the history"))
}

fn backend<E>(operation: &'static str) -> impl FnOnce(E) -> StoreError
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    move |source| StoreError::Backend { operation, source: source.into() }
}
