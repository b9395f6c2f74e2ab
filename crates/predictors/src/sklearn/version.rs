//! scikit-learn's version numbers, as far as differences between files depend on them.

/// Major and minor number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version(pub(super) u32, pub(super) u32);

impl Version {
    /// Reads `1.5.2`, `0.24.dev0` and the like.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(|part| part.parse().ok());
        Some(Self(parts.next()??, parts.next()??))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        assert_eq!(Version::parse("0.20.3"), Some(Version(0, 20)));
        assert!(Version::parse("1.10.dev0") > Version::parse("1.9.1"));
        assert_eq!(Version::parse("one"), None);
    }
}
