//! Committed files that tests make, with `UPDATE=1`, and compare.

/// Checks that a committed file, by its path from the crate, holds these lines.
#[track_caller]
pub(super) fn check_file(path: &str, lines: &[String]) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let expected = lines.join("\n") + "\n";
    #[expect(clippy::disallowed_methods, reason = "asks to rewrite the file; tests have no configuration")]
    if std::env::var("UPDATE").is_ok() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        return std::fs::write(path, expected).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == expected, "{} is stale; with UPDATE=1 it becomes:\n{expected}", path.display());
}
