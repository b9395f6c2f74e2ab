//! The classes of scikit-learn that are read, with the modules in which its versions have kept them.
//!
//! 0.22 gave most modules an underscore.

use super::{Class, SCIKIT_LEARN, Splits, SupportedEstimator};
use crate::{
    Method,
    sklearn::{Composite, Family, Kind, Link, Part, Search, Task, Transformer},
};

const CLASSIFIER: &[Method] = &[Method::PredictProba, Method::Predict];
const REGRESSOR: &[Method] = &[Method::Predict];
const TRANSFORMER: &[Method] = &[Method::Transform];
const ELIMINATOR: &[Method] = &[Method::PredictProba, Method::Predict, Method::Transform, Method::DecisionFunction];
const SCORED_CLASSIFIER: &[Method] = &[Method::PredictProba, Method::Predict, Method::DecisionFunction];
const SCORER: &[Method] = &[Method::Predict, Method::DecisionFunction];
const MIXED: &[Method] = &[Method::PredictProba, Method::Predict, Method::ScoreSamples];
const DISCRIMINATOR: &[Method] = &[Method::PredictProba, Method::Predict, Method::Transform, Method::DecisionFunction];
const CLUSTERER: &[Method] = &[Method::Predict, Method::Transform];
const NOVELTY: &[Method] = &[Method::Predict, Method::DecisionFunction, Method::ScoreSamples];

const LINEAR: &[&str] = &["sklearn.linear_model.base", "sklearn.linear_model._base"];
const LOGISTIC: &[&str] = &["sklearn.linear_model.logistic", "sklearn.linear_model._logistic"];
const RIDGE: &[&str] = &["sklearn.linear_model.ridge", "sklearn.linear_model._ridge"];
const DESCENT: &[&str] = &["sklearn.linear_model.coordinate_descent", "sklearn.linear_model._coordinate_descent"];
const LEAST_ANGLE: &[&str] = &["sklearn.linear_model.least_angle", "sklearn.linear_model._least_angle"];
const PURSUIT: &[&str] = &["sklearn.linear_model.omp", "sklearn.linear_model._omp"];
const BAYESIAN: &[&str] = &["sklearn.linear_model.bayes", "sklearn.linear_model._bayes"];
const HUBER: &[&str] = &["sklearn.linear_model.huber", "sklearn.linear_model._huber"];
const THEIL_SEN: &[&str] = &["sklearn.linear_model.theil_sen", "sklearn.linear_model._theil_sen"];
const RANSAC: &[&str] = &["sklearn.linear_model.ransac", "sklearn.linear_model._ransac"];
const GRADIENT: &[&str] = &["sklearn.linear_model.stochastic_gradient", "sklearn.linear_model._stochastic_gradient"];
const PERCEPTRON: &[&str] = &["sklearn.linear_model.perceptron", "sklearn.linear_model._perceptron"];
const AGGRESSIVE: &[&str] = &["sklearn.linear_model.passive_aggressive", "sklearn.linear_model._passive_aggressive"];
const GENERALIZED: &[&str] = &["sklearn.linear_model._glm.glm"];
const TARGET: &[&str] = &["sklearn.compose._target"];
const SVM: &[&str] = &["sklearn.svm.classes", "sklearn.svm._classes"];
const PREPROCESSING: &[&str] = &["sklearn.preprocessing.data", "sklearn.preprocessing._data"];
const FUNCTION: &[&str] = &["sklearn.preprocessing._function_transformer"];
const ENCODERS: &[&str] = &["sklearn.preprocessing._encoders"];
const POLYNOMIAL: &[&str] =
    &["sklearn.preprocessing.data", "sklearn.preprocessing._data", "sklearn.preprocessing._polynomial"];
const DISCRETIZATION: &[&str] = &["sklearn.preprocessing._discretization"];
const IMPUTE: &[&str] = &["sklearn.impute", "sklearn.impute._base"];
const VARIANCE: &[&str] =
    &["sklearn.feature_selection.variance_threshold", "sklearn.feature_selection._variance_threshold"];
