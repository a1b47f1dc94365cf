"""The document that says how two ledgers are read and which of their records may be partners."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from workbench.documents import OneOrMany, Section, read_document

TEXT_FIELDS = ("text", "reference", "party")
"""Fields that are compared as texts."""

TextField = Literal["text", "reference", "party"]
SameField = Literal["amount", "text", "reference", "party"]

_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_CURRENCY = re.compile(r"[A-Z]{3}")


def _share(value: Any) -> Any:
    if isinstance(value, str) and (match := _SHARE.fullmatch(value.strip())):
        return float(match[1]) / 100.0
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise PydanticCustomError("share", "a share of 0 to 100 %, such as 15%")


def _find(path: Path, info: ValidationInfo) -> Path:
    folder = (info.context or {}).get("folder", Path.cwd())
    found = Path(folder, path).resolve()
    if not found.is_file():
        raise PydanticCustomError("ledger_file", f"a file that exists, found from {Path(folder).resolve()}")
    return found


def _folder(path: Path, info: ValidationInfo) -> Path:
    return Path((info.context or {}).get("folder", Path.cwd()), path).resolve()


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise PydanticCustomError("zone", "a time zone such as Europe/London or UTC")
    ZoneInfo(name)
    return name


def _code(text: str) -> str:
    if not _CURRENCY.fullmatch(text):
        raise PydanticCustomError("currency", "three capital letters, such as GBP")
    return text


Share = Annotated[
    float,
    BeforeValidator(_share),
    Field(ge=0, le=1),
    WithJsonSchema({"type": ["string", "number"], "description": "15%, or 0.15"}),
]
"""0 to 1; people write 15%."""

Days = tuple[Annotated[int, Field(ge=-3660, le=3660)], Annotated[int, Field(ge=-3660, le=3660)]]


class Columns(Section):
    """Which column of a ledger holds what. What is not named is missing in every record."""

    id: str
    """Identifies the record; never compared."""
    amount: str
    """Money, to the cent."""
    date: str | None = None
    """Day or moment of the transaction."""
    currency: str | None = None
    """Code such as GBP."""
    text: str | None = None
    """Free text, such as a memo."""
    reference: str | None = None
    """Number of an invoice, order or payment."""
    party: str | None = None
    """Who pays or is paid."""

    def named(self) -> dict[str, str]:
        """Give the columns that are named, by field."""
        return {field: column for field, column in self.model_dump().items() if column is not None}


class Ledger(Section):
    """One of the two ledgers: a CSV or Parquet file, or what a DuckDB query yields."""

    file: Annotated[Path, AfterValidator(_find)] | None = None
    """CSV with a header, or Parquet; found from the document's folder."""
    query: str | None = None
    """A query in DuckDB's SQL, in place of a file."""
    folder: Annotated[Path, AfterValidator(_folder)] = Field(Path(), validate_default=True)
    """Where the query finds files; the document's folder by default."""
    database: Annotated[Path, AfterValidator(_find)] | None = None
    """A DuckDB file that the query reads; it is opened read-only."""
    columns: Columns
    currency: Annotated[str, AfterValidator(_code)] | None = None
    """Currency of every record, where no column tells."""
    amounts: Literal["as_written", "negated"] = "as_written"
    """`negated` where this ledger writes with a minus what the other writes without."""
    delimiter: Literal[",", ";", "|", "\t"] = ","
    """What parts the columns of a CSV."""
    decimal: Literal[".", ","] = "."
    """The decimal mark; the other one may part thousands."""
    date_format: str | None = None
    """How days are written, such as %d/%m/%Y; by default as in 2024-05-31."""
    time_zone: Annotated[str, AfterValidator(_zone)] | None = None
    """Zone in which a moment with an offset becomes a day; needed where there are such."""
    unusable: Literal["refuse", "set_aside"] = "refuse"
    """Whether records that cannot be used stop everything, or become breaks with their reason."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.file is None) == (self.query is None):
            raise PydanticCustomError("ledger", "either `file` or `query`")
        if self.database is not None and self.query is None:
            raise PydanticCustomError("ledger", "`database` with the `query` that reads it")
        if self.currency is not None and self.columns.currency is not None:
            raise PydanticCustomError("ledger", "`currency` or a column of it, not both")
        return self


class BlockingRule(Section):
    """Which pairs of records are looked at. A pair must meet all that a rule says.

    The currencies of a pair are the same, or one of them is unknown, under every rule.
    """

    name: str = Field(min_length=1, max_length=40, pattern=r"[A-Za-z0-9][A-Za-z0-9 _.-]*")
    same: list[SameField] = Field(default_factory=list)
    """Fields that agree: texts but for case, accents and spaces; amounts to the cent."""
    prefix: dict[TextField, Annotated[int, Field(ge=1, le=100)]] = Field(default_factory=dict)
    """Texts that begin alike, by the number of characters."""
    days: Days | None = None
    """Least and most days from the left record's date to the right one's."""
    amount: Annotated[Share, Field(le=0.99)] | None = None
    """Most that the right amount differs, as a share of the left one; the signs agree."""

    @model_validator(mode="after")
    def _narrow(self) -> Self:
        if not (self.same or self.prefix or (self.days and self.amount is not None)):
            raise PydanticCustomError("rule", "`same` or `prefix`, or else both `days` and `amount`")
        if self.days and self.days[0] > self.days[1]:
            raise PydanticCustomError("rule", "`days` from the least to the most, such as [0, 30]")
        return self


class Blocking(Section):
    """The rules that find candidate pairs; a pair that any of them finds is a candidate."""

    rules: Annotated[list[BlockingRule], OneOrMany()] = Field(min_length=1, max_length=50)
    most_pairs: float = Field(50.0, gt=0, le=10_000)
    """Pairs a left record that a rule may find on average; one that would find more is not run."""

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        names = [rule.name for rule in self.rules]
        if len(set(names)) < len(names):
            raise PydanticCustomError("blocking", "rules with a name of their own each")
        return self


class Splits(Section):
    """Payments in parts: one record whose amount is the sum of several of the other side."""

    key: TextField
    """The field that all the records of a split share."""
    days: Days = (0, 30)
    """Least and most days from the left record's date to each right one's."""
    most_parts: int = Field(6, ge=2, le=12)
    """Records that one may be split into."""
    most_pool: int = Field(20, ge=2, le=24)
    """Records that share the key, among which parts are sought; a larger pool is left to people."""


class ReconciliationPlan(Section):
    """Two ledgers and how their records may be partners."""

    name: str = Field(min_length=1, max_length=60, pattern=r"[A-Za-z0-9][A-Za-z0-9 _.-]*")
    description: str = ""
    left: Ledger
    right: Ledger
    blocking: Blocking
    splits: Splits | None = None
    """Left out, no split payments are sought."""

    @model_validator(mode="after")
    def _fields_there(self) -> Self:
        both = self.left.columns.named().keys() & self.right.columns.named().keys()
        needed: set[str] = {field for rule in self.blocking.rules for field in (*rule.same, *rule.prefix)}
        needed |= {"date"} if any(rule.days for rule in self.blocking.rules) else set()
        needed |= {self.splits.key} if self.splits else set()
        if missing := sorted(needed - both):
            raise PydanticCustomError(
                "plan", f"rules over columns that both ledgers name; not {', '.join(missing)}"
            )
        return self


def read_plan(file: Path) -> ReconciliationPlan:
    """Read and check a plan.

    Raises:
        DocumentError: the file is missing, is not YAML, or holds what a plan does not allow.
    """
    return read_document(file, ReconciliationPlan)
