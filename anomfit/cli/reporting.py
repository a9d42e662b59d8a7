"""`anomfit plot`, `anomfit table`, `anomfit cite`, `anomfit reproduce`: what comes after a fit."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from anomfit.cli.options import AsJson, NoCache, Out, print_json, start_jax
from anomfit.errors import InputError

ResultName = Annotated[Path, typer.Argument(help="A result: the folder of a fit, or its result.nc.")]


def plot(
    result: ResultName,
    parameters: Annotated[
        tuple[str, str] | None,
        typer.Option("--parameters", metavar="X Y", help="Draw the posterior of these two alone."),
    ] = None,
    out: Out = None,
    no_cache: NoCache = False,
) -> None:
    """Draw the figures of a result again: spectrum, corner plot and pulls; or the posterior of two parameters.

    With --parameters there is one figure, plane-X-Y.png: the best fit, and the regions of highest density that hold 68
    and 95 % of the posterior.

    \b
    Examples:
      anomfit plot my-fit
      anomfit plot my-fit/result.nc --out figures
      anomfit plot my-fit --parameters m_N2 m_N1
    """
    start_jax(no_cache)
    from anomfit.folders import named_folder, result_file
    from anomfit.results.files import load_result

    path = result_file(result)
    loaded = load_result(path)
    folder = path.parent if out is None else named_folder(out)
    if parameters is not None:
        from anomfit.plotting.plane import save_plane

        print(save_plane(loaded, *parameters, folder))
        return
    from anomfit.plotting import save_figures

    failures: list[str] = []
    for figure in save_figures(loaded, folder, failures.append):
        print(figure)
    if failures:
        raise InputError("; ".join(failures))


def table(
    result: ResultName,
    latex: Annotated[bool, typer.Option("--latex", help="Print a LaTeX tabular.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
) -> None:
    """Print the parameters of a result: best fit, error, 68 % interval, and the posterior where there is one.

    \b
    Examples:
      anomfit table my-fit
      anomfit table my-fit --latex > parameters.tex
    """
    from rich.console import Console

    from anomfit.folders import result_file
    from anomfit.results.files import load_result
    from anomfit.results.parameter_table import latex_table, parameter_table

    if latex and markdown:
        raise InputError("--latex and --markdown exclude each other; give one of the two")
    loaded = load_result(result_file(result))
    if latex:
        print(latex_table(loaded))
    elif markdown:
        print(parameter_table(loaded).markdown())
    else:
        (Console() if sys.stdout.isatty() else Console(width=150)).print(parameter_table(loaded).rich())


def cite(
    subject: Annotated[str, typer.Argument(metavar="RESULT_OR_MODEL", help="A result, a card or a model's name.")],
    bibtex: Annotated[bool, typer.Option("--bibtex", help="Print BibTeX entries.")] = False,
) -> None:
    """List what a result rests on, ready to cite: model, measurements, methods, software, with INSPIRE keys.

    What a file of yours cites comes from the card (bibtex = '...') or from a .bib file beside yours.

    \b
    Examples:
      anomfit cite my-fit
      anomfit cite two-higgs-doublet --bibtex > references.bib
    """
    from anomfit.citing import cited
    from anomfit.results.citations import as_bibtex

    found = cited(subject)
    if bibtex:
        print(as_bibtex(found.entries), end="")
    for citation in found.entries if not bibtex else ():
        print(f"{citation.kind}: {citation.text}")
    if found.missing:
        print(f"anomfit: {found.complaint}", file=sys.stderr)


def reproduce(
    paper: Annotated[str | None, typer.Argument(help="An arXiv number or its alias; default: all papers.")] = None,
    as_json: AsJson = False,
    figures: Annotated[
        str | None, typer.Option(metavar="DIR", help="Also remake the paper's figures in this folder.")
    ] = None,
    no_cache: NoCache = False,
) -> None:
    """Compute the numbers that the papers state, and say for each whether it agrees.

    At the end stand the numbers that have no row, with the reason, and counts by verdict and kind.

    \b
    Examples:
      anomfit reproduce
      anomfit reproduce 2010.06159 --json
      anomfit reproduce 2010.06159 --figures paper-figures
    """
    start_jax(no_cache)
    from anomfit.folders import made_folder, named_folder
    from anomfit.reproduce import count_lines, not_computed
    from anomfit.reproduce import reproduce as reproduce_papers

    rows, left = reproduce_papers(paper), not_computed(paper)
    folder = None if figures is None else made_folder(named_folder(figures))
    shown = []
    for row in rows:
        shown.append(row)
        if as_json:
            print_json(row.as_json(), indent=None)
        else:
            print(row.line, flush=True)
    for entry in left:
        if as_json:
            print_json(entry.as_json(), indent=None)
        else:
            print(entry.line)
    if not as_json:
        print("\n".join(count_lines(shown)))
    if folder is not None:
        from anomfit.plotting.papers import save_paper_figures

        for path in save_paper_figures(folder, paper):
            print(path, file=sys.stderr)
