"""Commands about decisions: thresholds, decide and watch; those of review and config join them here."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli import reconcile_config, reconcile_review
from workbench.cli.options import AsJson, Lake, floats, settings
from workbench.cli.output import display
from workbench.cli.reconcile_options import BookFile, Proposals

app = typer.Typer()
app.add_typer(reconcile_review.app, name="review")
app.add_typer(reconcile_config.app, name="config")

LabelsFile = Annotated[Path | None, typer.Option(help="Labels: CSV with left_id, right_id, or Parquet.")]
Since = Annotated[
    datetime | None, typer.Option(help="Leave out verdicts given earlier, UTC, such as 2026-03-02.")
]


@app.command()
def thresholds(
    proposals: Proposals,
    labels: LabelsFile = None,
    at: Annotated[str, typer.Option(help="Further accept thresholds, such as 0.97,0.99.")] = "",
    changes: Annotated[
        list[str] | None, typer.Option("--with", help="A change to look at, such as reviewers.count=3.")
    ] = None,
    since: Since = None,
    apply: Annotated[bool, typer.Option("--apply", help="Save it all as the next version.")] = False,
    by: Annotated[str, typer.Option(help="With --apply, who applies it.")] = "",
    reason: Annotated[str, typer.Option(help="With --apply, why.")] = "",
    seed: Annotated[int, typer.Option(min=0, help="Of the simulation of the reviewers.")] = 1,
    book: BookFile = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Show what accept thresholds would do: certified precision, errors, reviews and their wait."""
    from workbench.workflows.deciding import find_thresholds

    view = find_thresholds(
        proposals,
        labels=labels,
        at=floats("at", at),
        changes=changes or (),
        since=_utc(since),
        apply=apply,
        author=by,
        reason=reason,
        seed=seed,
        book=book,
        settings=settings(lake),
    )
    display(view, as_json)


@app.command()
def decide(
    proposals: Proposals,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Parquet file to write; PROPOSALS by default.")
    ] = None,
    book: BookFile = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Fill in decision and reason of every proposal, by the configuration that holds."""
    from workbench.workflows.deciding import decide_proposals

    display(decide_proposals(proposals, output or proposals, book=book, settings=settings(lake)), as_json)


@app.command()
def watch(
    proposals: Proposals,
    reference: Annotated[
        Path | None, typer.Option(help="Proposals that the certificate was earned on, for drift.")
    ] = None,
    breaks: Annotated[Path | None, typer.Option(help="Breaks of the same matching, for coverage.")] = None,
    labels: LabelsFile = None,
    since: Since = None,
    columns: Annotated[str, typer.Option(help="Columns whose drift is looked at, with commas between.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Do not void the certificate, whatever is found.")
    ] = False,
    metrics: Annotated[
        Path | None, typer.Option(help="File for the metrics in Prometheus's text format.")
    ] = None,
    corrected: Annotated[
        Path | None, typer.Option(help="Parquet file for proposals with corrected confidences.")
    ] = None,
    book: BookFile = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Look whether confidences still hold; a certificate that no longer does is voided."""
    from workbench.reconcile.watch import DRIFT_COLUMNS
    from workbench.workflows.watching import watch_proposals

    view = watch_proposals(
        proposals,
        reference=reference,
        breaks=breaks,
        labels=labels,
        since=_utc(since),
        columns=[name.strip() for name in columns.split(",") if name.strip()] or DRIFT_COLUMNS,
        void=not dry_run,
        metrics_file=metrics,
        corrected_file=corrected,
        book=book,
        settings=settings(lake),
    )
    display(view, as_json)


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)
