//! `cargo xtask bench predictors`: our predictors beside the libraries that wrote the models.
//!
//! One thread each, and in turns: the library, then we, for each model in several rounds, so that what
//! else the machine does meets both. Our answers are compared with the library's before they are timed.

mod figures;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context as _, Result};

use self::figures::{Figures, OURS};
use super::{machine, models::hash};
use crate::{
    progress::{Progress, Stage},
    setup::{self, Environment, Tool},
    workspace::Workspace,
};

const SCRIPT: &str = "crates/xtask/bench/predictors.py";
const REQUIREMENTS: &str = "crates/xtask/requirements/predictors.txt";
/// Seconds that a turn takes, guessed.
const TURN: u64 = 8;

/// What can be chosen.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How often everything is measured.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=20))]
    rounds: u64,
    /// Only models whose name contains this.
    #[arg(long)]
    only: Option<String>,
}

/// A model, and how many times faster than its library we want to be.
#[derive(Debug, Clone, Copy)]
struct Model {
    /// Its name in the script.
    name: &'static str,
    title: &'static str,
    wanted: &'static [Wanted],
}

/// At least so many times a library's speed, with so many rows.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    library: &'static str,
    rows: u64,
    times: f64,
}

const fn wanted(library: &'static str, rows: u64, times: f64) -> Wanted {
    Wanted { library, rows, times }
}

/// Of what has no trees.
const ROW_AND_BATCHES: [Wanted; 3] =
    [wanted("scikit-learn", 1, 50.0), wanted("scikit-learn", 1_000, 1.0), wanted("scikit-learn", 10_000, 1.0)];

const MODELS: [Model; 6] = [
    Model {
        name: "rf",
        title: "RandomForest(100)",
        wanted: &[
            wanted("scikit-learn", 1, 50.0),
            wanted("scikit-learn", 1_000, 10.0),
            wanted("onnxruntime", 1_000, 3.0),
        ],
    },
    Model {
        name: "hgb",
        title: "HistGradientBoosting",
        wanted: &[wanted("scikit-learn", 1, 50.0), wanted("scikit-learn", 10_000, 1.0)],
    },
    Model { name: "lgb", title: "LightGBM", wanted: &[wanted("lightgbm", 1, 50.0), wanted("lightgbm", 10_000, 1.0)] },
    Model { name: "xgb", title: "XGBoost", wanted: &[wanted("xgboost", 1, 50.0), wanted("xgboost", 10_000, 1.0)] },
    Model { name: "svc", title: "SVC-RBF", wanted: &ROW_AND_BATCHES },
    Model { name: "knn", title: "KNN", wanted: &ROW_AND_BATCHES },
];

/// `cargo xtask bench predictors`.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    let models: Vec<_> = MODELS.into_iter().filter(|model| is_wanted(model, arguments)).collect();
    let turns = models.len() as u64 * arguments.rounds * TURN;
    let stages = [("models", 90), ("predictors", 240), ("turns", turns)];
    let mut progress = Progress::new(workspace, "bench-predictors", &stages)?;
    let machine = machine::describe();
    let (python, folder) = progress.stage(prepare)?;
    let program = progress.stage(build)?;
    let figures = progress.stage(|stage| {
        let sides = Sides { python: &python, program: &program, folder: &folder };
        sides.measure(stage, &models, arguments.rounds)
    })?;
    println!("\n{}", text(&machine, &figures, arguments.rounds));
    Ok(ExitCode::SUCCESS)
}

fn is_wanted(model: &Model, arguments: &Arguments) -> bool {
    arguments.only.as_ref().is_none_or(|only| model.name.contains(only))
}

/// The libraries, and the folder of the models, which are trained where script or versions changed.
fn prepare(stage: &Stage<'_>) -> Result<(Environment, PathBuf)> {
    setup::ensure(&[Tool::Python], stage)?;
    let python = setup::environment("predictors", REQUIREMENTS, stage)?;
    let read =
        |path| fs::read_to_string(stage.workspace.root.join(path)).with_context(|| format!("cannot read `{path}`"));
    let key = hash(&(read(SCRIPT)? + &read(REQUIREMENTS)?));
    let folder = stage.workspace.kept(&format!("bench/predictors-{key:016x}"))?;
    if !folder.join("models.json").is_file() {
        stage.says("training the models");
        let mut command = script(&python, stage);
        stage.command("train", command.arg("train").arg("--out").arg(&folder))?.success()?;
    }
    Ok((python, folder))
}

fn script(python: &Environment, stage: &Stage<'_>) -> Command {
    let mut command = Command::new(python.python());
    command.arg(stage.workspace.root.join(SCRIPT)).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

fn build(stage: &Stage<'_>) -> Result<PathBuf> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(&stage.workspace.root);
    cargo.args(["build", "--release", "--package", "provost-predictors", "--example", "speed"]);
    stage.command("cargo", &mut cargo)?.success()?;
    Ok(stage.workspace.target.join("release/examples/speed"))
}

/// The libraries and our program, with the models that both load.
#[derive(Debug, Clone, Copy)]
struct Sides<'a> {
    python: &'a Environment,
    program: &'a Path,
    folder: &'a Path,
}

impl Sides<'_> {
    fn measure(self, stage: &Stage<'_>, models: &[Model], rounds: u64) -> Result<Figures> {
        let mut figures = Figures::default();
        for round in 1..=rounds {
            for model in models {
                stage.says(&format!("round {round} of {rounds}: {}", model.title));
                self.turn(stage, *model, &mut figures)?;
            }
        }
        Ok(figures)
    }

    fn turn(self, stage: &Stage<'_>, model: Model, figures: &mut Figures) -> Result<()> {
        let mut theirs = script(self.python, stage);
        theirs.arg("time").arg("--models").arg(self.folder).args(["--only", model.name]);
        let theirs = stage.command(model.name, &mut theirs)?.success()?;
        let mut ours = Command::new(self.program);
        let ours = stage.command(OURS, ours.arg(self.folder).arg(model.name))?.success()?;
        figures.add(model, &theirs)?;
        figures.add(model, &ours)
    }
}

fn text(machine: &str, figures: &Figures, rounds: u64) -> String {
    format!(
        "{machine}. 30 features, two classes, one thread each, {rounds} rounds in turns. CPU time of the shortest call, and in brackets of the \
         median one; each call asks about other rows. {}.\n\n{}{}",
        figures.versions(),
        figures.markdown(),
        figures.refused(),
    )
}
