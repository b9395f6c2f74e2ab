//! What waits to be sent together. Nothing here knows of time: who opened a batch closes it.

/// Requests that wait.
#[derive(Debug)]
pub(super) struct Gathering<T> {
    /// Most rows of a batch, but for a single request with more.
    most: usize,
    members: Vec<T>,
    rows: usize,
    /// Tells one batch from the next.
    number: u64,
}

/// What came of a request that joined.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Joined<T> {
    /// Batches that are complete.
    pub(super) full: Vec<Vec<T>>,
    /// The batch that the request opened, which is to be closed in time.
    pub(super) opened: Option<u64>,
}

impl<T> Gathering<T> {
    pub(super) fn new(most: usize) -> Self {
        Self { most, members: Vec::new(), rows: 0, number: 0 }
    }

    /// Adds a request of so many rows. Where it does not fit any more, what waits goes without it.
    pub(super) fn join(&mut self, member: T, rows: usize) -> Joined<T> {
        let mut full = Vec::new();
        if !self.members.is_empty() && self.rows.saturating_add(rows) > self.most {
            full.push(self.take());
        }
        self.members.push(member);
        self.rows = self.rows.saturating_add(rows);
        if self.rows >= self.most {
            full.push(self.take());
        }
        let opened = (self.members.len() == 1).then_some(self.number);
        Joined { full, opened }
    }

    /// Closes a batch whose time is up, if it has not gone yet.
    pub(super) fn close(&mut self, number: u64) -> Option<Vec<T>> {
        (self.number == number && !self.members.is_empty()).then(|| self.take())
    }

    fn take(&mut self) -> Vec<T> {
        self.number += 1;
        self.rows = 0;
        std::mem::take(&mut self.members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(full: &[&[char]], opened: Option<u64>) -> Joined<char> {
        Joined { full: full.iter().map(|batch| batch.to_vec()).collect(), opened }
    }

    #[test]
    fn requests_wait_until_there_are_enough_rows() {
        let mut gathering = Gathering::new(4);
        assert_eq!(gathering.join('a', 1), joined(&[], Some(0)));
        assert_eq!(gathering.join('b', 2), joined(&[], None));
        assert_eq!(gathering.join('c', 1), joined(&[&['a', 'b', 'c']], None));
        assert_eq!(gathering.join('d', 1), joined(&[], Some(1)));
    }

    #[test]
    fn what_does_not_fit_is_of_the_next_batch() {
        let mut gathering = Gathering::new(4);
        gathering.join('a', 3);
        assert_eq!(gathering.join('b', 2), joined(&[&['a']], Some(1)));
        assert_eq!(gathering.join('c', 9), joined(&[&['b'], &['c']], None));
        assert_eq!(gathering.join('d', usize::MAX), joined(&[&['d']], None));
    }

    #[test]
    fn a_batch_is_closed_once() {
        let mut gathering = Gathering::new(4);
        let Joined { opened: Some(first), .. } = gathering.join('a', 1) else { panic!("it opens one") };
        assert_eq!(gathering.close(first), Some(vec!['a']));
        assert_eq!(gathering.close(first), None);
        let Joined { opened: Some(second), .. } = gathering.join('b', 1) else { panic!("it opens one") };
        assert_eq!(gathering.join('c', 3), joined(&[&['b', 'c']], None));
        // Another waits since.
        gathering.join('d', 1);
        assert_eq!(gathering.close(second), None);
    }

    #[test]
    fn batches_of_one_do_not_wait() {
        let mut gathering = Gathering::new(1);
        assert_eq!(gathering.join('a', 1), joined(&[&['a']], None));
    }
}
