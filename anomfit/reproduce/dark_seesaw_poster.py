"""The numbers of the poster that came before arXiv:2007.11813 and explains KOTO too, with the points of the paper."""

from collections.abc import Callable, Mapping
from functools import partial

from anomfit.data import load_record
from anomfit.reproduce.dark_seesaw import LABELS, Benchmarks, benchmarks, states_at_points
from anomfit.reproduce.dark_seesaw_decays import decays_at_points
from anomfit.reproduce.inputs import Input
from anomfit.reproduce.statements import Computed


def calculations() -> tuple[tuple[Callable[[], Mapping[str, Computed]], ...], Mapping[str, Input]]:
    """All groups of calculations, in the order of the statements, and the inputs of the paper's points."""
    given = benchmarks()
    return (partial(numbers, given),), given.inputs


def numbers(given: Benchmarks) -> dict[str, Computed]:
    """KOTO's rate over the Standard Model's, and what the third heavy neutrino of the paper's points is."""
    states, decays = states_at_points(given), decays_at_points(given)
    point = given.points[LABELS[0]]
    lengths = f"All points: {decays.values('ctau_6')} cm; with the parities {decays.values('ctau_6_parities')} cm."
    shortest = decays.extreme(("ctau_6",), choose=min)
    return {
        "m_Zprime": Computed(point["m_Zprime"], slopes={"m_Zprime": 1.0}),
        "koto_over_standard_model": _koto(),
        "third_lightest": states.extreme(("m_6",), choose=min),
        "third_heaviest": states.extreme(("m_6",)),
        "third_life": shortest._replace(detail=f"{shortest.detail} {lengths}"),
    }


def _koto() -> Computed:
    """Three of the four candidates, one being suspect, at one event's branching ratio."""
    parts = load_record("koto/eras").parts
    seen, expected = parts["2019"].values, parts["standard_model"].values
    rate = (seen["observed"] - 1.0) * seen["ses"]
    others = expected["rate_paper"]
    words = f"Over a rate of {expected['rate']:.3g}; over {others:.3g} it is {rate / others:.0f}."
    return Computed(float(rate / expected["rate"]), words)
