//! Reads the binary format, which XGBoost wrote until 3.0 and many `model.bst` files are in.
//!
//! Little-endian structures one after the other: learner parameters, names of objective and
//! booster, parameters of the trees, the trees, and the output each tree adds to. What follows
//! (attributes) does not matter to predictions.

use super::{
    Error,
    model::{BaseScore, Model, RawNode, Trees, Version, check_booster, check_leaf_size},
};

const LEARNER_BYTES: usize = 136;
const TREES_BYTES: usize = 160;
const TREE_BYTES: usize = 148;
const NODE_BYTES: usize = 20;
const STATISTICS_BYTES: usize = 16;
/// Longest name of an objective or a booster.
const MAX_NAME_BYTES: u64 = 256;

/// Set in a split's feature where missing values go left.
const DEFAULT_LEFT: u32 = 1 << 31;

/// Whether the names of an objective and a booster stand where this format has them. It has no mark
/// that every version wrote.
pub(super) fn is_legacy(bytes: &[u8]) -> bool {
    let mut reader = Reader::new(bytes);
    reader.take(LEARNER_BYTES).is_ok() && reader.name().is_ok() && reader.name().is_ok()
}

/// Reads a model.
pub(crate) fn parse(bytes: &[u8]) -> Result<Model, Error> {
    let mut reader = Reader::new(bytes);
    let learner = Learner::read(&mut reader)?;
    let objective = reader.name()?;
    let booster = reader.name()?;
    check_booster(&booster)?;
    let (trees, tree_groups) = read_trees(&mut reader)?;
    Ok(Model {
        version: learner.version(),
        booster,
        objective,
        base_score: learner.base_score(),
        features: learner.features,
        feature_names: None,
        groups: learner.groups,
        trees,
        tree_groups,
    })
}

#[derive(Debug)]
struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    /// A reader behind the mark `binf`, which not every file has.
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes: bytes.strip_prefix(b"binf").unwrap_or(bytes), position: 0 }
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Error> {
        let taken = self.bytes[self.position..].get(..len);
        let taken = taken.ok_or(Error::Truncated { offset: self.bytes.len() })?;
        self.position += len;
        Ok(taken)
    }

    /// `count` structures of `size` bytes.
    fn structures(&mut self, count: usize, size: usize) -> Result<&'a [u8], Error> {
        let len = count.checked_mul(size).ok_or(Error::Truncated { offset: self.bytes.len() })?;
        self.take(len)
    }

    /// A short text after its length.
    fn name(&mut self) -> Result<String, Error> {
        let (len, _) = self.take(8)?.split_first_chunk().ok_or_else(no_model)?;
        let len = u64::from_le_bytes(*len);
        if len > MAX_NAME_BYTES {
            return Err(no_model());
        }
        let text = std::str::from_utf8(self.take(usize::try_from(len).unwrap_or(usize::MAX))?);
        let text = text.ok().filter(|text| text.chars().all(|c| c.is_ascii_graphic()));
        text.map(ToOwned::to_owned).ok_or_else(no_model)
    }
}

/// Anything may be taken for this format, since it has no mark of its own.
fn no_model() -> Error {
    Error::UnknownFormat { hint: "" }
}

/// The 32-bit word at an index of a structure.
fn word(structure: &[u8], index: usize) -> u32 {
    let bytes = structure.get(index * 4..).and_then(|rest| rest.first_chunk());
    bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

fn float(structure: &[u8], index: usize) -> f32 {
    f32::from_bits(word(structure, index))
}

fn integer(structure: &[u8], index: usize) -> i32 {
    i32::from_le_bytes(word(structure, index).to_le_bytes())
}

/// A count, which must not be negative.
fn count(structure: &[u8], index: usize) -> Result<usize, Error> {
    usize::try_from(integer(structure, index)).map_err(|_| no_model())
}

#[derive(Debug)]
struct Learner {
    base_score: f32,
    features: usize,
    groups: usize,
    major: u32,
    minor: u32,
}

impl Learner {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let structure = reader.take(LEARNER_BYTES).map_err(|_| no_model())?;
        let (classes, targets) = (count(structure, 2)?, count(structure, 7)?);
        Ok(Self {
            base_score: float(structure, 0),
            features: count(structure, 1)?,
            groups: classes.max(targets).max(1),
            major: word(structure, 5),
            minor: word(structure, 6),
        })
    }

    /// Before 1.0 no version was written.
    fn version(&self) -> Option<Version> {
        let Self { major, minor, .. } = *self;
        (major > 0).then_some(Version { major, minor, patch: None })
    }

    /// Before 1.0 the base score was written as the margin it becomes.
    fn base_score(&self) -> BaseScore {
        if self.major > 0 { BaseScore::Score(vec![self.base_score]) } else { BaseScore::Margin(vec![self.base_score]) }
    }
}

fn read_trees(reader: &mut Reader<'_>) -> Result<(Trees, Vec<i64>), Error> {
    let structure = reader.take(TREES_BYTES)?;
    let tree_count = count(structure, 0)?;
    let mut trees = Trees::new();
    for _ in 0..tree_count {
        read_tree(reader, &mut trees)?;
    }
    let groups = reader.structures(tree_count, 4)?;
    let groups = (0..tree_count).map(|tree| i64::from(integer(groups, tree))).collect();
    Ok((trees, groups))
}

fn read_tree(reader: &mut Reader<'_>, trees: &mut Trees) -> Result<(), Error> {
    let structure = reader.take(TREE_BYTES)?;
    let (roots, nodes, leaf_size) = (integer(structure, 0), count(structure, 1)?, integer(structure, 5));
    if roots != 1 {
        return Err(Error::malformed(format!("tree {} has {roots} roots", trees.len())));
    }
    check_leaf_size(i64::from(leaf_size))?;
    let node_bytes = reader.structures(nodes, NODE_BYTES)?;
    reader.structures(nodes, STATISTICS_BYTES)?;
    trees.add(nodes, |node| read_node(&node_bytes[node * NODE_BYTES..][..NODE_BYTES]))
}

/// A node is parent, left child, right child, feature, value.
fn read_node(structure: &[u8]) -> RawNode {
    let feature = word(structure, 3);
    RawNode {
        left: i64::from(integer(structure, 1)),
        right: i64::from(integer(structure, 2)),
        feature: feature & !DEFAULT_LEFT,
        value: float(structure, 4),
        is_default_left: feature & DEFAULT_LEFT != 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_model_are_told_from_a_model_that_is_cut_off() {
        assert!(matches!(parse(b"no model"), Err(Error::UnknownFormat { .. })));
        assert!(matches!(parse(&[0x41; 4096]), Err(Error::UnknownFormat { .. })));
        let mut head = vec![0; LEARNER_BYTES];
        for name in ["binary:logistic", "gbtree"] {
            head.extend((name.len() as u64).to_le_bytes());
            head.extend(name.as_bytes());
        }
        assert!(matches!(parse(&head), Err(Error::Truncated { .. })));
    }
}
