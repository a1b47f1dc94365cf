"""Splink 5 on the same records and the same candidate pairs, with the comparisons of its own demo.

The levels are those of Splink's published demonstration of linking bank transactions: amounts by
percentage, memos by Levenshtein distance, days one-sided. It learns without labels, on the records that
are tested.
"""

from __future__ import annotations

import logging
import time
import warnings

import numpy as np
import pandas as pd

from benchmarks.open_world import Part

_BLOCKING = (
    "substr(upper(l.memo), 1, 3) = substr(upper(r.memo), 1, 3) "
    "and r.transaction_date - l.transaction_date between 0 and 30 "
    "and abs(r.amount - l.amount) <= 0.15 * abs(l.amount)"
)
_DEMO_BLOCKING = [
    *(
        f"strftime(l.transaction_date{shift}, '%Y%m') = strftime(r.transaction_date, '%Y%m') "
        "and substr(l.memo, 1, 3) = substr(r.memo, 1, 3) "
        "and l.amount / r.amount > 0.7 and l.amount / r.amount < 1.3"
        for shift in ("", " + 15")
    ),
    "substr(l.memo, 1, 9) = substr(r.memo, 1, 9)",
    *(
        f"round(l.amount / 2, 0) * 2 = round({amount} / 2, 0) * 2 "
        f"and yearweek(r.transaction_date) = yearweek(l.transaction_date{shift})"
        for amount, shift in (("r.amount", ""), ("(r.amount + 1)", " + 4"))
    ),
]
"""All but the last of the demonstration's rules, which looks at the truth."""

_DAYS = "transaction_date_r - transaction_date_l <= {} and transaction_date_r >= transaction_date_l"


def match_with_splink(part: Part, *, own_blocking: bool) -> tuple[pd.DataFrame, dict[str, float]]:
    """Train on the part's records and score candidates.

    Args:
        part: the records.
        own_blocking: whether the candidates are those of the rules of Splink's demonstration.

    Returns:
        The pairs with their probability, and processor seconds of training and scoring.
    """
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    from splink import DuckDBAPI, Linker, block_on

    tables = [_read(part, side) for side in ("left", "right")]
    api = DuckDBAPI()
    begun = time.process_time()
    linker = Linker(
        [
            api.register(table, dataset_display_name=name)
            for name, table in zip(("a_left", "b_right"), tables, strict=True)
        ],
        _settings(len(tables[0]), _DEMO_BLOCKING if own_blocking else [_BLOCKING]),
        log_level=logging.ERROR,
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("memo"))
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("amount"))
    trained = time.process_time()
    scored = linker.inference.predict(threshold_match_probability=None)
    found = scored.as_pandas_dataframe()
    seconds = {"train": trained - begun, "score": time.process_time() - trained}
    return _oriented(found), seconds


def _read(part: Part, side: str) -> pd.DataFrame:
    table = pd.read_csv(part.folder / f"{side}.csv", parse_dates=["transaction_date"])
    table["transaction_date"] = table["transaction_date"].dt.date
    return table.rename(columns={"record_id": "unique_id"})


def _settings(records: int, blocking: list[str]) -> object:
    import splink.comparison_level_library as cll
    import splink.comparison_library as cl
    from splink import SettingsCreator

    amount = cl.CustomComparison(
        output_column_name="amount",
        comparison_levels=[
            cll.NullLevel("amount"),
            cll.ExactMatchLevel("amount"),
            *(cll.PercentageDifferenceLevel("amount", share) for share in (0.01, 0.03, 0.1, 0.3)),
            cll.ElseLevel(),
        ],
    )
    days = cl.CustomComparison(
        output_column_name="transaction_date",
        comparison_levels=[
            cll.NullLevel("transaction_date"),
            *(cll.CustomLevel(_DAYS.format(n), label_for_charts=f"{n} days") for n in (1, 4, 10, 30)),
            cll.ElseLevel(),
        ],
    )
    return SettingsCreator(
        link_type="link_only",
        probability_two_random_records_match=1 / records,
        blocking_rules_to_generate_predictions=list(blocking),
        comparisons=[amount, cl.LevenshteinAtThresholds("memo", [2, 6, 10]), days],
        retain_intermediate_calculation_columns=True,
    )


def _oriented(found: pd.DataFrame) -> pd.DataFrame:
    """Put the left ledger's id first, whichever side Splink put it on."""
    left = np.where(found["unique_id_l"].str.startswith("L"), found["unique_id_l"], found["unique_id_r"])
    right = np.where(found["unique_id_l"].str.startswith("L"), found["unique_id_r"], found["unique_id_l"])
    return pd.DataFrame({"left": left, "right": right, "probability": found["match_probability"]})
