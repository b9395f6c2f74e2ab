//! Manifests of custom resources: their wire types and the tables of their fields.
//!
//! Each kind has one committed table that says of every field what this version does with it. The
//! parser walks a document by that table, and the reference page is printed from it.

#[cfg(test)]
mod committed;
pub mod field_table;
pub mod inference_graph;
pub mod inference_service;
pub mod markdown;
pub mod metadata;
pub mod resources;
pub mod seldon_deployment;
mod walk;
mod words;

pub use field_table::{Annotation, Class, Field, Section, Shape, Table};
pub use walk::{Finding, Walked};
