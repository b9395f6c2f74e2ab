//! The names a model file may use. Every other name is refused.
//!
//! Nothing here is ever imported or called: a name on the list is a label that a reader of records
//! understands, or one that may stand in parts of a model which do not matter to its predictions.

use crate::{estimators, shown::shown};

use super::value::Name;

/// A module, or several spellings of one, and the names allowed in it.
type Allowed = (&'static [&'static str], &'static [&'static str]);

const ALLOWED: &[Allowed] = &[
    // Python itself. Python 2 calls its built-ins `__builtin__`.
    (
        &["builtins", "__builtin__"],
        &[
            "object",
            "set",
            "frozenset",
            "bytes",
            "bytearray",
            "complex",
            "slice",
            "range",
            "xrange",
            "list",
            "dict",
            "tuple",
            "int",
            "long",
            "float",
            "bool",
            "str",
            "unicode",
        ],
    ),
    (&["copyreg", "copy_reg"], &["_reconstructor"]),
    (&["_codecs"], &["encode"]),
    (&["collections"], &["OrderedDict", "defaultdict"]),
    // NumPy; version 2 moved its core.
    (
        &["numpy"],
        &[
            "ndarray", "memmap", "dtype", "float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8",
            "uint16", "uint32", "uint64", "bool_", "bool", "object_", "str_",
        ],
    ),
    (&["numpy.core.multiarray", "numpy._core.multiarray"], &["_reconstruct", "scalar"]),
    (&["numpy.core.numeric", "numpy._core.numeric"], &["_frombuffer"]),
    // Random generators are kept in models and mean nothing to predictions.
    (
        &["numpy.random._pickle", "numpy.random"],
        &["__randomstate_ctor", "__RandomState_ctor", "__bit_generator_ctor", "__generator_ctor"],
    ),
    (&["numpy.random._mt19937"], &["MT19937"]),
    (&["numpy.random._pcg64"], &["PCG64"]),
    (&["numpy.random.bit_generator"], &["SeedSequence", "__pyx_unpickle_SeedSequence"]),
    (&["joblib.numpy_pickle", "sklearn.externals.joblib.numpy_pickle"], &["NumpyArrayWrapper"]),
    // The classes of estimators are in `estimators`.
    (&["sklearn.tree._tree"], &["Tree"]),
    // Tests by which features were chosen, whose outcome is in the model.
    (
        &[
            "sklearn.feature_selection.univariate_selection",
            "sklearn.feature_selection._univariate_selection",
            "sklearn.feature_selection.mutual_info_",
            "sklearn.feature_selection._mutual_info",
        ],
        &["f_classif", "f_regression", "r_regression", "chi2", "mutual_info_classif", "mutual_info_regression"],
    ),
    // Trees for faster search, and their distances. The points themselves are in the model too.
    (&["sklearn.neighbors.kd_tree", "sklearn.neighbors._kd_tree"], &["KDTree", "KDTree64", "KDTree32", "newObj"]),
    (
        &["sklearn.neighbors.ball_tree", "sklearn.neighbors._ball_tree"],
        &["BallTree", "BallTree64", "BallTree32", "newObj"],
    ),
    (
        &["sklearn.neighbors.dist_metrics", "sklearn.neighbors._dist_metrics", "sklearn.metrics._dist_metrics"],
        &[
            "EuclideanDistance",
            "EuclideanDistance64",
            "ManhattanDistance",
            "ManhattanDistance64",
            "ChebyshevDistance",
            "ChebyshevDistance64",
            "MinkowskiDistance",
            "MinkowskiDistance64",
            "newObj",
        ],
    ),
    // What searches and others keep of how they went.
    (&["numpy.ma", "numpy.ma.core"], &["MaskedArray", "_mareconstruct"]),
    (&["sklearn.utils", "sklearn.utils._bunch"], &["Bunch"]),
    (&["sklearn.utils.deprecation"], &["DeprecationDict"]),
    (&["builtins"], &["FutureWarning"]),
    (&["sklearn.utils._metadata_requests"], &["MetadataRequest", "MethodMetadataRequest"]),
    (
        &["sklearn.metrics.scorer", "sklearn.metrics._scorer"],
        &["_passthrough_scorer", "_PassthroughScorer", "_PredictScorer", "_ProbaScorer", "_ThresholdScorer", "_Scorer"],
    ),
    (
        &["sklearn.model_selection._split"],
        &[
            "KFold",
            "GroupKFold",
            "StratifiedKFold",
            "RepeatedKFold",
            "RepeatedStratifiedKFold",
            "ShuffleSplit",
            "StratifiedShuffleSplit",
            "TimeSeriesSplit",
        ],
    ),
    (&["sklearn.neural_network._stochastic_optimizers"], &["AdamOptimizer", "SGDOptimizer"]),
    (
        &["sklearn.ensemble.gradient_boosting", "sklearn.ensemble._gb_losses"],
        &[
            "BinomialDeviance",
            "MultinomialDeviance",
            "ExponentialLoss",
            "LeastSquaresError",
            "LeastAbsoluteError",
            "HuberLossFunction",
            "QuantileLossFunction",
        ],
    ),
    // Losses are kept in models. What matters of them, their estimator's attributes tell.
    (
        &["sklearn.linear_model.sgd_fast", "sklearn.linear_model._sgd_fast"],
        &[
            "Hinge",
            "SquaredHinge",
            "Log",
            "ModifiedHuber",
            "Huber",
            "SquaredLoss",
            "EpsilonInsensitive",
            "SquaredEpsilonInsensitive",
        ],
    ),
    (
        &["sklearn._loss.glm_distribution"],
        &[
            "DistributionBoundary",
            "NormalDistribution",
            "PoissonDistribution",
            "GammaDistribution",
            "TweedieDistribution",
        ],
    ),
    (
        &["sklearn.linear_model._glm.link", "sklearn._loss.link"],
        &["IdentityLink", "LogLink", "LogitLink", "HalfLogitLink", "MultinomialLogit", "Interval"],
    ),
    (
        &["sklearn._loss.loss"],
        &[
            "HalfPoissonLoss",
            "HalfGammaLoss",
            "HalfTweedieLoss",
            "HalfTweedieLossIdentity",
            "HalfBinomialLoss",
            "HalfMultinomialLoss",
            "HalfSquaredError",
            "AbsoluteError",
            "ExponentialLoss",
            "HuberLoss",
            "PinballLoss",
        ],
    ),
    (
        &["sklearn._loss._loss", "_loss"],
        &[
            "CyHalfPoissonLoss",
            "CyHalfGammaLoss",
            "CyHalfTweedieLoss",
            "CyHalfTweedieLossIdentity",
            "CyHalfBinomialLoss",
            "CyHalfMultinomialLoss",
            "CyHalfSquaredError",
            "CyAbsoluteError",
            "CyExponentialLoss",
            "CyHuberLoss",
            "CyPinballLoss",
            "__pyx_unpickle_CyHalfMultinomialLoss",
            "__pyx_unpickle_CyHalfSquaredError",
            "__pyx_unpickle_CyAbsoluteError",
            "__pyx_unpickle_CyExponentialLoss",
            "__pyx_unpickle_CyHuberLoss",
            "__pyx_unpickle_CyPinballLoss",
            "__pyx_unpickle_CyHalfPoissonLoss",
            "__pyx_unpickle_CyHalfGammaLoss",
            "__pyx_unpickle_CyHalfTweedieLoss",
            "__pyx_unpickle_CyHalfTweedieLossIdentity",
            "__pyx_unpickle_CyHalfBinomialLoss",
        ],
    ),
    // What classifiers of XGBoost and LightGBM keep their labels in.
    (&["xgboost.compat"], &["XGBoostLabelEncoder"]),
    (&["sklearn.preprocessing.label", "sklearn.preprocessing._label"], &["LabelEncoder"]),
];