const UNIVARIATE: &[&str] =
    &["sklearn.feature_selection.univariate_selection", "sklearn.feature_selection._univariate_selection"];
const ELIMINATION: &[&str] = &["sklearn.feature_selection.rfe", "sklearn.feature_selection._rfe"];
const FROM_MODEL: &[&str] = &["sklearn.feature_selection.from_model", "sklearn.feature_selection._from_model"];
const PCA: &[&str] = &["sklearn.decomposition.pca", "sklearn.decomposition._pca"];
const TRUNCATED: &[&str] = &["sklearn.decomposition.truncated_svd", "sklearn.decomposition._truncated_svd"];
const COLUMNS: &[&str] = &["sklearn.compose._column_transformer"];
const BAYES: &[&str] = &["sklearn.naive_bayes"];
const DISCRIMINANT: &[&str] = &["sklearn.discriminant_analysis"];
const MIXTURE: &[&str] = &["sklearn.mixture.gaussian_mixture", "sklearn.mixture._gaussian_mixture"];
const NEIGHBOUR_CLASSES: &[&str] = &["sklearn.neighbors.classification", "sklearn.neighbors._classification"];
const NEIGHBOUR_NUMBERS: &[&str] = &["sklearn.neighbors.regression", "sklearn.neighbors._regression"];
const CENTROID: &[&str] = &["sklearn.neighbors.nearest_centroid", "sklearn.neighbors._nearest_centroid"];
const MEANS: &[&str] = &["sklearn.cluster.k_means_", "sklearn.cluster._kmeans"];
const VOTING: &[&str] = &["sklearn.ensemble.voting_classifier", "sklearn.ensemble.voting", "sklearn.ensemble._voting"];
const ADABOOST: &[&str] = &["sklearn.ensemble.weight_boosting", "sklearn.ensemble._weight_boosting"];
const BAGGING: &[&str] = &["sklearn.ensemble.bagging", "sklearn.ensemble._bagging"];
const STACKING: &[&str] = &["sklearn.ensemble._stacking"];
const CALIBRATION: &[&str] = &["sklearn.calibration"];
const ISOTONIC: &[&str] = &["sklearn.isotonic"];
const MULTICLASS: &[&str] = &["sklearn.multiclass"];
const MULTIOUTPUT: &[&str] = &["sklearn.multioutput"];
const SEARCH: &[&str] = &["sklearn.model_selection._search"];
const HALVING: &[&str] = &["sklearn.model_selection._search_successive_halving"];
const NETWORK: &[&str] =
    &["sklearn.neural_network.multilayer_perceptron", "sklearn.neural_network._multilayer_perceptron"];
const DUMMY: &[&str] = &["sklearn.dummy"];
const BOOSTING: &[&str] = &["sklearn.ensemble.gradient_boosting", "sklearn.ensemble._gb"];
const ISOLATION: &[&str] = &["sklearn.ensemble.iforest", "sklearn.ensemble._iforest"];
const LABEL: &[&str] = &["sklearn.preprocessing.label", "sklearn.preprocessing._label"];
const PIPELINE: &[&str] = &["sklearn.pipeline"];
const TREE: &[&str] = &["sklearn.tree.tree", "sklearn.tree._classes"];
const FOREST: &[&str] = &["sklearn.ensemble.forest", "sklearn.ensemble._forest"];

const LINEAR_REGRESSOR: Class = Class::LinearRegressor(Link::Identity);
const LINEAR_CLASSIFIER: Class = Class::LinearClassifier(Kind::Plain);
const LOGISTIC_CLASSIFIER: Class = Class::LinearClassifier(Kind::LogisticRegression);
const RIDGE_CLASSIFIER: Class = Class::LinearClassifier(Kind::Ridge);

