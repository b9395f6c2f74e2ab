//! All automation is in Rust: no Makefiles, and shell only where users run it.

use super::{Finding, repository::Repository};

/// Names of files that bring a tool of their own.
const TOOLS: [&str; 5] = ["Makefile", "makefile", "GNUmakefile", "justfile", "Justfile"];
/// Folders whose scripts are for users.
const FOR_USERS: [&str; 2] = ["examples/", "deploy/"];

/// The rule.
pub(super) fn check(repository: &Repository) -> Vec<Finding> {
    let is_shell = |path: &str| {
        path.rsplit_once('.').is_some_and(|(_, extension)| extension == "sh")
            && !FOR_USERS.iter().any(|folder| path.starts_with(folder))
    };
    let is_tool = |path: &str| TOOLS.contains(&path.rsplit('/').next().unwrap_or(path));
    let found = repository.paths().filter(|path| is_shell(path) || is_tool(path));
    found.map(|path| Finding::new(path, "automation is a command of `cargo xtask`")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shell_is_for_users_only() {
        let repository = Repository::of(&[("examples/iris/run.sh", ""), ("scripts/build.sh", ""), ("Makefile", "")]);
        let places: Vec<_> = check(&repository).into_iter().map(|finding| finding.place).collect();
        assert_eq!(places, ["scripts/build.sh", "Makefile"]);
    }
}
