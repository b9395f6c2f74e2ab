//! The way through a tree from outside: each node once, none that is not there.

use super::Error;

/// A node that is to be laid out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pending {
    pub(super) source: usize,
    pub(super) place: usize,
    depth: u32,
}

/// Goes through a tree whose nodes are told one by one.
#[derive(Debug)]
pub(super) struct Traversal {
    reached: Vec<bool>,
    pending: Vec<Pending>,
    deepest: u32,
}

impl Traversal {
    /// The way through a tree of `count` nodes, of which the first is the root and laid out at `root`.
    pub(super) fn new(count: usize, root: usize) -> Self {
        let pending = vec![Pending { source: 0, place: root, depth: 0 }];
        Self { reached: vec![false; count], pending, deepest: 0 }
    }

    /// The next node to lay out; none where all are.
    pub(super) fn next(&mut self) -> Result<Option<Pending>, Error> {
        let Some(next) = self.pending.pop() else { return Ok(None) };
        if std::mem::replace(&mut self.reached[next.source], true) {
            return Err(Error::ReachedTwice { node: next.source });
        }
        self.deepest = self.deepest.max(next.depth);
        Ok(Some(next))
    }

    /// The children of a node, which must be there.
    pub(super) fn children(&self, node: usize, children: [i64; 2]) -> Result<[usize; 2], Error> {
        let count = self.reached.len();
        let child = |child: i64| {
            let known = usize::try_from(child).ok().filter(|child| *child < count);
            known.ok_or(Error::ChildOutOfRange { node, child, count })
        };
        Ok([child(children[0])?, child(children[1])?])
    }

    /// Goes on with the children of a node, which are laid out side by side from `place` on; with the left one first.
    pub(super) fn descend(&mut self, at: Pending, [left, right]: [usize; 2], place: usize) {
        let depth = at.depth + 1;
        let right = Pending { source: right, place: place + 1, depth };
        self.pending.extend([right, Pending { source: left, place, depth }]);
    }

    /// Steps from the root to the deepest leaf so far.
    pub(super) fn deepest(&self) -> u32 {
        self.deepest
    }
}
