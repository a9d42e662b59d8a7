"""The verbs, put together into one command."""

import functools
from collections.abc import Callable
from typing import Annotated

import typer

from anomfit.cli import (
    constraining,
    fitting,
    listing,
    optimising,
    planes,
    predicting,
    reporting,
    scanning,
    tabulating,
    toying,
)


class Carried(Exception):
    """An interrupt, or an error of the output, on its way through typer, which would make a bare status of it."""

    def __init__(self, error: KeyboardInterrupt | OSError):
        super().__init__(error)
        self.error = error


def _carrying(verb: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(verb)
    def call(*arguments, **options) -> None:
        try:
            verb(*arguments, **options)
        except (KeyboardInterrupt, OSError) as error:
            raise Carried(error) from error
        except SystemExit as error:  # how rich ends where the reader of a table has gone
            raise Carried(BrokenPipeError()) from error

    return call


app = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)

for verb in (
    listing.models,
    listing.measurements,
    listing.card,
    predicting.predict,
    constraining.constraints,
    fitting.fit,
    fitting.sample,
    optimising.optimise,
    scanning.scan,
    planes.plane,
    tabulating.tables,
    toying.toys,
    reporting.plot,
    reporting.table,
    reporting.cite,
    reporting.reproduce,
):
    app.command()(_carrying(verb))


def command():
    """The whole command line as one callable command."""
    return typer.main.get_command(app)


def _show_version(wanted: bool) -> None:
    if wanted:
        from anomfit import __version__

        print(f"anomfit {__version__}")
        raise typer.Exit


@app.callback()
def anomfit(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
):
    """Fit light new physics to the low-energy anomalies: MiniBooNE, LSND, KOTO, g-2, and what constrains them.

    \b
    A first session:
      anomfit models                                     what can be fitted
      anomfit measurements                               to which data
      anomfit predict two-higgs-doublet miniboone        a benchmark beside the data
      anomfit constraints two-higgs-doublet              how far it is from every other limit
      anomfit fit two-higgs-doublet --out my-fit         best fit, posterior, figures, report
      anomfit optimise dark-scalar-2019                  points that satisfy every condition of a card
      anomfit scan oscillation --number 1e5              a table of points with -2 ln L, on any number of machines
      anomfit plane oscillation --x sin2_2theta --y delta_m2   contours over two parameters
      anomfit tables two-higgs-doublet-miniboone         kernels for a fast likelihood, built once
      anomfit toys my-fit                                how good p-values and intervals are
      anomfit constraints my-fit                         the best fit of a result against every limit
      anomfit predict my-fit miniboone:evis              what a result predicts, with the posterior's bands
      anomfit table my-fit --latex                       its parameters, for a paper
      anomfit cite my-fit                                what to cite for it

    \b
    A fit of your own:
      anomfit card two-higgs-doublet > my.toml           then edit: free, fixed, measurements
      anomfit fit my.toml

    'anomfit VERB --help' explains each verb with examples. Masses are in GeV unless a unit is given (130MeV).
    Compiled programs are kept in the user's cache folder; ANOMFIT_CACHE=off or --no-cache switches that off.
    """
