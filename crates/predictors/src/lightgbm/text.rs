//! The lines of a model file: `key=value`, in sections.

use crate::shown::shown;

use super::Error;

/// The lines of a file that are left to read.
#[derive(Debug, Clone)]
pub(super) struct Lines<'a>(&'a [u8]);

impl<'a> Lines<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn peek(&self) -> Option<(&'a [u8], &'a [u8])> {
        if self.0.is_empty() {
            return None;
        }
        let end = self.0.iter().position(|byte| *byte == b'\n').unwrap_or(self.0.len());
        let (line, rest) = self.0.split_at(end);
        Some((line.trim_ascii(), rest.get(1..).unwrap_or_default()))
    }

    /// The next line, without space around it.
    pub(super) fn next_line(&mut self) -> Option<&'a [u8]> {
        let (line, rest) = self.peek()?;
        self.0 = rest;
        Some(line)
    }

    /// The fields up to the next section, which is left unread.
    pub(super) fn section(&mut self) -> Section<'a> {
        let mut fields = Vec::new();
        while let Some((line, rest)) = self.peek() {
            if is_start(line) {
                break;
            }
            self.0 = rest;
            let equals = line.iter().position(|byte| *byte == b'=');
            let (key, value) = line.split_at(equals.unwrap_or(line.len()));
            if !key.is_empty() {
                fields.push((key, value.get(1..).unwrap_or_default()));
            }
        }
        Section(fields)
    }

    /// Skips the head of a tree's section, if one follows.
    pub(super) fn skip_tree_head(&mut self) -> bool {
        match self.peek() {
            Some((line, rest)) if line.starts_with(TREE) => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }
}

const TREE: &[u8] = b"Tree=";

/// Whether a line begins another section.
fn is_start(line: &[u8]) -> bool {
    let others: [&[u8]; 4] = [b"end of trees", b"feature importances", b"feature_importances", b"parameters:"];
    line.starts_with(TREE) || others.iter().any(|start| line.starts_with(start))
}

/// The fields of a section, in the order of the file.
#[derive(Debug)]
pub(super) struct Section<'a>(Vec<(&'a [u8], &'a [u8])>);

impl<'a> Section<'a> {
    pub(super) fn has(&self, key: &str) -> bool {
        self.0.iter().any(|(name, _)| *name == key.as_bytes())
    }

    /// The text of a field; the first of several of the same name.
    pub(super) fn find(&self, key: &'static str) -> Option<&'a str> {
        let found = self.0.iter().find(|(name, _)| *name == key.as_bytes());
        found.and_then(|(_, value)| std::str::from_utf8(value).ok())
    }

    pub(super) fn get(&self, key: &'static str) -> Result<&'a str, Error> {
        self.find(key).ok_or_else(|| Error::malformed(format!("`{key}` is missing")))
    }

    /// The number in a field.
    pub(super) fn number<T: std::str::FromStr>(&self, key: &'static str) -> Result<T, Error> {
        let text = self.get(key)?.trim();
        text.parse().map_err(|_| Error::malformed(format!("`{key}` is `{}`, no number that fits", shown(text))))
    }

    /// The numbers in a field; none where there is no such field.
    pub(super) fn numbers<T: std::str::FromStr>(&self, key: &'static str) -> Result<Vec<T>, Error> {
        let texts = self.find(key).unwrap_or_default().split_ascii_whitespace();
        let numbers = texts.map(str::parse).collect::<Result<Vec<_>, _>>();
        numbers.map_err(|_| Error::malformed(format!("`{key}` holds something that is no number")))
    }
}
