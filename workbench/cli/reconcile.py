"""Commands that match two ledgers; those about decisions, review and watch join them here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli import reconcile_decisions
from workbench.cli.options import AsJson, Lake, settings
from workbench.cli.output import display
from workbench.errors import InputError

app = typer.Typer(no_args_is_help=True, help="Match two ledgers, with a confidence for every proposal.")
app.add_typer(reconcile_decisions.app)

Plan = Annotated[Path, typer.Argument(help="A plan: a YAML file.", metavar="PLAN")]
Model = Annotated[Path | None, typer.Option(help="A saved model; the plan's own in the lake by default.")]
Labels = Annotated[
    Path | None, typer.Option(help="CSV with left_id and right_id (empty: no partner), or a labels table.")
]
Complete = Annotated[bool, typer.Option("--complete", help="The labels name every match that there is.")]
Folder = Annotated[Path | None, typer.Option(help="Folder of proposals and breaks; in the lake by default.")]


@app.command()
def train(
    plan: Plan,
    labels: Labels = None,
    complete: Complete = False,
    without_labels: Annotated[
        bool, typer.Option("--without-labels", help="Start from the records alone; not calibrated.")
    ] = False,
    estimator: Annotated[
        str | None,
        typer.Option(help="gradient_boosting, logistic_on_splines or blend; by default the best held out."),
    ] = None,
    model: Model = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Train a model on the ledgers of a plan and labels, and save it."""
    from workbench.workflows.reconciling import train_reconciliation

    if (labels is None) != without_labels:
        given = "none" if labels is None else "--labels and --without-labels"
        raise InputError(f"labels: given {given}; allowed: --labels FILE, or --without-labels")
    view = train_reconciliation(
        plan, labels=labels, complete=complete, estimator=estimator, model=model, settings=settings(lake)
    )
    display(view, as_json)


@app.command()
def match(
    plan: Plan,
    model: Model = None,
    labels: Labels = None,
    complete: Complete = False,
    folder: Folder = None,
    evidence: Annotated[
        bool, typer.Option("--evidence", help="Write what each field adds, for every pair, too.")
    ] = False,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Propose partners, and store proposals and breaks."""
    from workbench.workflows.reconciling import match_ledgers

    view = match_ledgers(
        plan,
        model=model,
        labels=labels,
        complete=complete,
        folder=folder,
        evidence=evidence,
        settings=settings(lake),
    )
    display(view, as_json)


@app.command()
def evaluate(
    plan: Plan,
    labels: Labels = None,
    complete: Complete = False,
    model: Model = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Match the ledgers of a plan and hold the proposals against labels."""
    from workbench.workflows.reconciling import evaluate_reconciliation

    if labels is None:
        raise InputError("labels: given none; allowed: --labels FILE")
    view = evaluate_reconciliation(
        plan, labels=labels, complete=complete, model=model, settings=settings(lake)
    )
    display(view, as_json)


@app.command()
def explain(
    plan: Plan,
    record: Annotated[str, typer.Argument(help="Id of a record.")],
    side: Annotated[str, typer.Option(help="The ledger that it is of: left or right.")] = "left",
    model: Model = None,
    folder: Folder = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Tell why a record was matched as it was."""
    from workbench.reconcile.results import Side
    from workbench.workflows.reconciliation_evidence import explain_match

    if side not in list(Side):
        raise InputError(f"side: given {side!r}; allowed: {', '.join(Side)}")
    view = explain_match(plan, record, side=Side(side), model=model, folder=folder, settings=settings(lake))
    display(view, as_json)
