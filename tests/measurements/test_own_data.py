"""A user's own spectrum or moment from a CSV file: the prediction of what it is like, with errors of its own."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.capabilities import PredictsLeptonMoment, Upscatters
from anomfit.catalogue import find_measurement
from anomfit.errors import InputError
from anomfit.measurements.base import Measurement, Prediction
from anomfit.userfiles import resolve_measurement

OWN_BINS = [(b.low, b.high) for b in find_measurement("microboone").bins()]
HEADER = (
    "#: name: Figure 7\nEvis [MEV],Evis [MEV] LOW,Evis [MEV] HIGH,data [events],stat +,stat -,sys +,sys -,background\n"
)


def rows(bins, data=20.0):
    return "".join(f"{500 * (a + b)},{1e3 * a},{1e3 * b},{data},3,-4,4,-3,12\n" for a, b in bins)


@pytest.fixture
def own(tmp_path):
    """The measurement of a table, with its options; other files beside it as keyword "files"."""

    def load(text=None, files=None, **options):
        (tmp_path / "my.csv").write_text(HEADER + rows(OWN_BINS) if text is None else text)
        for name, content in (files or {}).items():
            (tmp_path / name).write_text(content)
        given = {"like": "microboone", "exposure": "6.87e20", **options}
        return resolve_measurement(str(tmp_path / "my.csv"), **{k: v for k, v in given.items() if v is not None})

    return load


def predicting(measurement, signal):
    """The measurement with a prediction of our own below it: what it adds to one is looked at here."""
    like = SimpleNamespace(predict=lambda *_: Prediction({"all": jnp.asarray(signal)}, {"made": jnp.asarray(7.0)}))
    return type(measurement)(**{**vars(measurement), "like": like})


def test_beam_target_response_and_efficiency_are_those_of_the_measurement(own):
    mine, theirs = own(), find_measurement("microboone")
    np.testing.assert_allclose(mine.like.search.response.table, theirs.search.response.table, rtol=1e-12)
    jax.tree.map(np.testing.assert_array_equal, mine.like.search.beam, theirs.search.beam)
    assert mine.accepts == (Upscatters,)
    assert float(mine.scale) == pytest.approx(1.0)
    assert "those of microboone" in mine.choices["like"]
    assert [n.name for n in mine.nuisances] == [n.name for n in theirs.nuisances if "background" not in n.name]
    assert isinstance(mine, Measurement)
    np.testing.assert_allclose([(b.low, b.high) for b in mine.bins()], OWN_BINS, rtol=1e-12)
    assert {(b.label, b.unit, b.data, b.background, b.error) for b in mine.bins()} == {("Evis", "GeV", 20.0, 12.0, 5.0)}
    assert (mine.name, mine.independent_numbers) == ("my", len(OWN_BINS))


def test_a_spectrum_of_miniboone_in_its_own_bins_is_miniboones(own):
    theirs = find_measurement("miniboone:evis")
    bins = [(b.low, b.high) for b in theirs.bins()]
    mine = own(HEADER + rows(bins), like="miniboone:evis", exposure="18.75e20")
    table = mine.like.chain.response.table
    np.testing.assert_allclose(table[..., 1:], theirs.chain.response.table[..., 1:], rtol=1e-12, atol=1e-14)
    events = np.asarray(mine.like.transmutation.events)
    np.testing.assert_allclose(events[:, 1:], np.asarray(theirs.transmutation.events)[:, 1:], rtol=1e-12)
    assert np.all(events[:, 0] <= np.asarray(theirs.transmutation.events)[:, 0])  # the published one is open below
    assert float(mine.scale) == pytest.approx(1.0)
    assert [n.name for n in mine.nuisances] == ["miniboone_efficiency", "miniboone_dirt"]


def test_a_distribution_in_angle_is_not_binned_anew(own):
    with pytest.raises(InputError, match="its bins have angles; use miniboone:evis"):
        own(like="miniboone:costheta")


def test_two_halves_of_a_bin_have_the_whole_bins_response(own):
    low, high = OWN_BINS[1]
    halves = [(low, 0.5 * (low + high)), (0.5 * (low + high), high)]
    whole = find_measurement("microboone").search.response.table[..., 1]
    table = own(HEADER + rows(halves)).like.search.response.table
    np.testing.assert_allclose(table.sum(axis=-1), whole, rtol=1e-10, atol=1e-14)


def test_the_signal_scales_with_the_exposure_and_asymmetric_errors_take_their_sides(own):
    mine = predicting(own(exposure="1.374e21"), [1.0, 2.0, 3.0, 4.0, 5.0, 10.0])
    found = mine.predict(None, {}, {})
    np.testing.assert_allclose(found.total, 2.0 * np.array([1.0, 2.0, 3.0, 4.0, 5.0, 10.0]), rtol=1e-12)
    assert float(found.before_efficiency["made"]) == pytest.approx(14.0)
    residual = np.asarray(found.total) + 12.0 - 20.0  # both errors are 5: 3 and 4 in quadrature on either side
    assert float(mine.chi_squared(found, {})) == pytest.approx(np.sum((residual / 5.0) ** 2))
    np.testing.assert_allclose(mine.pulls(found, {}), -residual / 5.0, rtol=1e-12)
    text = (HEADER + rows(OWN_BINS)).replace(",3,-4,4,-3,", ",3,-1,0,0,")
    mine = predicting(own(text), [1.0, 1.0, 1.0, 1.0, 1.0, 10.0])
    found = mine.predict(None, {}, {})
    assert float(mine.chi_squared(found, {})) == pytest.approx(5.0 * 7.0**2 / 1.0 + (2.0 / 3.0) ** 2)


def test_a_covariance_takes_the_place_of_the_errors(own):
    matrix = 9.0 * np.eye(6) + 4.0
    names = ",".join(f"bin {i}" for i in range(6))
    text = f"{names}\n" + "\n".join(",".join(map(str, row)) for row in matrix) + "\n"
    mine = predicting(own(files={"cov.csv": text}, covariance="cov.csv"), np.arange(6.0))
    found = mine.predict(None, {}, {})
    residual = np.arange(6.0) + 12.0 - 20.0
    assert float(mine.chi_squared(found, {})) == pytest.approx(residual @ np.linalg.solve(matrix, residual), rel=1e-12)
    thrown = jax.vmap(lambda key: mine.simulate(found, {}, key).data)(jax.random.split(jax.random.key(1), 4000))
    np.testing.assert_allclose(np.cov(thrown.T), matrix, atol=1.0)


def test_a_moment_is_one_number_with_two_errors(own):
    mine = own("Delta a_mu,total +,total -\n2.5e-9,0.6e-9,-0.5e-9\n", like="g-2-muon", exposure=None)
    assert (mine.name, mine.era, mine.accepts) == ("g-2-muon", "own", (PredictsLeptonMoment,))
    numbers = [float(x) for x in (mine.value, mine.sigma_minus, mine.sigma_plus)]
    assert numbers == pytest.approx([2.5e-9, 0.5e-9, 0.6e-9])
    assert mine.samples == find_measurement("g-2-muon").samples  # never fitted together with the shipped number


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        (None, {"exposure": None}, ["my.csv", "exposure", "protons on target"]),
        (None, {"exposure": "many"}, ["my.csv.exposure", "'many'"]),
        (None, {"exposure": "-1"}, ["my.csv.exposure", "above 0"]),
        (None, {"like": "lsnd"}, ["my.csv.like", "'lsnd'", "microboone"]),
        (None, {"beam": "bnb"}, ["my.csv.beam", "like, exposure, covariance"]),
        (None, {"covariance": "none.csv"}, ["none.csv", "no such file"]),
        (HEADER.replace(" LOW", " FROM") + rows(OWN_BINS), {}, ["E [GEV] LOW"]),
        (HEADER.replace("[MEV]", "") + rows(OWN_BINS), {}, ["no unit"]),
        (HEADER.replace("sys -", "sys") + rows(OWN_BINS), {}, ["'sys +'", "'sys -'"]),
        ((HEADER + rows(OWN_BINS)).replace(",3,-4,4,-3,", ",0,0,0,0,"), {}, ["error in it is 0"]),
        ("x,error\n1,2\n3,4\n", {"like": "g-2-muon", "exposure": None}, ["one number", "2 rows"]),
        ("x\n1\n", {"like": "g-2-muon", "exposure": None}, ["'x' has no error", "stat +"]),
        ("x,error\n1,2\n", {"like": "g-2-muon"}, ["exposure", "leave it out"]),
    ],
)
def test_what_is_missing_is_refused_in_one_sentence(own, text, options, words):
    with pytest.raises(InputError) as caught:
        own(text, **options)
    said = str(caught.value)
    assert "\n" not in said
    for word in words:
        assert word in said, said
