//! `provost canary`.

use provost_api::rest::v1::changes::{NewWeight, PredictorChange, PredictorRole::Canary};

use super::{
    change::{ChangeArguments, ChosenArguments},
    new_predictor::NewPredictorArguments,
};
use crate::failure::Failure;

/// Add, weigh, promote and remove canaries.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Add a canary: a copy of the main predictor that serves another model.
    Add(AddArguments),
    /// Give a canary a share of the traffic; the main predictor gets what is left.
    Weight(WeightArguments),
    /// Let a canary take all the traffic; the predictor that was the main one goes.
    Promote(ChosenArguments),
    /// Remove a canary; the main predictor gets its share.
    Remove(ChosenArguments),
}

#[derive(Debug, clap::Args)]
struct AddArguments {
    #[command(flatten)]
    change: ChangeArguments,
    #[command(flatten)]
    predictor: NewPredictorArguments,
    /// Share of the traffic in percent; without, that in the file, else 10.
    #[arg(short, long, value_name = "PERCENT", value_parser = percent())]
    weight: Option<i32>,
}

#[derive(Debug, clap::Args)]
struct WeightArguments {
    #[command(flatten)]
    change: ChangeArguments,
    /// Share of the traffic in percent.
    #[arg(value_name = "PERCENT", value_parser = percent())]
    weight: i32,
    /// Which canary, where there are several.
    #[arg(short, long, value_name = "NAME")]
    predictor: Option<String>,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments.command {
        Command::Add(AddArguments { change, predictor, weight }) => {
            change.run(&PredictorChange::Add(predictor.into_new(Canary, weight)?)).await
        }
        Command::Weight(WeightArguments { change, weight, predictor }) => {
            change.run(&PredictorChange::Weight(NewWeight { predictor, weight })).await
        }
        Command::Promote(chosen) => chosen.run(Canary, PredictorChange::Promote).await,
        Command::Remove(chosen) => chosen.run(Canary, PredictorChange::Remove).await,
    }
}

/// Reads a share of the traffic.
fn percent() -> clap::builder::RangedI64ValueParser<i32> {
    clap::value_parser!(i32).range(0..=100)
}
