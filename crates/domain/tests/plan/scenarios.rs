//! Scripts in `scenarios/`: what happens, and after each `plan` the steps that must follow.
//!
//! `desire GENERATION NAME@REVISION=WEIGHT…` (revision `?` while fetched, `!` when that failed, `~` before one that is held back) ·
//! `delete` · `ready NAME@REVISION` · `failed NAME@REVISION [retry MILLIS]` · `restart` (nothing is
//! there any more; the report is) · `now MILLIS` · `plan` (the steps follow as lines with `>` and are
//! executed). With `UPDATE=1` the expected lines are rewritten.

use std::{fmt::Write as _, fs, path::Path};

use provost_domain::{
    RevisionId,
    plan::{Desired, DesiredPredictor, Readiness, Resolution, State, Timestamp},
};

use crate::world::{World, step_line};

fn check(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plan/scenarios").join(name);
    let script = fs::read_to_string(&path).unwrap();
    let played = play(&script);
    #[expect(clippy::disallowed_methods, reason = "asks to rewrite the script; tests have no configuration")]
    if std::env::var("UPDATE").is_ok() {
        return fs::write(&path, &played).unwrap();
    }
    assert!(script == played, "{name} went otherwise:\n{played}\nrun with UPDATE=1 if that is right");
}

/// Plays a script, and gives it back with the steps as they came.
fn play(script: &str) -> String {
    let mut world = World::default();
    let mut played = String::new();
    for line in script.lines().filter(|line| !line.starts_with('>')) {
        writeln!(played, "{line}").unwrap();
        match line.trim() {
            "plan" => played += &plan_and_execute(&mut world),
            "" => {}
            comment if comment.starts_with('#') => {}
            event => happen(&mut world, event),
        }
    }
    played
}

fn plan_and_execute(world: &mut World) -> String {
    let plan = world.plan();
    let mut lines: Vec<String> = plan.steps.iter().map(step_line).collect();
    lines.extend(plan.wake_at.map(|moment| format!("wake at {}", moment.as_millis())));
    if lines.is_empty() {
        lines.push("nothing".to_owned());
    }
    world.execute(plan.steps);
    lines.into_iter().fold(String::new(), |text, line| text + "> " + &line + "\n")
}

fn happen(world: &mut World, event: &str) {
    let words: Vec<&str> = event.split_whitespace().collect();
    match words.as_slice() {
        ["desire", generation, predictors @ ..] => {
            let predictors = predictors.iter().map(|word| desired_predictor(word)).collect();
            world.desired = Desired { generation: generation.parse().unwrap(), predictors };
        }
        ["delete"] => world.desired.predictors.clear(),
        ["ready", revision] => set(world, revision, Readiness::Ready),
        ["failed", revision] => set(world, revision, failed(None)),
        ["failed", revision, "retry", at] => set(world, revision, failed(Some(at.parse().unwrap()))),
        ["restart"] => {
            world.observed.revisions.clear();
            world.observed.routes.clear();
        }
        ["now", millis] => world.now = millis.parse().unwrap(),
        _ => panic!("what is `{event}`?"),
    }
}

fn set(world: &mut World, word: &str, readiness: Readiness) {
    let (predictor, revision) = word.split_once('@').unwrap();
    world.set(predictor, &RevisionId::from(revision), readiness);
}

fn failed(retry_at: Option<u64>) -> Readiness {
    Readiness::Failed {
        reason: "cannot read `model.joblib`".to_owned(),
        retry_at: retry_at.map(Timestamp::from_millis),
    }
}

fn desired_predictor(word: &str) -> DesiredPredictor {
    let (name, rest) = word.split_once('@').unwrap();
    let (revision, weight) = rest.split_once('=').unwrap();
    let revision = match revision {
        "?" => Resolution::Pending,
        "!" => Resolution::Failed { reason: "there is no file `/models/iris`".to_owned() },
        revision => match revision.strip_prefix('~') {
            Some(held) => Resolution::HeldBack {
                revision: RevisionId::from(held),
                state: State::Creating,
                reason: "waiting for the deployment `iris`".to_owned(),
            },
            None => Resolution::Resolved(RevisionId::from(revision)),
        },
    };
    let before = (name == "transformer").then(|| "main".to_owned());
    DesiredPredictor { name: name.to_owned(), weight: weight.parse().unwrap(), revision, before }
}

#[test]
fn a_deployment_is_created() {
    check("creation.txt");
}

#[test]
fn a_deployment_of_which_one_predictor_fails_serves_with_the_others() {
    check("creation_with_one_failing.txt");
}

#[test]
fn a_transformer_and_its_predictor_serve_together() {
    check("transformer.txt");
}

#[test]
fn an_update_keeps_the_version_before_until_the_new_one_is_ready() {
    check("update.txt");
}

#[test]
fn an_update_whose_model_fails_leaves_the_version_before_serving() {
    check("update_that_fails.txt");
}

#[test]
fn a_change_of_weights_is_one_step() {
    check("weights.txt");
}

#[test]
fn a_canary_is_added_promoted_and_removed() {
    check("canary.txt");
}

#[test]
fn a_deleted_deployment_loses_its_routes_before_its_models() {
    check("deletion.txt");
}

#[test]
fn a_restart_loads_everything_again() {
    check("restart.txt");
}

#[test]
fn a_restart_with_one_failing_predictor_serves_with_the_others() {
    check("restart_with_one_failing.txt");
}

#[test]
fn what_calls_others_is_held_back_until_they_are_there() {
    check("held_back.txt");
}

#[test]
fn a_model_that_failed_is_tried_again_when_that_is_due() {
    check("retry.txt");
}
