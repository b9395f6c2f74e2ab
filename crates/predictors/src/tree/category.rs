//! Sets of categories, by which a split may send a value left.

use super::Error;

/// A set may span so many times the words that its categories would take as a list.
const MAX_SPREAD: usize = 4;
const FREE_WORDS: usize = 16;
const BITS: u32 = u32::BITS;

/// Names a set of [`CategorySets`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SetId(pub(super) u32);

/// Sets of categories, one after the other.
#[derive(Debug)]
pub(crate) struct CategorySets {
    /// Numbers up to this one are in no set.
    above: f64,
    sets: Vec<Set>,
    words: Vec<u32>,
}

/// One set: a bit for each category from `first` on, or where these are few and far between, a
/// sorted list.
#[derive(Debug, Clone, Copy)]
struct Set {
    start: u32,
    len: u32,
    first: u32,
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Bits,
    List,
}

/// Numbers that are categories once they are cut to integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// From 0 on, as XGBoost has it.
    NotNegative,
    /// Above -1, for what is cut towards zero: `LightGBM`.
    TowardsZero,
}

impl CategorySets {
    pub(crate) fn new(cut: Cut) -> Self {
        let above = if cut == Cut::TowardsZero { -1.0 } else { -f64::from_bits(1) };
        Self { above, sets: Vec::new(), words: Vec::new() }
    }

    /// Adds a set in the form of bits, the lowest of the first word for category 0.
    pub(crate) fn add_bits(&mut self, words: impl IntoIterator<Item = u32>) -> Result<SetId, Error> {
        let start = self.words.len();
        self.words.extend(words);
        self.push(start, 0, Form::Bits)
    }

    /// Adds a set of these categories, in any order.
    pub(crate) fn add(&mut self, mut categories: Vec<u32>) -> Result<SetId, Error> {
        categories.sort_unstable();
        categories.dedup();
        let start = self.words.len();
        let (first, last) = (categories.first().copied().unwrap_or(0), categories.last().copied().unwrap_or(0));
        let words = ((last - first) / BITS) as usize + 1;
        if words > categories.len() * MAX_SPREAD + FREE_WORDS {
            self.words.extend(categories);
            return self.push(start, first, Form::List);
        }
        self.words.resize(start + words, 0);
        for category in categories {
            let bit = category - first;
            self.words[start + (bit / BITS) as usize] |= 1 << (bit % BITS);
        }
        self.push(start, first, Form::Bits)
    }

    fn push(&mut self, start: usize, first: u32, form: Form) -> Result<SetId, Error> {
        let index = |place: usize| u32::try_from(place).map_err(|_| Error::TooManyNodes);
        let set = Set { start: index(start)?, len: index(self.words.len() - start)?, first, form };
        let id = SetId(index(self.sets.len())?);
        self.sets.push(set);
        Ok(id)
    }

    /// Whether the number, cut to an integer, is in the set. What is negative or beyond 31
    /// bits is in none.
    pub(super) fn contains(&self, SetId(id): SetId, value: f64) -> bool {
        if !(value > self.above && value <= f64::from(i32::MAX)) {
            return false;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range")]
        let category = value as u32;
        let set = &self.sets[id as usize];
        let words = &self.words[set.start as usize..][..set.len as usize];
        match set.form {
            Form::List => words.binary_search(&category).is_ok(),
            Form::Bits => {
                let bit = category.checked_sub(set.first);
                let word = |bit: u32| words.get((bit / BITS) as usize).map(|word| word >> (bit % BITS) & 1);
                bit.and_then(word) == Some(1)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(categories: &[u32], absent: &[f64]) {
        let mut sets = CategorySets::new(Cut::TowardsZero);
        sets.add(vec![3]).unwrap();
        let id = sets.add(categories.to_vec()).unwrap();
        for category in categories {
            assert!(sets.contains(id, f64::from(*category)), "{category}");
            assert!(sets.contains(id, f64::from(*category) + 0.5), "{category}");
        }
        for value in absent {
            assert!(!sets.contains(id, *value), "{value}");
        }
    }

    #[test]
    fn sets_hold_their_categories_and_no_others() {
        let outside = [-1.0, -7.0, 1e10, -1e10, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
        check(&[], &[0.0, 1.0]);
        check(&[5, 0, 40, 5], &[1.0, 4.0, 6.0, 39.0, 41.0]);
        check(&[1000], &[0.0, 999.0, 1001.0, 1032.0]);
        check(&[7, 1 << 24], &[0.0, 8.0, 1e6]);
        check(&[0, 5], &outside);
        check(&[1, 1 << 24], &outside);
    }

    #[test]
    fn a_set_of_few_categories_takes_little_memory_however_far_apart_they_are() {
        let mut sets = CategorySets::new(Cut::TowardsZero);
        sets.add(vec![0, i32::MAX as u32]).unwrap();
        sets.add(vec![i32::MAX as u32]).unwrap();
        assert_eq!(sets.words.len(), 3);
    }

    #[test]
    fn a_fraction_below_zero_is_a_category_only_for_those_who_cut_it() {
        for (cut, is_in) in [(Cut::NotNegative, false), (Cut::TowardsZero, true)] {
            let mut sets = CategorySets::new(cut);
            let id = sets.add(vec![0]).unwrap();
            assert_eq!(sets.contains(id, -0.5), is_in);
            assert!(sets.contains(id, -0.0) && !sets.contains(id, -1.0));
        }
    }

    #[test]
    fn bits_are_counted_from_the_lowest() {
        let mut sets = CategorySets::new(Cut::TowardsZero);
        let id = sets.add_bits([0b10, 1]).unwrap();
        let found: Vec<_> = (0..100u32).filter(|value| sets.contains(id, f64::from(*value))).collect();
        assert_eq!(found, [1, 32]);
    }
}
