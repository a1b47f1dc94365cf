"""Models of a candidate pair: from its comparisons to the probability that it is a match."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import SplineTransformer, StandardScaler

_SMALLEST_LEAF = 20


def gradient_boosting(labels: int) -> Any:
    """Make an unfitted histogram gradient boosting; it takes missing values as they are.

    Args:
        labels: labelled pairs that it will see; fewer allow smaller leaves.
    """
    return HistGradientBoostingClassifier(
        learning_rate=0.1,
        max_iter=100,
        max_leaf_nodes=15,
        min_samples_leaf=max(3, min(_SMALLEST_LEAF, labels // 50)),
        l2_regularization=1.0,
        early_stopping=False,  # it would hold out rows by their order
    )


def logistic_on_splines(labels: int) -> Any:
    """Make an unfitted logistic regression on cubic splines of every comparison.

    A missing value takes the median, and a column of its own says so.

    Args:
        labels: labelled pairs that it will see; more allow finer splines.
    """
    return Pipeline(
        [
            ("missing", SimpleImputer(strategy="median", add_indicator=True)),
            ("splines", SplineTransformer(n_knots=6 if labels >= 2_000 else 4, knots="uniform")),
            ("scale", StandardScaler()),
            ("logistic", LogisticRegression(C=0.1, max_iter=5_000)),
        ]
    )


ESTIMATORS: Mapping[str, Callable[[int], Any]] = {
    "gradient_boosting": gradient_boosting,
    "logistic_on_splines": logistic_on_splines,
}
"""Every estimator by name."""

BLENDS: Mapping[str, tuple[str, ...]] = {**{name: (name,) for name in ESTIMATORS}, "blend": tuple(ESTIMATORS)}
"""What `--estimator` takes: one estimator, or the mean of the log odds of several."""
