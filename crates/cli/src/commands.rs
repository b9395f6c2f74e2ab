//! One file a command.

pub(crate) mod apply;
pub(crate) mod canary;
mod change;
pub(crate) mod completion;
pub(crate) mod delete;
pub(crate) mod describe;
pub(crate) mod doctor;
pub(crate) mod events;
pub(crate) mod feedback;
pub(crate) mod fetch;
pub(crate) mod get;
pub(crate) mod instances;
mod kind;
pub(crate) mod logs;
pub(crate) mod model;
mod new_predictor;
pub(crate) mod predict;
pub(crate) mod print;
pub(crate) mod requests;
pub(crate) mod rollback;
pub(crate) mod shadow;
pub(crate) mod status;
pub(crate) mod version;
pub(crate) mod wait;
