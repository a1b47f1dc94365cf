"""Commands of the review: fill the queue, work it off, and take the labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.options import AsJson, Lake, settings
from workbench.cli.output import display
from workbench.cli.reconcile_options import BookFile, By, Proposals
from workbench.errors import InputError

if TYPE_CHECKING:
    from workbench.settings import Settings

app = typer.Typer(
    no_args_is_help=True, help="Look at proposals that need a person; the score is hidden first."
)

CaseNumber = Annotated[int, typer.Argument(min=1, help="The case's number.")]
Left = Annotated[str, typer.Option("--left", help="Ids of left records, with commas between.")]
Right = Annotated[str, typer.Option("--right", help="Ids of right records, with commas between.")]

_VERDICTS = {"a": "accept", "r": "reject", "p": "repair", "s": "split"}
_ASK = "[a]ccept, [r]eject, re-[p]air, [s]plit, s[k]ip, [u]ndo the last, [q]uit: "


@app.command(name="open")
def open_(
    proposals: Proposals,
    plan: Annotated[
        Path | None, typer.Option(help="The plan of the ledgers, whose records reviewers are shown.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the draw of the audit.")] = 1,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take out open reviews that are not among these.")
    ] = False,
    book: BookFile = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Put what goes to review into the queue, and an audit of what is accepted."""
    from workbench.workflows.reviewing import open_review

    view = open_review(proposals, plan=plan, seed=seed, replace=replace, book=book, settings=settings(lake))
    display(view, as_json)


@app.command(name="next")
def next_(by: By, book: BookFile = None, lake: Lake = None, as_json: AsJson = False) -> None:
    """Take the next case for half an hour and show it, without its score; the status where none is left."""
    from workbench.workflows.reviewing import next_case, review_status

    case = next_case(by, book=book, settings=settings(lake))
    if case is not None:
        display(case, as_json)
        return
    if not as_json:
        typer.echo("no case is left that nobody else has taken")
    display(review_status(book=book, settings=settings(lake)), as_json)


