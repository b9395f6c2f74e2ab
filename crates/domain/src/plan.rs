//! Plan, then execute: from what is desired and what is observed to the next steps, as data.
//!
//! The types are the seam between those who observe and execute (deployers) and the one place that
//! decides, [`plan`].

mod decide;
mod report;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::RevisionId;

pub use decide::plan;

/// A moment, in milliseconds since 1970 UTC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The moment so many milliseconds after the start of 1970 UTC.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the start of 1970 UTC.
    pub const fn as_millis(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}

/// What a deployment is to serve.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Desired {
    /// Counts the changes of the deployment's specification.
    pub generation: u64,
    /// Its predictors; none when the deployment was deleted.
    pub predictors: Vec<DesiredPredictor>,
}

/// One predictor that is to serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredPredictor {
    /// Name of the predictor.
    pub name: String,
    /// Its share of the traffic in percent.
    pub weight: u32,
    /// Which revision it is.
    pub revision: Resolution,
    /// The predictor in whose place it gets requests, where it is a transformer.
    pub before: Option<String>,
}

/// Whether the artifacts of a desired predictor have been fetched, which decides its revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// They are being fetched.
    Pending,
    /// They were, by their digests.
    Resolved(RevisionId),
    /// They could not be.
    Failed {
        /// Why, for a person.
        reason: String,
    },
    /// They were, but others that it calls are not there. What serves goes on.
    HeldBack {
        /// The revision.
        revision: RevisionId,
        /// Whether they are on their way or have failed.
        state: State,
        /// What is missing, for a person.
        reason: String,
    },
}

/// What is known to be there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// Revisions of predictors, whether they serve or not.
    pub revisions: Vec<ObservedRevision>,
    /// The routes in force.
    pub routes: Vec<Route>,
    /// The report made last.
    pub reported: Option<Report>,
}

/// A revision of a predictor that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedRevision {
    /// Name of the predictor.
    pub predictor: String,
    /// The revision.
    pub revision: RevisionId,
    /// Whether it can serve.
    pub readiness: Readiness,
}

/// Whether a revision can serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// Not yet.
    Loading,
    /// It can.
    Ready,
    /// It could not be made ready.
    Failed {
        /// Why, for a person.
        reason: String,
        /// When another attempt is due; `None` when another would end alike.
        retry_at: Option<Timestamp>,
    },
}

/// The share of the traffic that a revision of a predictor gets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Route {
    /// Name of the predictor.
    pub predictor: String,
    /// The revision that answers.
    pub revision: RevisionId,
    /// Its share of the traffic in percent; with 0 it answers only requests that ask for it by name.
    pub weight: u32,
    /// The predictor in whose place it gets requests, where it is a transformer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
}

/// What is to be done next, and when to plan again if nothing else happens before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The steps, in the order they are to be executed.
    pub steps: Vec<Step>,
    /// When the next attempt is due.
    pub wake_at: Option<Timestamp>,
}

/// One step of a plan; the same for every engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Makes the revision ready, or tries again.
    Ensure {
        /// Name of the predictor.
        predictor: String,
        /// The revision.
        revision: RevisionId,
    },
    /// Puts these routes in force, all at once, in place of those before.
    Route {
        /// The routes.
        routes: Vec<Route>,
    },
    /// Takes the revision away once its requests are answered.
    Retire {
        /// Name of the predictor.
        predictor: String,
        /// The revision.
        revision: RevisionId,
    },
    /// Tells users.
    Report(Report),
}

/// The state of a deployment, for its users.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// State of the whole.
    pub state: State,
    /// What is being waited for, or what failed; empty when available.
    pub description: String,
    /// State of each desired predictor.
    pub predictors: Vec<PredictorReport>,
    /// The generation this is about.
    pub generation: u64,
}

/// The state of one predictor, for users.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PredictorReport {
    /// Name of the predictor.
    pub name: String,
    /// The desired revision, once it is known.
    pub revision: Option<RevisionId>,
    /// State of that revision.
    pub state: State,
    /// Why it failed.
    pub reason: Option<String>,
    /// The share of the traffic that the predictor gets now, by whichever revision.
    pub weight: u32,
}

/// The state of a deployment or a predictor, in Seldon's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// Serves as desired.
    Available,
    /// On its way.
    Creating,
    /// Needs a person.
    Failed,
}

impl State {
    /// Its word, as it stands in a status.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Available => "Available",
            Self::Creating => "Creating",
            Self::Failed => "Failed",
        }
    }
}
