//! Running other programs: what they say goes to a log, and line by line to whoever shows progress.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, PipeReader, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};

/// A program that ran to its end.
#[derive(Debug)]
pub(crate) struct Finished {
    /// Whether it said so.
    pub(crate) is_success: bool,
    /// What it wrote, errors included, in the order written.
    pub(crate) output: String,
    /// Where that is kept.
    pub(crate) log: PathBuf,
}

impl Finished {
    /// What it wrote, or an error with the end of it.
    pub(crate) fn success(self) -> Result<String> {
        if self.is_success {
            return Ok(self.output);
        }
        bail!("{}\n\n(all of it is in `{}`)", last_lines(&self.output, 80), self.log.display())
    }
}

/// Runs a program without input. `heard` gets each line as it comes.
pub(crate) fn run(command: &mut Command, log: &Path, mut heard: impl FnMut(&str)) -> Result<Finished> {
    let name = command.get_program().to_string_lossy().into_owned();
    let (reader, writer) = io::pipe()?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn().with_context(|| format!("cannot run `{name}`"))?;
    // The command holds the writing ends: the reader would never see the end of the output.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let output = read(reader, log, &mut heard)?;
    let is_success = child.wait().with_context(|| format!("cannot wait for `{name}`"))?.success();
    Ok(Finished { is_success, output, log: log.to_owned() })
}

fn read(reader: PipeReader, log: &Path, heard: &mut dyn FnMut(&str)) -> Result<String> {
    let mut file = File::create(log).with_context(|| format!("cannot write `{}`", log.display()))?;
    let (mut reader, mut output, mut line) = (BufReader::new(reader), String::new(), Vec::new());
    while reader.read_until(b'\n', &mut line)? > 0 {
        file.write_all(&line)?;
        let text = without_escapes(&String::from_utf8_lossy(&line));
        heard(text.trim());
        output.push_str(&text);
        line.clear();
    }
    Ok(output)
}

/// What a program writes, where that is all one wants to know.
pub(crate) fn output_of(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot run `{name}`"))?;
    if !output.status.success() {
        bail!("`{name}` failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Where a program is, if it is on the search path.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// The last lines of a text.
pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<_> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// The text without what would colour it on a terminal.
fn without_escapes(text: &str) -> String {
    let (mut plain, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        // Brackets open a sequence; parameters follow, and one letter ends it.
        rest = after.trim_start_matches(|c: char| c.is_ascii_digit() || "[(;?".contains(c));
        rest = rest.strip_prefix(|c: char| c.is_ascii_alphabetic()).unwrap_or(rest);
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> (Finished, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let mut lines = Vec::new();
        let mut command = Command::new("sh");
        let finished =
            run(command.args(["-c", script]), &folder.path().join("log"), |line| lines.push(line.to_owned()));
        (finished.unwrap(), lines)
    }

    #[test]
    fn output_and_errors_come_in_order() {
        let (finished, lines) = shell("echo one; echo two >&2; echo three");
        assert!(finished.is_success);
        assert_eq!(lines, ["one", "two", "three"]);
        assert_eq!(finished.success().unwrap(), "one\ntwo\nthree\n");
    }

    #[test]
    fn a_failure_shows_what_was_written() {
        let (finished, _) = shell("echo no such thing; exit 3");
        assert!(finished.success().unwrap_err().to_string().starts_with("no such thing\n"));
    }

    #[test]
    fn colours_are_left_out() {
        assert_eq!(without_escapes("a \u{1b}[1;31mred\u{1b}(B\u{1b}[0m word"), "a red word");
    }

    #[test]
    fn the_last_lines_of_a_text() {
        assert_eq!(last_lines("a\nb\nc\n", 2), "b\nc");
        assert_eq!(last_lines("a\n", 5), "a");
    }
}
