"""`anomfit predict`: the promised JSON, many points in one go, and the same numbers as the model itself."""

import csv
import json
import shutil
from pathlib import Path

import jax.numpy as jnp
import pytest

from anomfit import prediction
from anomfit.userfiles import resolve_model

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
KEYS = {
    "schema_version",
    "model",
    "measurement",
    "era",
    "point",
    "bins",
    "interactions",
    "before_efficiency",
    "total_signal",
}
BIN_KEYS = {"label", "low", "high", "unit", "data", "background", "signal"}


def moment(model: str, **point: float) -> float:
    return float(resolve_model(model).lepton_moment({k: jnp.asarray(v) for k, v in point.items()}, "muon"))


def test_the_json_is_the_documented_one_and_its_number_is_the_models(anomfit, model, measurement):
    outcome = anomfit("predict", model, measurement, "--json", "--set", "m_dark=30MeV", "--option", "scale=2.0")
    assert (outcome.status, outcome.err) == (0, "")
    found = json.loads(outcome.out)
    assert set(found) == KEYS
    assert set(found["bins"][0]) == BIN_KEYS
    assert (found["model"], found["measurement"], found["era"]) == ("dark-photon", "my-muon", "example")
    assert found["point"] == pytest.approx({"m_dark": 0.03, "epsilon": 1e-3})
    assert found["bins"][0]["low"] is None  # a pure number has no edges, and JSON has no NaN
    assert found["bins"][0]["data"] == pytest.approx(5.0e-9)
    assert found["total_signal"] == pytest.approx(moment(model, m_dark=0.03, epsilon=1e-3), rel=1e-12)
    assert found["total_signal"] == pytest.approx(sum(entry["signal"] for entry in found["bins"]))


def test_the_table_shows_point_choices_and_components(anomfit, model, measurement):
    shown = anomfit("predict", model, measurement).out
    for words in ["dark-photon -> my-muon:example", "m_dark = 0.1", "error: Gaussian", "moment", "total signal"]:
        assert words in shown


@pytest.mark.parametrize("count", [1, prediction.BATCH, prediction.BATCH + 3])
def test_many_points_are_json_lines_in_the_order_of_the_file(anomfit, model, measurement, tmp_path, count):
    values = [1e-4 * (1 + i) for i in range(count)]
    with (tmp_path / "points.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["epsilon", "m_dark"], *([value, "30 MeV"] for value in values)])
    outcome = anomfit("predict", model, measurement, "--points", "points.csv", "--json")
    rows = [json.loads(line) for line in outcome.out.splitlines()]
    assert [row["point"]["epsilon"] for row in rows] == pytest.approx(values)
    unit = moment(model, m_dark=0.03, epsilon=1.0)
    assert [row["total_signal"] for row in rows] == pytest.approx([unit * v**2 for v in values], rel=1e-12)


def test_many_points_trace_the_model_once(model, measurement):
    from anomfit.userfiles import resolve_measurement

    class Counting:
        traces = 0

        def __init__(self, inner):
            self.__dict__.update(vars(inner))

        def lepton_moment(self, point, lepton):
            Counting.traces += 1
            return jnp.asarray(1.0) * point["epsilon"]

    counting = Counting(resolve_model(model))
    chosen = counting.parametrisations["physical"]
    data = resolve_measurement(measurement)
    for epsilon in (1e-3, 2e-3):
        points = [{"m_dark": 0.1, "epsilon": epsilon * (1 + i)} for i in range(3 * prediction.BATCH - 1)]
        reports = prediction.predict(counting, data, chosen, points)
        assert [r.total[0] for r in reports] == pytest.approx([p["epsilon"] for p in points])
    assert Counting.traces <= 2  # shape inference and the program itself, however many points and calls


@pytest.mark.slow
def test_the_benchmark_in_miniboone_has_coherent_and_incoherent_events(anomfit):
    outcome = anomfit("predict", "two-higgs-doublet", "miniboone", "--json")
    assert (outcome.status, outcome.err) == (0, "")
    found = json.loads(outcome.out)
    assert set(found) == KEYS
    assert all(set(entry) == BIN_KEYS for entry in found["bins"])
    assert {"coherent", "incoherent"} <= set(found["before_efficiency"])
    assert 0.0 < found["total_signal"] < sum(found["before_efficiency"].values())
    edges = [(entry["low"], entry["high"]) for entry in found["bins"]]
    assert all(low < high for low, high in edges)


UNDEFINED = """
import jax.numpy as jnp

from {module} import DarkPhoton


class Undefined(DarkPhoton):
    def lepton_moment(self, point, lepton):
        return super().lepton_moment(point, lepton) * jnp.{value}


model = Undefined()
"""


@pytest.fixture
def undefined(tmp_path):
    """A model whose moment is NaN, or infinite, everywhere."""

    def write(value: str) -> str:
        shutil.copy(EXAMPLES / "my_model.py", tmp_path / "sound.py")
        (tmp_path / "undefined.py").write_text(UNDEFINED.format(module="sound", value=value))
        return "undefined.py:model"

    return write


def strictly(text: str):
    """The JSON in `text`; NaN and Infinity, which JSON does not know, are errors."""

    def unknown(name):
        raise ValueError(name)

    return json.loads(text, parse_constant=unknown)


@pytest.mark.parametrize(("value", "words"), [("nan", "not a number"), ("inf", "infinite")])
def test_a_signal_that_is_not_finite_is_null_in_json_and_words_in_the_table(
    anomfit, undefined, measurement, tmp_path, value, words
):
    model = undefined(value)
    found = strictly(anomfit("predict", model, measurement, "--json").out)
    assert found["total_signal"] is None
    assert [entry["signal"] for entry in found["bins"]] == [None]
    (tmp_path / "points.csv").write_text("epsilon\n1e-3\n2e-3\n")
    lines = anomfit("predict", model, measurement, "--points", "points.csv", "--json").out.splitlines()
    assert [strictly(line)["total_signal"] for line in lines] == [None, None]
    outcome = anomfit("predict", model, measurement)
    assert outcome.status == 0
    assert f"total signal: {words}" in outcome.out
    assert "no finite number in 1 of 1 bins" in outcome.out
    assert "nan" not in outcome.out.replace("predict", "")


def test_a_prediction_is_drawn_and_bad_names_are_refused(anomfit, tmp_path):
    """The table stays on standard output; nothing is computed before a bad name is refused."""
    drawn = tmp_path / "spectrum.png"
    done = anomfit("predict", "oscillation", "miniboone", "--figure", str(drawn), "--json")
    assert done.status == 0
    assert json.loads(done.out)["total_signal"] > 0.0
    assert drawn.read_bytes().startswith(b"\x89PNG")
    (tmp_path / "table.csv").write_text("sin2_2theta\n0.1\n")
    for arguments, word in (
        (("miniboone", "--figure", str(tmp_path / "spectrum.jpeg2")), "format"),
        (("miniboone", "--figure", str(tmp_path / "nowhere" / "a.png")), "nowhere"),
        (("miniboone", "--figure", str(drawn), "--points", str(tmp_path / "table.csv")), "--points"),
    ):
        refused = anomfit("predict", "oscillation", *arguments)
        assert refused.status != 0
        assert word in refused.err


def test_every_listing_is_json_for_every_reader(anomfit):
    for verb in ("models", "measurements"):
        assert strictly(anomfit(verb, "--json").out)
