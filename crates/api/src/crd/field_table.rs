//! What a table of fields is made of.

use std::{collections::HashMap, sync::LazyLock};

/// What is done with a field that a document sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// It does what it says.
    Honoured,
    /// Accepted with a warning: no engine has a use for it.
    NoEffect,
    /// Honoured on Kubernetes; in process accepted with a warning.
    OnKubernetes,
    /// Honoured on Kubernetes; in process refused, as the deployment would not do what its author means.
    KubernetesOnly,
    /// Honoured in process; on Kubernetes accepted with a warning.
    InProcess,
    /// Honoured for a node whose program is the user's own; of others accepted with a warning.
    OwnProgram,
    /// Honoured where a container serves the model, a serving runtime's or the user's own; else accepted with a warning.
    InContainer,
    /// Refused: the deployment would not do what its author means.
    NotSupported,
    /// Set by servers; silently accepted, so that what `get` prints can be applied again.
    ServerSet,
    /// Not in the table; accepted with a warning.
    Unknown,
}

/// The type of a field's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A text.
    Text,
    /// A whole number of 32 bits.
    Integer,
    /// True or false.
    Boolean,
    /// A map of texts.
    TextMap,
    /// A map of texts whose keys are in the table of annotations.
    Annotations,
    /// An object whose fields are in the table.
    Object,
    /// A list of texts.
    Texts,
    /// A list of objects whose fields are in the table, under the path with `[]`.
    Objects,
    /// A map of objects whose fields are in the table, under the path with `[]`.
    ObjectMap,
    /// An object whose fields are those of another path in the table.
    ObjectLike(&'static str),
    /// A list of objects whose fields are those of another path in the table.
    ObjectsLike(&'static str),
    /// A list that is not looked into.
    List,
    /// An object that is not looked into.
    Map,
    /// Anything; it is not looked into.
    Any,
}

/// One row of a table.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Path, with `[]` for any element of a list or value of a map.
    pub path: &'static str,
    /// Type of its value.
    pub shape: Shape,
    /// What is done with it.
    pub class: Class,
    /// What it means, for the reference page.
    pub about: &'static str,
    /// Why it has no effect or what to do instead, for warnings and errors.
    pub advice: &'static str,
    /// A number that asks for nothing more than happens anyway.
    pub neutral: Option<i32>,
}

/// One row of the table of annotations.
#[derive(Debug, Clone, Copy)]
pub struct Annotation {
    /// Key; a `*` at its end stands for any text.
    pub key: &'static str,
    /// What is done with it.
    pub class: Class,
    /// What it means.
    pub about: &'static str,
    /// Why it has no effect, for warnings.
    pub advice: &'static str,
}

/// Fields of one subject.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    /// Heading on the reference page.
    pub title: &'static str,
    /// The rows.
    pub fields: &'static [Field],
}

/// All fields of one kind.
#[derive(Debug)]
pub struct Table {
    /// The fields by subject.
    pub sections: &'static [Section],
    /// The annotations.
    pub annotations: &'static [Annotation],
    /// Prefixes of annotation keys of which each should be in the table.
    pub annotation_prefixes: &'static [&'static str],
    by_path: LazyLock<HashMap<&'static str, &'static Field>>,
}

impl Field {
    /// A field that does what it says.
    pub const fn honoured(path: &'static str, shape: Shape, about: &'static str) -> Self {
        Self { path, shape, class: Class::Honoured, about, advice: "", neutral: None }
    }

    /// A field without effect.
    pub const fn no_effect(path: &'static str, shape: Shape, about: &'static str) -> Self {
        Self { class: Class::NoEffect, ..Self::honoured(path, shape, about) }
    }

    /// A field that only Kubernetes has a use for.
    pub const fn on_kubernetes(path: &'static str, shape: Shape, about: &'static str) -> Self {
        Self { class: Class::OnKubernetes, ..Self::honoured(path, shape, about) }
    }

    /// A field that only a process has a use for.
    pub const fn in_process(path: &'static str, shape: Shape, about: &'static str) -> Self {
        Self { class: Class::InProcess, ..Self::honoured(path, shape, about) }
    }

    /// A field that only nodes have a use for whose program is the user's own.
    pub const fn own_program(path: &'static str, shape: Shape, about: &'static str) -> Self {
        Self { class: Class::OwnProgram, ..Self::honoured(path, shape, about) }
    }

    /// A field that only models have a use for which a container serves.
    pub const fn in_container(path: &'static str, shape: Shape, about: &'static str) -> Self {
        Self { class: Class::InContainer, ..Self::honoured(path, shape, about) }
    }

