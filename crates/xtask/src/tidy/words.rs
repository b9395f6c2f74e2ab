//! Words that have no place in what is committed: unfinished code, and names that only mean something on
//! the machine it was written on.

use super::{
    Finding,
    repository::{File, Repository},
};

/// In code: a marker, and what to do instead. They are kept in two parts, so that this file has none.
const UNFINISHED: [([&str; 2], &str); 6] = [
    (["todo", "!"], "finish it, or refuse what is not there yet by name"),
    (["unimplemented", "!"], "finish it, or refuse what is not there yet by name"),
    (["dbg", "!"], "take it out"),
    (["#[ig", "nore"], "a test that cannot run says why and is skipped"),
    (["FIX", "ME"], "mend it, or open an issue"),
    (["TO", "DO"], "do it, or open an issue"),
];
/// Extensions of code.
const CODE: [&str; 4] = ["rs", "ts", "tsx", "py"];
/// Top folders of machines that this was written on.
const FOLDERS: [&str; 3] = ["work", "farm", "root"];
/// Registries: packages are named, and clients know where to find them.
const REGISTRIES: [&str; 6] = ["debian", "pypi", "npmjs", "crates", "golang", "maven"];

/// The rule.
pub(super) fn check(repository: &Repository) -> Vec<Finding> {
    repository.files().filter(|file| !file.is_generated()).flat_map(check_file).collect()
}

fn check_file(file: &File) -> Vec<Finding> {
    let is_code = CODE.contains(&file.extension());
    let mut findings = Vec::new();
    for (number, line) in file.text.lines().enumerate() {
        let unfinished = UNFINISHED.iter().filter(|_| is_code).filter(|(marker, _)| has_word(line, &marker.concat()));
        findings.extend(
            unfinished.map(|(marker, advice)| {
                Finding::in_line(&file.path, number, format!("`{}`: {advice}", marker.concat()))
            }),
        );
        findings
            .extend(machine_names(line).map(|name| {
                Finding::in_line(&file.path, number, format!("`{name}` means nothing on another machine"))
            }));
    }
    findings
}

fn machine_names(line: &str) -> impl Iterator<Item = String> {
    let folders = FOLDERS.iter().map(|name| format!("/{name}/")).filter(|path| has_path(line, path));
    let registries = REGISTRIES.iter().filter(|name| has_host(line, name)).map(|name| format!("a host of {name}"));
    folders.chain(registries)
}

/// The marker with no letter before it.
fn has_word(line: &str, word: &str) -> bool {
    starts_of(line, word).any(|before| !before.ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

/// The folder at the start of a path.
fn has_path(line: &str, folder: &str) -> bool {
    starts_of(line, folder).any(|before| !before.ends_with(|c: char| c.is_alphanumeric() || "_.-)}*/".contains(c)))
}

/// An address whose host has a label that begins with the name.
fn has_host(line: &str, name: &str) -> bool {
    let addresses = line.split("://").skip(1);
    let hosts = addresses.filter_map(|rest| rest.split(['/', ' ', '"', '`', ')', '>', '\'']).next());
    hosts.into_iter().any(|host| host.split('.').any(|label| label == name))
}

fn starts_of<'a>(line: &'a str, word: &'a str) -> impl Iterator<Item = &'a str> {
    line.match_indices(word).filter_map(move |(start, _)| line.get(..start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_line(line: &str, expected: &[&str]) {
        let line = line.replace('%', "");
        let found: Vec<_> = check(&Repository::of(&[("a.rs", &line)])).iter().map(ToString::to_string).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn unfinished_code_is_found() {
        check_line(
            "    to%do!()",
            &["a.rs:1: `to%do!`: finish it, or refuse what is not there yet by name".replace('%', "").as_str()],
        );
        check_line("// TO%DO later", &["a.rs:1: `TO%DO`: do it, or open an issue".replace('%', "").as_str()]);
        check_line("let auto%do = my_todo!();", &[]);
    }

    #[test]
    fn folders_of_a_machine_are_found() {
        check_line(
            "see /wo%rk/main",
            &["a.rs:1: `/work%/` means nothing on another machine".replace('%', "").as_str()],
        );
        check_line("home/wo%rk/main and ../root%/x", &[]);
    }

    #[test]
    fn hosts_of_registries_are_found() {
        check_line("https:/%/deb.debian.org/x", &["a.rs:1: `a host of debian` means nothing on another machine"]);
        check_line("https:/%/docs.seldon.io/crates", &[]);
        check_line("Debian's chromium, crates.toml", &[]);
    }

    #[test]
    fn markers_are_only_looked_for_in_code() {
        assert!(check(&Repository::of(&[("a.md", &["TO", "DO"].concat())])).is_empty());
    }
}
