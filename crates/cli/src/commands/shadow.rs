//! `provost shadow`.

use provost_api::rest::v1::changes::{PredictorChange, PredictorRole::Shadow};

use super::{
    change::{ChangeArguments, ChosenArguments},
    new_predictor::NewPredictorArguments,
};
use crate::failure::Failure;

/// Add, promote and remove shadows.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Add a shadow: a copy of the main predictor that serves another model.
    Add(AddArguments),
    /// Let a shadow take all the traffic; the predictor that was the main one goes.
    Promote(ChosenArguments),
    /// Remove a shadow.
    Remove(ChosenArguments),
}

#[derive(Debug, clap::Args)]
struct AddArguments {
    #[command(flatten)]
    change: ChangeArguments,
    #[command(flatten)]
    predictor: NewPredictorArguments,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments.command {
        Command::Add(AddArguments { change, predictor }) => {
            change.run(&PredictorChange::Add(predictor.into_new(Shadow, None)?)).await
        }
        Command::Promote(chosen) => chosen.run(Shadow, PredictorChange::Promote).await,
        Command::Remove(chosen) => chosen.run(Shadow, PredictorChange::Remove).await,
    }
}
