//! A cursor over the bytes of a pickle that never reads beyond them.

use super::Error;

/// Where a run of bytes stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) len: usize,
}

#[derive(Debug)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }

    pub(super) fn remaining(&self) -> usize {
        self.bytes.len() - self.position
    }

    pub(super) fn slice(&self, span: Span) -> &'a [u8] {
        &self.bytes[span.start..span.start + span.len]
    }

    pub(super) fn byte(&mut self) -> Result<u8, Error> {
        self.array().map(|[byte]| byte)
    }

    /// The next `N` bytes.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (bytes, _) = self.bytes[self.position..].split_first_chunk().ok_or_else(|| self.truncated())?;
        self.position += N;
        Ok(*bytes)
    }

    /// The next `len` bytes, left where they are.
    pub(super) fn span(&mut self, len: u64) -> Result<Span, Error> {
        let len = usize::try_from(len).ok().filter(|len| *len <= self.remaining());
        let span = Span { start: self.position, len: len.ok_or_else(|| self.truncated())? };
        self.position += span.len;
        Ok(span)
    }

    /// The bytes up to the next line feed, which is skipped.
    pub(super) fn line(&mut self) -> Result<Span, Error> {
        let rest = &self.bytes[self.position..];
        let len = rest.iter().position(|byte| *byte == b'\n').ok_or_else(|| self.truncated())?;
        let span = Span { start: self.position, len };
        self.position += len + 1;
        Ok(span)
    }

    pub(super) fn truncated(&self) -> Error {
        Error::Truncated { offset: self.bytes.len() }
    }
}
