//! Names of objects, as Seldon's operator gives them.

use md5::{Digest as _, Md5};

/// Longest name that every kind takes.
const NAME_MAX: usize = 63;

/// The name of a predictor's Service.
pub(super) fn service(deployment: &str, predictor: &str) -> String {
    shortened(format!("{deployment}-{predictor}"))
}

/// The name of a predictor's Deployment: number and containers of its pod template are part of it.
pub(super) fn workload(deployment: &str, predictor: &str, container: &str) -> String {
    shortened(format!("{deployment}-{predictor}-0-{container}"))
}

/// A name that is too long is told by its digest.
fn shortened(name: String) -> String {
    if name.len() <= NAME_MAX {
        return name;
    }
    let digest = u128::from_be_bytes(Md5::digest(name.as_bytes()).into());
    format!("seldon-{digest:032x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_seldons_operator() {
        assert_eq!(service("iris", "main"), "iris-main");
        assert_eq!(workload("iris", "main", "classifier"), "iris-main-0-classifier");
    }

    #[test]
    fn a_name_that_is_too_long_is_shortened_and_still_its_own() {
        let (longest, longer) = ("a".repeat(58), "a".repeat(59));
        assert_eq!(service(&longest, "main"), format!("{longest}-main"));
        let short = service(&longer, "main");
        assert_eq!(short.len(), "seldon-".len() + 32);
        assert_ne!(short, service(&longer, "mail"));
        // As Python's hashlib.md5 has it.
        assert_eq!(short, "seldon-4b887247476ae3a70ae434224e62b707");
    }
}
