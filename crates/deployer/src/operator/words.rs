//! States in Seldon's words, as they stand in a status.

use provost_domain::plan::State;

/// Serves as desired.
pub(crate) const AVAILABLE: &str = "Available";
/// On its way.
pub(crate) const CREATING: &str = "Creating";
/// Needs a person.
pub(crate) const FAILED: &str = "Failed";

/// The word of a state.
pub(crate) fn word(state: State) -> &'static str {
    match state {
        State::Available => AVAILABLE,
        State::Creating => CREATING,
        State::Failed => FAILED,
    }
}

/// The state that a word is for.
pub(crate) fn state(word: &str) -> Option<State> {
    [State::Available, State::Creating, State::Failed].into_iter().find(|state| self::word(*state) == word)
}
