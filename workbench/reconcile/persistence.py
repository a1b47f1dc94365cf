"""Saving a model, and loading one that fits.

A saved model is a zip file: `model.json` holds all that is numbers and words, `estimators.skops` the
scikit-learn classifiers. skops, unlike pickle and joblib, runs no code on loading: it builds only the
types that are named here. The classifiers depend on scikit-learn's release, so another one is refused.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import skops.io
from pydantic import BaseModel, ConfigDict, ValidationError
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from workbench.errors import ModelError
from workbench.reconcile.comparisons import COMPARISONS
from workbench.reconcile.model import Learned, ModelFacts, ReconciliationModel

FORMAT = 1
_DOCUMENT, _ESTIMATORS = "model.json", "estimators.skops"
_MOST_BYTES = 500_000_000
_EXPECTED = frozenset(
    {
        "numpy.dtype",
        "scipy._lib.array_api_compat.numpy._aliases.asarray",
        "scipy.interpolate._bsplines.BSpline",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    }
)
"""Types that the estimators are made of, besides those that skops trusts by itself."""


class _Document(BaseModel):
    """What `model.json` holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    format: int
    comparisons: dict[str, str]
    """Every comparison and its meaning, when the model was saved."""
    estimators_sha256: str
    facts: ModelFacts
    learned: Learned


def save_model(model: ReconciliationModel, file: Path) -> None:
    """Write a model; a file that is there is replaced whole or not at all.

    Raises:
        ModelError: the model is not fitted, or the file cannot be written.
    """
    for estimator in model.estimators:
        try:
            check_is_fitted(estimator)
        except NotFittedError:
            raise ModelError("model: given one that is not fitted; allowed: what training returns") from None
    estimators: bytes = skops.io.dumps(list(model.estimators))
    document = _Document(
        format=FORMAT,
        comparisons=COMPARISONS,
        estimators_sha256=hashlib.sha256(estimators).hexdigest(),
        facts=model.facts,
        learned=model.learned,
    )
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_DOCUMENT, document.model_dump_json())
        archive.writestr(_ESTIMATORS, estimators)
    temporary = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as stream:
            stream.write(content.getvalue())
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(file)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise ModelError(f"{file}: cannot be written ({error.strerror})") from None


def load_model(file: Path) -> ReconciliationModel:
    """Read a model that this version can use as it was.

    Raises:
        ModelError: the file is missing, damaged, from another release of what it depends on, or knows
            other comparisons.
    """
    text, estimators = _read(file)
    try:
        found = json.loads(text).get("format")
        if found != FORMAT:
            raise ModelError(f"{file}: given a model of format {found}; allowed: {FORMAT}; train it anew")
        document = _Document.model_validate_json(text)
    except (ValidationError, ValueError, AttributeError):
        raise ModelError(f"{file}: given a damaged model; allowed: one that training wrote") from None
    if hashlib.sha256(estimators).hexdigest() != document.estimators_sha256:
        raise ModelError(f"{file}: given a model whose parts do not belong together; train it anew")
    _check_versions(file, document)
    return ReconciliationModel(document.facts, document.learned, _estimators(file, estimators))


def _read(file: Path) -> tuple[bytes, bytes]:
    try:
        with zipfile.ZipFile(file) as archive:
            if sum(each.file_size for each in archive.infolist()) > _MOST_BYTES:
                raise ModelError(
                    f"{file}: given more than {_MOST_BYTES / 1e6:.0f} MB; allowed: a saved model"
                )
            return archive.read(_DOCUMENT), archive.read(_ESTIMATORS)
    except OSError as error:
        raise ModelError(f"{file}: the model cannot be read ({error.strerror}); train one first") from None
    except (zipfile.BadZipFile, KeyError, EOFError):
        raise ModelError(f"{file}: given a file that is no model; allowed: one that training wrote") from None


def _check_versions(file: Path, document: _Document) -> None:
    for name, known in document.facts.versions.items():
        here = version(name)
        if _release(here) != _release(known):
            raise ModelError(
                f"{file}: given a model of {name} {known}; allowed: of {_release(here)}.*, which is "
                "installed; train it anew"
            )
    changed = [name for name, meaning in COMPARISONS.items() if document.comparisons.get(name) != meaning]
    if changed or len(document.comparisons) != len(COMPARISONS):
        raise ModelError(
            f"{file}: given a model of other comparisons ({', '.join(changed) or 'some are gone'}); "
            "allowed: those of this version; train it anew"
        )


def _release(text: str) -> str:
    return ".".join(text.split(".")[:2])


def _estimators(file: Path, content: bytes) -> tuple[Any, ...]:
    try:
        unexpected = set(skops.io.get_untrusted_types(data=content)) - _EXPECTED
        if unexpected:
            raise ModelError(
                f"{file}: given a model with {', '.join(sorted(unexpected))}; allowed: scikit-learn's"
            )
        return tuple(skops.io.loads(content, trusted=sorted(_EXPECTED)))
    except ModelError:
        raise
    except Exception as error:  # whatever a damaged file makes of the reader
        raise ModelError(f"{file}: the model's estimators cannot be read ({error})") from None
