"""The catalogue: what is small and changes, in SQLite; it alone says which parts live."""

from workbench.store.catalogue.catalogue import Catalogue
from workbench.store.catalogue.migrations import CATALOGUE_VERSION

__all__ = ["CATALOGUE_VERSION", "Catalogue"]