/// Every estimator that can be served.
pub(super) const SUPPORTED: &[SupportedEstimator] = &[
    sklearn("LogisticRegression", LOGISTIC, LOGISTIC_CLASSIFIER, SCORED_CLASSIFIER),
    sklearn("LogisticRegressionCV", LOGISTIC, LOGISTIC_CLASSIFIER, SCORED_CLASSIFIER),
    sklearn("LinearRegression", LINEAR, LINEAR_REGRESSOR, REGRESSOR),
    sklearn("Ridge", RIDGE, LINEAR_REGRESSOR, REGRESSOR),
    sklearn("RidgeCV", RIDGE, LINEAR_REGRESSOR, REGRESSOR),
    sklearn("RidgeClassifier", RIDGE, RIDGE_CLASSIFIER, SCORER),
    sklearn("RidgeClassifierCV", RIDGE, RIDGE_CLASSIFIER, SCORER),
    sklearn("Lasso", DESCENT, LINEAR_REGRESSOR, REGRESSOR),
    sklearn("LassoCV", DESCENT, LINEAR_REGRESSOR, REGRESSOR),
    sklearn("ElasticNet", DESCENT, LINEAR_REGRESSOR, REGRESSOR),
    sklearn("ElasticNetCV", DESCENT, LINEAR_REGRESSOR, REGRESSOR),
    sklearn("MultiTaskLasso", DESCENT, LINEAR_REGRESSOR, REGRESSOR),
    sklearn("MultiTaskLassoCV", DESCENT, LINEAR_REGRESSOR, REGRESSOR),
    sklearn("MultiTaskElasticNet", DESCENT, LINEAR_REGRESSOR, REGRESSOR),
    sklearn("MultiTaskElasticNetCV", DESCENT, LINEAR_REGRESSOR, REGRESSOR),
    sklearn("Lars", LEAST_ANGLE, LINEAR_REGRESSOR, REGRESSOR),
    sklearn("LarsCV", LEAST_ANGLE, LINEAR_REGRESSOR, REGRESSOR),
    sklearn("LassoLars", LEAST_ANGLE, LINEAR_REGRESSOR, REGRESSOR),
    sklearn("LassoLarsCV", LEAST_ANGLE, LINEAR_REGRESSOR, REGRESSOR),
    sklearn("LassoLarsIC", LEAST_ANGLE, LINEAR_REGRESSOR, REGRESSOR),
    sklearn("OrthogonalMatchingPursuit", PURSUIT, LINEAR_REGRESSOR, REGRESSOR),
    sklearn("OrthogonalMatchingPursuitCV", PURSUIT, LINEAR_REGRESSOR, REGRESSOR),
    sklearn("BayesianRidge", BAYESIAN, LINEAR_REGRESSOR, REGRESSOR),
    sklearn("ARDRegression", BAYESIAN, LINEAR_REGRESSOR, REGRESSOR),
    sklearn("HuberRegressor", HUBER, LINEAR_REGRESSOR, REGRESSOR),
    sklearn("TheilSenRegressor", THEIL_SEN, LINEAR_REGRESSOR, REGRESSOR),
    sklearn("RANSACRegressor", RANSAC, Class::Unwrapped("estimator_"), REGRESSOR),
    sklearn("SGDRegressor", GRADIENT, LINEAR_REGRESSOR, REGRESSOR),
    sklearn("SGDClassifier", GRADIENT, Class::LinearClassifier(Kind::Sgd), SCORED_CLASSIFIER),
    sklearn("SGDOneClassSVM", GRADIENT, Class::LinearNovelty, NOVELTY).since("1.0"),
    sklearn("Perceptron", PERCEPTRON, LINEAR_CLASSIFIER, SCORER),
    sklearn("PassiveAggressiveClassifier", AGGRESSIVE, LINEAR_CLASSIFIER, SCORER),
    sklearn("PassiveAggressiveRegressor", AGGRESSIVE, LINEAR_REGRESSOR, REGRESSOR),
    sklearn("PoissonRegressor", GENERALIZED, Class::LinearRegressor(Link::Log), REGRESSOR).since("0.23"),
    sklearn("GammaRegressor", GENERALIZED, Class::LinearRegressor(Link::Log), REGRESSOR).since("0.23"),
    sklearn("TweedieRegressor", GENERALIZED, Class::LinearRegressor(Link::Told), REGRESSOR).since("0.23"),
    sklearn("TransformedTargetRegressor", TARGET, Class::TransformedTarget, REGRESSOR),
    sklearn("LinearSVC", SVM, LINEAR_CLASSIFIER, SCORER),
    sklearn("LinearSVR", SVM, LINEAR_REGRESSOR, REGRESSOR),
    sklearn("SVC", SVM, Class::Svm(Task::Classification), SCORED_CLASSIFIER),
    sklearn("NuSVC", SVM, Class::Svm(Task::Classification), SCORED_CLASSIFIER),
    sklearn("SVR", SVM, Class::Svm(Task::Regression), REGRESSOR),
    sklearn("NuSVR", SVM, Class::Svm(Task::Regression), REGRESSOR),
    sklearn("OneClassSVM", SVM, Class::Svm(Task::Novelty), NOVELTY),
    sklearn("GaussianNB", BAYES, Class::Density(Family::GaussianBayes), CLASSIFIER),
    sklearn("MultinomialNB", BAYES, Class::Density(Family::MultinomialBayes), CLASSIFIER),
    sklearn("ComplementNB", BAYES, Class::Density(Family::ComplementBayes), CLASSIFIER),
    sklearn("BernoulliNB", BAYES, Class::Density(Family::BernoulliBayes), CLASSIFIER),
    sklearn("CategoricalNB", BAYES, Class::Density(Family::CategoricalBayes), CLASSIFIER).since("0.22"),
    sklearn("KNeighborsClassifier", NEIGHBOUR_CLASSES, Class::Neighbours(Search::Nearest), CLASSIFIER),
    sklearn("KNeighborsRegressor", NEIGHBOUR_NUMBERS, Class::Neighbours(Search::Nearest), REGRESSOR),
    sklearn("RadiusNeighborsClassifier", NEIGHBOUR_CLASSES, Class::Neighbours(Search::Radius), CLASSIFIER),
    sklearn("RadiusNeighborsRegressor", NEIGHBOUR_NUMBERS, Class::Neighbours(Search::Radius), REGRESSOR),
    sklearn("NearestCentroid", CENTROID, Class::Centroids, REGRESSOR),
    sklearn("KMeans", MEANS, Class::Clusters, CLUSTERER),
    sklearn("MiniBatchKMeans", MEANS, Class::Clusters, CLUSTERER),
    sklearn("GaussianMixture", MIXTURE, Class::Density(Family::Mixture), MIXED),
    sklearn("LinearDiscriminantAnalysis", DISCRIMINANT, Class::LinearDiscriminant, DISCRIMINATOR),
    sklearn("QuadraticDiscriminantAnalysis", DISCRIMINANT, Class::Density(Family::Quadratic), SCORED_CLASSIFIER),
    sklearn("VotingClassifier", VOTING, Class::Composite(Composite::VotingClassifier), CLASSIFIER),
    sklearn("VotingRegressor", VOTING, Class::Composite(Composite::VotingRegressor), REGRESSOR).since("0.21"),
    sklearn("BaggingClassifier", BAGGING, Class::Composite(Composite::BaggingClassifier), SCORED_CLASSIFIER),
    sklearn("BaggingRegressor", BAGGING, Class::Composite(Composite::BaggingRegressor), REGRESSOR),
    sklearn("AdaBoostRegressor", ADABOOST, Class::Composite(Composite::AdaBoostRegressor), REGRESSOR),
    sklearn("StackingClassifier", STACKING, Class::Stacking, SCORED_CLASSIFIER).since("0.22"),
    sklearn("StackingRegressor", STACKING, Class::Stacking, REGRESSOR).since("0.22"),
    sklearn("CalibratedClassifierCV", CALIBRATION, Class::Calibrated, CLASSIFIER),
    sklearn("IsotonicRegression", ISOTONIC, Class::Isotonic, REGRESSOR),
    sklearn("OneVsRestClassifier", MULTICLASS, Class::Composite(Composite::OneVsRest), SCORED_CLASSIFIER),
    sklearn("MultiOutputRegressor", MULTIOUTPUT, Class::Composite(Composite::MultiOutput), REGRESSOR),
    sklearn("MultiOutputClassifier", MULTIOUTPUT, Class::Composite(Composite::MultiOutput), REGRESSOR),
    sklearn("GridSearchCV", SEARCH, Class::Unwrapped("best_estimator_"), &[]),
    sklearn("RandomizedSearchCV", SEARCH, Class::Unwrapped("best_estimator_"), &[]),
    sklearn("HalvingGridSearchCV", HALVING, Class::Unwrapped("best_estimator_"), &[]).since("0.24"),
    sklearn("HalvingRandomSearchCV", HALVING, Class::Unwrapped("best_estimator_"), &[]).since("0.24"),
    sklearn("GradientBoostingClassifier", BOOSTING, Class::Boosting, SCORED_CLASSIFIER),
    sklearn("GradientBoostingRegressor", BOOSTING, Class::Boosting, REGRESSOR),
    sklearn("MLPClassifier", NETWORK, Class::Network, CLASSIFIER),
    sklearn("MLPRegressor", NETWORK, Class::Network, REGRESSOR),
    sklearn("DummyClassifier", DUMMY, Class::Dummy, CLASSIFIER),
    sklearn("DummyRegressor", DUMMY, Class::Dummy, REGRESSOR),
    sklearn("IsolationForest", ISOLATION, Class::Isolation, NOVELTY).since("0.22"),
    sklearn("StandardScaler", PREPROCESSING, Class::StandardScaler, TRANSFORMER),
    sklearn("MinMaxScaler", PREPROCESSING, Class::MinMaxScaler, TRANSFORMER),
    sklearn("MaxAbsScaler", PREPROCESSING, Class::MaxAbsScaler, TRANSFORMER),
    sklearn("RobustScaler", PREPROCESSING, Class::RobustScaler, TRANSFORMER),
    sklearn("Binarizer", PREPROCESSING, Class::Binarizer, TRANSFORMER),
    sklearn("FunctionTransformer", FUNCTION, Class::Transformer(Transformer::Function), TRANSFORMER),
    sklearn("Normalizer", PREPROCESSING, Class::Transformer(Transformer::Normalizer), TRANSFORMER),
    sklearn("PolynomialFeatures", POLYNOMIAL, Class::Transformer(Transformer::Polynomial), TRANSFORMER),
    sklearn("PowerTransformer", PREPROCESSING, Class::Transformer(Transformer::Power), TRANSFORMER),
    sklearn("QuantileTransformer", PREPROCESSING, Class::Transformer(Transformer::Quantile), TRANSFORMER),
    sklearn("KBinsDiscretizer", DISCRETIZATION, Class::Transformer(Transformer::Bins), TRANSFORMER),
    sklearn("OneHotEncoder", ENCODERS, Class::Transformer(Transformer::OneHot), TRANSFORMER),
    sklearn("OrdinalEncoder", ENCODERS, Class::Transformer(Transformer::Ordinal), TRANSFORMER),
    sklearn("SimpleImputer", IMPUTE, Class::Transformer(Transformer::Imputer), TRANSFORMER),
    sklearn("MissingIndicator", IMPUTE, Class::Transformer(Transformer::MissingIndicator), TRANSFORMER),
    sklearn("VarianceThreshold", VARIANCE, Class::Transformer(Transformer::Variance), TRANSFORMER),
    sklearn("SelectKBest", UNIVARIATE, Class::Transformer(Transformer::Univariate), TRANSFORMER),
    sklearn("SelectPercentile", UNIVARIATE, Class::Transformer(Transformer::Univariate), TRANSFORMER),
    sklearn("SelectFpr", UNIVARIATE, Class::Transformer(Transformer::Univariate), TRANSFORMER),
    sklearn("SelectFdr", UNIVARIATE, Class::Transformer(Transformer::Univariate), TRANSFORMER),
    sklearn("SelectFwe", UNIVARIATE, Class::Transformer(Transformer::Univariate), TRANSFORMER),
    sklearn("GenericUnivariateSelect", UNIVARIATE, Class::Transformer(Transformer::Univariate), TRANSFORMER),
    sklearn("RFE", ELIMINATION, Class::Transformer(Transformer::Mask), ELIMINATOR),
    sklearn("RFECV", ELIMINATION, Class::Transformer(Transformer::Mask), ELIMINATOR),
    sklearn("SelectFromModel", FROM_MODEL, Class::Transformer(Transformer::FromModel), TRANSFORMER),
    sklearn("PCA", PCA, Class::Transformer(Transformer::Pca), TRANSFORMER),
    sklearn("TruncatedSVD", TRUNCATED, Class::Transformer(Transformer::TruncatedSvd), TRANSFORMER),
    sklearn("ColumnTransformer", COLUMNS, Class::Transformer(Transformer::Columns), TRANSFORMER),
    sklearn("FeatureUnion", PIPELINE, Class::Transformer(Transformer::Union), TRANSFORMER),
    sklearn("Pipeline", PIPELINE, Class::Pipeline, &[]),
    sklearn("DecisionTreeClassifier", TREE, Class::TreeClassifier(Splits::Best), CLASSIFIER),
    sklearn("DecisionTreeRegressor", TREE, Class::TreeRegressor(Splits::Best), REGRESSOR),
    sklearn("ExtraTreeClassifier", TREE, Class::TreeClassifier(Splits::Random), CLASSIFIER),
    sklearn("ExtraTreeRegressor", TREE, Class::TreeRegressor(Splits::Random), REGRESSOR),
    sklearn("RandomForestClassifier", FOREST, Class::ForestClassifier(Splits::Best), CLASSIFIER),
    sklearn("RandomForestRegressor", FOREST, Class::ForestRegressor(Splits::Best), REGRESSOR),
    sklearn("ExtraTreesClassifier", FOREST, Class::ForestClassifier(Splits::Random), CLASSIFIER),
    sklearn("ExtraTreesRegressor", FOREST, Class::ForestRegressor(Splits::Random), REGRESSOR),
];

