//! States in Seldon's words, as they stand in a status.

use provost_domain::plan::State;

/// Serves as desired.
pub(crate) const AVAILABLE: &str = State::Available.as_str();
/// On its way.
pub(crate) const CREATING: &str = State::Creating.as_str();
/// Needs a person.
pub(crate) const FAILED: &str = State::Failed.as_str();

/// The state that a word is for.
pub(crate) fn state(word: &str) -> Option<State> {
    [State::Available, State::Creating, State::Failed].into_iter().find(|state| state.as_str() == word)
}