/// Forms of joblib older than 0.10, which deserve their own message.
const ANCIENT_JOBLIB: [&str; 2] = ["NDArrayWrapper", "ZNDArrayWrapper"];

impl Name {
    pub(crate) fn is(&self, modules: &[&str], name: &str) -> bool {
        *self.name == *name && modules.contains(&&*self.module)
    }

    pub(super) fn is_allowed(&self) -> bool {
        let is_listed = |(modules, names): &Allowed| modules.contains(&&*self.module) && names.contains(&&*self.name);
        ALLOWED.iter().any(is_listed) || estimators::find_class(&self.module, &self.name).is_some()
    }

    pub(super) fn is_ancient_joblib(&self) -> bool {
        self.module.ends_with("joblib.numpy_pickle") && ANCIENT_JOBLIB.contains(&&*self.name)
    }

    pub(super) fn is_array_wrapper(&self) -> bool {
        self.is(&["joblib.numpy_pickle", "sklearn.externals.joblib.numpy_pickle"], "NumpyArrayWrapper")
    }

    /// `module.name`, safe to show: control characters are escaped and length is bounded.
    pub(crate) fn display(&self) -> String {
        shown(&format!("{}.{}", self.module, self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(module: &str, name: &str) -> Name {
        Name { module: module.into(), name: name.into() }
    }

    #[test]
    fn functions_that_run_things_are_not_allowed() {
        for (module, function) in [("os", "system"), ("posix", "system"), ("builtins", "eval"), ("builtins", "getattr")]
        {
            assert!(!name(module, function).is_allowed(), "{module}.{function}");
        }
    }
}