/// What stands inside estimators and is none to serve.
pub(super) const PARTS: &[SupportedEstimator] = &[
    part("LabelBinarizer", LABEL, Part::LabelBinarizer),
    part("LabelEncoder", LABEL, Part::LabelEncoder),
    part("PriorProbabilityEstimator", BOOSTING, Part::InitialEstimator),
    part("LogOddsEstimator", BOOSTING, Part::InitialEstimator),
    part("ScaledLogOddsEstimator", BOOSTING, Part::InitialEstimator),
    part("MeanEstimator", BOOSTING, Part::InitialEstimator),
    part("QuantileEstimator", BOOSTING, Part::InitialEstimator),
    part("ZeroEstimator", BOOSTING, Part::InitialEstimator),
    part("_SigmoidCalibration", CALIBRATION, Part::Sigmoid),
    part("_CalibratedClassifier", CALIBRATION, Part::CalibratedClassifier),
    part("_RemainderColsList", COLUMNS, Part::RemainderColumns),
];

const fn sklearn(
    name: &'static str,
    modules: &'static [&'static str],
    class: Class,
    methods: &'static [Method],
) -> SupportedEstimator {
    SupportedEstimator { name, library: SCIKIT_LEARN, since: "0.20", methods, modules, class }
}

const fn part(name: &'static str, modules: &'static [&'static str], part: Part) -> SupportedEstimator {
    sklearn(name, modules, Class::Part(part), &[])
}

impl SupportedEstimator {
    const fn since(self, since: &'static str) -> Self {
        Self { since, ..self }
    }
}