    /// A field that is refused in process, with what to do instead.
    pub const fn kubernetes_only(path: &'static str, shape: Shape, about: &'static str, advice: &'static str) -> Self {
        Self { class: Class::KubernetesOnly, advice, ..Self::honoured(path, shape, about) }
    }

    /// A field that is refused, with what to do instead.
    pub const fn refused(path: &'static str, shape: Shape, about: &'static str, advice: &'static str) -> Self {
        Self { class: Class::NotSupported, advice, ..Self::honoured(path, shape, about) }
    }

    /// A field that servers set.
    pub const fn server_set(path: &'static str, about: &'static str) -> Self {
        Self { class: Class::ServerSet, ..Self::honoured(path, Shape::Any, about) }
    }

    /// The same with a reason or advice.
    #[must_use]
    pub const fn because(self, advice: &'static str) -> Self {
        Self { advice, ..self }
    }

    /// The same with a number that asks for nothing more than happens anyway.
    #[must_use]
    pub const fn unless(self, neutral: i32) -> Self {
        Self { neutral: Some(neutral), ..self }
    }
}

impl Annotation {
    /// A row.
    pub const fn new(key: &'static str, class: Class, about: &'static str) -> Self {
        Self { key, class, about, advice: "" }
    }

    /// A row of an annotation without effect, and why it has none.
    pub const fn no_effect(key: &'static str, about: &'static str, advice: &'static str) -> Self {
        Self { key, class: Class::NoEffect, about, advice }
    }

    /// A row of an annotation that only nodes have a use for whose program is the user's own, and why others have none.
    pub const fn own_program(key: &'static str, about: &'static str, advice: &'static str) -> Self {
        Self { key, class: Class::OwnProgram, about, advice }
    }

    fn is_for(&self, key: &str) -> bool {
        match self.key.strip_suffix('*') {
            Some(prefix) => key.starts_with(prefix),
            None => key == self.key,
        }
    }
}

impl Table {
    /// A table over these rows.
    pub const fn new(
        sections: &'static [Section],
        annotations: &'static [Annotation],
        annotation_prefixes: &'static [&'static str],
        by_path: fn() -> HashMap<&'static str, &'static Field>,
    ) -> Self {
        Self { sections, annotations, annotation_prefixes, by_path: LazyLock::new(by_path) }
    }

    /// The rows of `sections` by their paths.
    pub fn index(sections: &'static [Section]) -> HashMap<&'static str, &'static Field> {
        sections.iter().flat_map(|section| section.fields).map(|field| (field.path, field)).collect()
    }

    /// The row of a path, which has `[]` for any element of a list.
    pub fn field(&self, path: &str) -> Option<&'static Field> {
        self.by_path.get(path).copied()
    }

    /// The names of the fields of the object at `path`.
    pub fn names_in(&self, path: &str) -> impl Iterator<Item = &'static str> {
        let dot = usize::from(!path.is_empty());
        self.by_path.keys().filter_map(move |field| {
            let name = field.strip_prefix(path)?.get(dot..)?;
            (!name.is_empty() && !name.contains(['.', '['])).then_some(name)
        })
    }

    /// What is done with an annotation, and why: free text for others, unless its prefix is one of ours.
    pub fn annotation(&self, key: &str) -> (Class, &'static str) {
        let row = self.annotations.iter().find(|annotation| annotation.is_for(key));
        let ours = || self.annotation_prefixes.iter().any(|prefix| key.starts_with(prefix));
        row.map_or_else(|| (if ours() { Class::Unknown } else { Class::Honoured }, ""), |row| (row.class, row.advice))
    }
}

impl Class {
    /// The class in the words of the reference page.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Honoured => "honoured",
            Self::NoEffect => "no effect",
            Self::OnKubernetes => "on Kubernetes",
            Self::KubernetesOnly => "Kubernetes only",
            Self::InProcess => "in process",
            Self::OwnProgram => "own program",
            Self::InContainer => "in a container",
            Self::NotSupported => "not supported yet",
            Self::ServerSet => "set by servers",
            Self::Unknown => "unknown",
        }
    }
}

impl Shape {
    /// The type in the words of the reference page.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::TextMap | Self::Annotations => "map of texts",
            Self::Object | Self::ObjectLike(_) | Self::Map => "object",
            Self::List => "list",
            Self::ObjectMap => "map of objects",
            Self::Texts => "list of texts",
            Self::Objects | Self::ObjectsLike(_) => "list of objects",
            Self::Any => "any",
        }
    }
}