@app.command()
def verdict(
    case_id: CaseNumber,
    verdict: Annotated[str, typer.Argument(help="accept, reject, repair or split.")],
    by: By,
    left: Left = "",
    right: Right = "",
    note: Annotated[str, typer.Option(help="Kept with the verdict.")] = "",
    book: BookFile = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Give a verdict on a case, or change your own; then the score is shown."""
    from workbench.workflows.reviewing import give_verdict

    view = give_verdict(
        case_id,
        verdict,
        by=by,
        left_ids=_ids(left),
        right_ids=_ids(right),
        note=note,
        book=book,
        settings=settings(lake),
    )
    display(view, as_json)


@app.command()
def work(by: By, book: BookFile = None, lake: Lake = None) -> None:
    """Work the queue off at the terminal; every verdict is kept at once, so stop whenever you like."""
    from workbench.workflows.reviewing import next_case

    chosen = settings(lake)
    skipped: set[int] = set()
    last: int | None = None
    while (case := next_case(by, skip=skipped, book=book, settings=chosen)) is not None:
        display(case, False)
        answer = _asked(_ASK)
        if answer == "q":
            return
        if answer == "k":
            skipped.add(case.case_id)
        elif answer == "u" and last is None:
            typer.echo("there is no verdict of this session to undo")
        elif answer == "u" and last is not None:
            _ask_verdict(last, by, book, chosen)
        elif answer in _VERDICTS and _give(case.case_id, answer, by, book, chosen):
            last = case.case_id
        elif answer not in _VERDICTS:
            typer.echo(f"given {answer!r}; allowed: a, r, p, s, k, u or q")
    typer.echo(
        "no open case is left" if not skipped else f"only what you skipped is left: {len(skipped)} cases"
    )


@app.command(name="import")
def import_(
    file: Annotated[Path, typer.Argument(help='JSON, such as {"case": 7, "verdict": "accept"} a line.')],
    by: By,
    book: BookFile = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Keep the verdicts of a file; what is kept already is not kept twice."""
    from workbench.workflows.reviewing import import_verdicts

    display(import_verdicts(file, by=by, book=book, settings=settings(lake)), as_json)


@app.command(name="list")
def list_(
    undecided: Annotated[bool, typer.Option("--open", help="Only open cases.")] = False,
    decided: Annotated[bool, typer.Option("--decided", help="Only decided cases.")] = False,
    book: BookFile = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """List the cases, those first whose label is worth most."""
    from workbench.workflows.reviewing import list_cases

    which = None if undecided == decided else decided
    display(list_cases(decided=which, book=book, settings=settings(lake)), as_json)


@app.command()
def show(case_id: CaseNumber, book: BookFile = None, lake: Lake = None, as_json: AsJson = False) -> None:
    """Show one case; its score only if it is decided."""
    from workbench.workflows.reviewing import show_case

    display(show_case(case_id, book=book, settings=settings(lake)), as_json)


@app.command()
def status(book: BookFile = None, lake: Lake = None, as_json: AsJson = False) -> None:
    """Show how far the review is."""
    from workbench.workflows.reviewing import review_status

    display(review_status(book=book, settings=settings(lake)), as_json)


@app.command()
def labels(
    output: Annotated[Path, typer.Argument(help="Parquet file to write.")],
    book: BookFile = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Write the labels that the review gave, each with its origin."""
    from workbench.workflows.reviewing import write_labels

    display(write_labels(output, book=book, settings=settings(lake)), as_json)


@app.command()
def retrain(
    plan: Annotated[Path, typer.Argument(help="The plan of the ledgers.", metavar="PLAN")],
    by: By,
    labels: Annotated[
        Path | None, typer.Option(help="Labels from outside besides: CSV with left_id, right_id, or Parquet.")
    ] = None,
    complete: Annotated[
        bool, typer.Option("--complete", help="Those from outside name every match that there is.")
    ] = False,
    estimator: Annotated[str | None, typer.Option(help="As of `workbench reconcile train`.")] = None,
    model: Annotated[
        Path | None, typer.Option(help="File to save the model in; the plan's own in the lake by default.")
    ] = None,
    book: BookFile = None,
    lake: Lake = None,
    as_json: AsJson = False,
) -> None:
    """Train the model anew with the review's labels; the certificate is void until a new one is earned."""
    from workbench.workflows.retraining import retrain as train_anew

    view = train_anew(
        plan,
        author=by,
        labels=labels,
        complete=complete,
        estimator=estimator,
        model=model,
        book=book,
        settings=settings(lake),
    )
    display(view, as_json)


def _ids(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _asked(question: str) -> str:
    """Ask at the terminal; the end of the input, as after Ctrl-D, is to quit."""
    try:
        return input(question).strip()
    except EOFError:
        typer.echo()
        return "q"


def _ask_verdict(case_id: int, by: str, book: Path | None, chosen: Settings) -> None:
    answer = _asked(f"case {case_id}, verdict anew: [a]ccept, [r]eject, re-[p]air, [s]plit, or nothing: ")
    if answer in _VERDICTS:
        _give(case_id, answer, by, book, chosen)


def _give(case_id: int, answer: str, by: str, book: Path | None, chosen: Settings) -> bool:
    """Keep a verdict and show the score; tell what is wrong with it and return False where it is refused."""
    from workbench.workflows.reviewing import give_verdict

    left = right = ""
    if answer in "ps":
        left = _asked("left ids, with commas between (nothing: the case's own): ")
        right = _asked("right ids, with commas between (nothing: the case's own; none to re-pair): ")
    try:
        view = give_verdict(
            case_id,
            _VERDICTS[answer],
            by=by,
            left_ids=_ids(left),
            right_ids=_ids(right),
            book=book,
            settings=chosen,
        )
    except InputError as error:
        typer.echo(str(error))
        return False
    for line in view.remarks():
        typer.echo(line)
    typer.echo()
    return True
