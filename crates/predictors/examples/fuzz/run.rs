//! Runs one reader on inputs that come of others, and keeps what brings out something new, and what is a finding.

#[path = "allocator.rs"]
mod allocator;
#[path = "mutate.rs"]
mod mutate;

use std::{
    collections::HashSet,
    env, fs,
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use mutate::Mutator;

/// What an input may allocate at most: so much, and so many times its length.
const FREE_BYTES: usize = 24 << 20; // an lz4 frame has buffers of 13 MiB
const BYTES_PER_BYTE: usize = 192;
/// How long an input may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// Longest file to begin with, and longest input to keep for the corpus.
const MAX_SEED_BYTES: u64 = 16 << 10;
const MAX_KEPT_BYTES: usize = 2 << 10;

/// What is fed.
pub(crate) type Reader = fn(&[u8]) -> Result<(), String>;

/// The input that is being read, and since when.
type Watched = Arc<Mutex<Option<(Instant, Vec<u8>)>>>;

/// Runs the reader that the arguments name for so many minutes.
pub(crate) fn run(readers: &[(&str, Reader)], is_fixture: fn(&Path, &str) -> bool) {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let names: Vec<_> = readers.iter().map(|(name, _)| *name).collect();
    let usage = format!("usage: {} MINUTES [SEED]", names.join("|"));
    let (name, minutes) = arguments.first().zip(arguments.get(1)).expect(&usage);
    let seed = arguments.get(2).map_or(1, |seed| seed.parse().expect(&usage));
    let (_, reader) = readers.iter().find(|(known, _)| known == name).expect(&usage);
    let end = Instant::now() + Duration::from_secs_f64(minutes.parse::<f64>().expect(&usage) * 60.0);
    panic::set_hook(Box::new(|_| {}));
    Run::new(name, (*reader, seeds(name, is_fixture)), seed).until(end);
}

/// One run of the fuzzer.
struct Run {
    name: String,
    reader: Reader,
    pool: Vec<Vec<u8>>,
    messages: HashSet<String>,
    mutator: Mutator,
    watched: Watched,
    findings: usize,
}

impl Run {
    fn new(name: &str, (reader, pool): (Reader, Vec<Vec<u8>>), seed: u64) -> Self {
        let watched = Arc::new(Mutex::new(None));
        watch(name.to_owned(), Arc::clone(&watched));
        Self {
            name: name.to_owned(),
            reader,
            pool,
            messages: HashSet::new(),
            mutator: Mutator::new(seed),
            watched,
            findings: 0,
        }
    }

    fn until(mut self, end: Instant) {
        println!("{} files to begin with", self.pool.len());
        for input in self.pool.clone() {
            self.execute(&input);
        }
        let (mut executions, start) = (0u64, Instant::now());
        while Instant::now() < end {
            let input = self.mutator.mutate(&self.pool);
            if self.execute(&input) {
                self.keep(input);
            }
            executions += 1;
        }
        println!(
            "{}: {executions} executions in {:.0} s, {} different messages, {} findings",
            self.name,
            start.elapsed().as_secs_f64(),
            self.messages.len(),
            self.findings
        );
    }

    /// Runs an input and tells whether its message is new.
    fn execute(&mut self, input: &[u8]) -> bool {
        let start = Instant::now();
        *self.watched.lock().unwrap() = Some((start, input.to_vec()));
        allocator::reset();
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| (self.reader)(input)));
        let allocated = allocator::peak();
        *self.watched.lock().unwrap() = None;
        if start.elapsed() > PATIENCE && self.is_slow_again(input) {
            self.report("slow", input, &format!("{:?}", start.elapsed()));
        }
        if allocated > FREE_BYTES + BYTES_PER_BYTE * input.len() {
            self.report("memory", input, &format!("{allocated} bytes for {}", input.len()));
        }
        let Ok(outcome) = outcome else {
            self.report("panic", input, "panicked");
            return false;
        };
        self.messages.insert(outline(&outcome.err().unwrap_or_default()))
    }

    fn is_slow_again(&self, input: &[u8]) -> bool {
        let start = Instant::now();
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| (self.reader)(input)));
        outcome.is_err() || start.elapsed() > PATIENCE
    }

    fn keep(&mut self, input: Vec<u8>) {
        let folder = Path::new("target/fuzz").join(&self.name);
        if input.len() <= MAX_KEPT_BYTES {
            save(&folder, "kept", &input);
        }
        if self.pool.len() < 4000 {
            self.pool.push(input);
        }
    }

    fn report(&mut self, kind: &str, input: &[u8], detail: &str) {
        self.findings += 1;
        if self.findings <= 20 {
            let path = save(&corpus(&self.name), kind, input);
            println!("FINDING {kind}: {detail}: {}", path.display());
        }
    }
}

/// The message without the names and numbers in it, which come from the input.
fn outline(message: &str) -> String {
    let quotes = ['`', '"'];
    let before = message.split(quotes).next().unwrap_or_default();
    let after = message.rsplit(quotes).next().filter(|_| !message.contains('…')).unwrap_or_default();
    before.chars().chain(after.chars()).filter(|c| !c.is_ascii_digit()).collect()
}

/// Ends the program when an input hangs, and keeps that input. It counts its own rounds, so that a
/// machine that was asleep is not taken for an input that hangs.
fn watch(name: String, watched: Watched) {
    thread::spawn(move || {
        let mut seen = (None, 0);
        loop {
            thread::park_timeout(Duration::from_secs(1));
            let current = watched.lock().unwrap().clone();
            seen = if current == seen.0 { (current, seen.1 + 1) } else { (current, 0) };
            if let (Some((_, input)), 20..) = &seen {
                let path = save(&corpus(&name), "hang", input);
                println!("FINDING hang: {}", path.display());
                std::process::exit(1);
            }
        }
    });
}

fn corpus(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name)
}

fn save(folder: &Path, kind: &str, input: &[u8]) -> PathBuf {
    fs::create_dir_all(folder).unwrap();
    let hash = input
        .iter()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    let path = folder.join(format!("{kind}-{hash:016x}"));
    fs::write(&path, input).unwrap();
    path
}

/// Fixtures of the format and the corpus.
fn seeds(name: &str, is_fixture: fn(&Path, &str) -> bool) -> Vec<Vec<u8>> {
    let (mut files, mut own) = (Vec::new(), Vec::new());
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures"), &mut files);
    files.retain(|path| is_fixture(path, name));
    collect(&corpus(name), &mut own);
    files.append(&mut own);
    files.retain(|path| path.metadata().unwrap().len() <= MAX_SEED_BYTES);
    files.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}
