//! The reference page of a table of fields.

use std::fmt::Write as _;

use super::{Class, Field, Shape, Table, inference_graph, inference_service, seldon_deployment};

/// What all kinds' tables mean.
const INTRODUCTION: &str = "\
Every field of a manifest is in one of these classes:

| Class | What happens |
|---|---|
| honoured | It does what it says. |
| no effect | Accepted with a warning that names the path and says why. |
| on Kubernetes | Honoured by the operator; in the server's own process accepted with a warning that names the path. |
| Kubernetes only | Honoured by the operator; in the server's own process refused with an error that names the path. |
| in process | Honoured in the server's own process; by the operator accepted with a warning that names the path. |
| own program | Honoured for a node that is a program of its own, yours or a model server's in a container; of others accepted with a warning that names the path. |
| in a container | Honoured where a container serves the model, a serving runtime's or your own; else accepted with a warning that names the path. |
| not supported yet | Refused with an error that names the path and says what to do. Empty values are accepted. |
| set by servers | Accepted and ignored, so that what `provost get` or `kubectl get` prints can be applied again. |
| unknown | Not in these tables. Accepted with a warning that names the path. |

In a path, `[]` stands for any element of a list or value of a map. Annotations with other prefixes than those listed are kept without a \
warning. This page is printed by `provost print fields`.";

/// The page of all kinds, as `provost print fields` prints it.
pub fn reference_page() -> String {
    let mut page = format!("# Fields of manifests\n\n{INTRODUCTION}\n");
    let [v1beta1, v1alpha2] = &inference_service::fields::SCHEMAS;
    push_kind(
        &mut page,
        seldon_deployment::KIND,
        seldon_deployment::fields::INTRODUCTION,
        &seldon_deployment::fields::FIELDS,
    );
    for (title, schema) in [("InferenceService v1beta1", v1beta1), ("InferenceService v1alpha2", v1alpha2)] {
        push_kind(&mut page, title, schema.introduction, &schema.table);
    }
    let fields = &inference_graph::fields::FIELDS;
    push_kind(&mut page, inference_graph::KIND, inference_graph::fields::INTRODUCTION, fields);
    page
}

/// The tables of a kind under `title` and after `introduction`.
fn push_kind(page: &mut String, title: &str, introduction: &str, table: &Table) {
    // Writing to a String cannot fail.
    let _written = write!(page, "\n## {title}\n\n{introduction}\n");
    for section in table.sections {
        push_heading(page, section.title, "Field | Type");
        section.fields.iter().for_each(|field| push_field(page, field));
    }
    push_heading(page, "Annotations", "Annotation | Type");
    for annotation in table.annotations {
        push_row(
            page,
            annotation.key,
            "text",
            annotation.class,
            &with_advice(annotation.about, if annotation.class == Class::OwnProgram { "" } else { annotation.advice }),
        );
    }
}

fn push_heading(page: &mut String, title: &str, columns: &str) {
    // Writing to a String cannot fail.
    let _written = write!(page, "\n### {title}\n\n| {columns} | Class | Meaning |\n|---|---|---|---|\n");
}

fn push_field(page: &mut String, field: &Field) {
    // Of a field that acts somewhere, the advice is for where it does not.
    let acts = matches!(
        field.class,
        Class::OnKubernetes | Class::KubernetesOnly | Class::InProcess | Class::OwnProgram | Class::InContainer
    );
    let meaning = match (field.shape, if acts { "" } else { field.advice }) {
        (Shape::ObjectLike(path) | Shape::ObjectsLike(path), advice) => {
            format!("{} Fields as in `{path}`. {}", field.about, sentence(advice))
        }
        (_, advice) => with_advice(field.about, advice),
    };
    push_row(page, field.path, field.shape.as_str(), field.class, meaning.trim_end());
}

fn push_row(page: &mut String, name: &str, shape: &str, class: Class, meaning: &str) {
    // Writing to a String cannot fail.
    let _written = writeln!(page, "| `{name}` | {shape} | {} | {meaning} |", class.as_str());
}

fn with_advice(about: &str, advice: &str) -> String {
    format!("{about} {}", sentence(advice)).trim_end().to_owned()
}

/// Advice, which starts small and has no full stop, as a sentence; in code it stays as it is.
fn sentence(advice: &str) -> String {
    let mut letters = advice.chars();
    match letters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
        None => String::new(),
    }
}
