//! The reference page of a table of fields.

use std::fmt::Write as _;

use super::{Class, Field, Shape, Table};

/// The page as Markdown, under `title` and after `introduction`.
pub fn reference_page(title: &str, introduction: &str, table: &Table) -> String {
    let mut page = format!("# {title}\n\n{introduction}\n");
    for section in table.sections {
        push_heading(&mut page, section.title, "Field | Type");
        section.fields.iter().for_each(|field| push_field(&mut page, field));
    }
    push_heading(&mut page, "Annotations", "Annotation | Type");
    for annotation in table.annotations {
        push_row(
            &mut page,
            annotation.key,
            "text",
            annotation.class,
            &with_advice(annotation.about, if annotation.class == Class::OwnProgram { "" } else { annotation.advice }),
        );
    }
    page
}

fn push_heading(page: &mut String, title: &str, columns: &str) {
    // Writing to a String cannot fail.
    let _written = write!(page, "\n## {title}\n\n| {columns} | Class | Meaning |\n|---|---|---|---|\n");
}

fn push_field(page: &mut String, field: &Field) {
    // Of a field that acts somewhere, the advice is for where it does not.
    let acts =
        matches!(field.class, Class::OnKubernetes | Class::KubernetesOnly | Class::InProcess | Class::OwnProgram);
    let meaning = match (field.shape, if acts { "" } else { field.advice }) {
        (Shape::ObjectsLike(path), advice) => format!("{} Fields as in `{path}`. {}", field.about, sentence(advice)),
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
