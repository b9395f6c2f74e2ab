//! Reads the binary format, which XGBoost wrote until 3.0 and many `model.bst` files are in.
//!
//! Little-endian structures one after the other: learner parameters, names of objective and
//! booster; parameters of the trees, the trees, the output each tree adds to, and the trees' weights
//! in `dart`; or the weights of `gblinear`; then attributes.

use super::{
    Error,
    booster_kind::BoosterKind,
    model::{BaseScore, Model, Scores, Version},
    trees::{Ensemble, RawNode, RawTree, Trees},
};

const LEARNER_BYTES: usize = 136;
const TREES_BYTES: usize = 160;
const TREE_BYTES: usize = 148;
const NODE_BYTES: usize = 20;
const STATISTICS_BYTES: usize = 16;
const LINEAR_BYTES: usize = 136;
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
    let scores = match BoosterKind::parse(&booster)? {
        BoosterKind::Linear => {
            reader.take(LINEAR_BYTES)?;
            Scores::Weights(reader.floats()?)
        }
        kind => Scores::Trees(Box::new(read_trees(&mut reader, kind)?)),
    };
    Ok(Model {
        version: learner.version(),
        booster,
        objective,
        base_score: learner.base_score(),
        features: learner.features,
        feature_names: None,
        categorical: Vec::new(),
        groups: learner.groups,
        scores,
        best_iteration: if learner.has_attributes { reader.best_iteration() } else { None },
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

    /// Floats after their number.
    fn floats(&mut self) -> Result<Vec<f32>, Error> {
        let count = usize::try_from(self.length()?).unwrap_or(usize::MAX);
        let (floats, _) = self.structures(count, 4)?.as_chunks::<4>();
        Ok(floats.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
    }

    fn length(&mut self) -> Result<u64, Error> {
        let (len, _) = self.take(8)?.split_first_chunk().ok_or_else(no_model)?;
        Ok(u64::from_le_bytes(*len))
    }

    /// The attribute of that name. A file that is cut off among its attributes has none.
    fn best_iteration(&mut self) -> Option<usize> {
        for _ in 0..self.length().ok()? {
            let (key, value) = (self.text().ok()?, self.text().ok()?);
            if key == b"best_iteration" {
                return std::str::from_utf8(value).ok()?.parse().ok();
            }
        }
        None
    }

    fn text(&mut self) -> Result<&'a [u8], Error> {
        let len = usize::try_from(self.length()?).unwrap_or(usize::MAX);
        self.take(len)
    }

    /// A short text after its length.
    fn name(&mut self) -> Result<String, Error> {
        let len = self.length()?;
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
    has_attributes: bool,
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
            has_attributes: word(structure, 3) != 0,
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

fn read_trees(reader: &mut Reader<'_>, kind: BoosterKind) -> Result<Ensemble, Error> {
    let structure = reader.take(TREES_BYTES)?;
    let tree_count = count(structure, 0)?;
    let parallel_trees = count(structure, 1)?;
    let mut trees = Trees::new();
    for _ in 0..tree_count {
        trees.add(&LegacyTree::read(reader, trees.len())?)?;
    }
    let groups = reader.structures(tree_count, 4)?;
    let tree_groups = (0..tree_count).map(|tree| i64::from(integer(groups, tree))).collect();
    let has_weights = kind == BoosterKind::Dart && tree_count > 0;
    let weights = has_weights.then(|| reader.floats()).transpose()?;
    Ok(Ensemble { trees, tree_groups, weights, parallel_trees })
}

/// The nodes of one tree.
struct LegacyTree<'a> {
    nodes: &'a [u8],
    leaf_size: usize,
}

impl<'a> LegacyTree<'a> {
    fn read(reader: &mut Reader<'a>, tree: usize) -> Result<Self, Error> {
        let structure = reader.take(TREE_BYTES)?;
        let (roots, nodes, leaf_size) = (integer(structure, 0), count(structure, 1)?, count(structure, 5)?);
        if roots != 1 {
            return Err(Error::malformed(format!("tree {tree} has {roots} roots")));
        }
        let node_bytes = reader.structures(nodes, NODE_BYTES)?;
        reader.structures(nodes, STATISTICS_BYTES)?;
        Ok(Self { nodes: node_bytes, leaf_size })
    }
}

impl RawTree for LegacyTree<'_> {
    fn count(&self) -> usize {
        self.nodes.len() / NODE_BYTES
    }

    fn node(&self, node: usize) -> RawNode {
        read_node(&self.nodes[node * NODE_BYTES..][..NODE_BYTES])
    }

    fn leaf_size(&self) -> usize {
        self.leaf_size
    }
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
