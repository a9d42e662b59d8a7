import dataclasses
import hashlib
import io
import json

import h5py
import numpy as np
import pytest
import xarray

from anomfit.errors import InputError
from anomfit.inference.compare.goodness import Goodness, MeasurementFit
from anomfit.inference.compare.significance import Gain, Significance
from anomfit.inference.fit.minimise import Fit, Optimum
from anomfit.inference.fit.minos import MinosError
from anomfit.inference.fit.uncertainties import FlatDirection, Hesse
from anomfit.inference.sample.chains import Samples, SampleSettings
from anomfit.inference.sample.diagnostics import diagnose
from anomfit.inference.sample.nuts import Tuning
from anomfit.measurements.base import Bin
from anomfit.results import seal
from anomfit.results.files import load_result, save_result
from anomfit.results.plain import from_plain, to_json
from anomfit.results.result import FreeCoordinate, Provenance, Result, Spectrum, software_versions
from anomfit.results.summary import print_summary, tables, write_report
from anomfit.statistics.tension import Minimum, Tension

CARD = 'model = "toy"\n[free]\nmass = [1.0, 2.0]  # GeV, "quoted" and ünicode\n' + "# padding\n" * 10_000


def _samples() -> Samples:
    rng = np.random.default_rng(5)
    z = rng.normal(size=(2, 60, 2))
    values = {"mass": np.exp(z[:, :, 0]), "shift": z[:, :, 1]}
    shape = z.shape[:2]
    stats = {name: rng.normal(size=shape) for name in ("log_posterior", "log_likelihood", "energy", "acceptance_rate")}
    stats |= {"n_steps": rng.integers(1, 64, size=shape), "diverging": rng.random(shape) < 0.1}
    settings = SampleSettings(chains=2, draws=60, max_draws=60, tuning=Tuning(warmup=10))
    derived = {"width": values["mass"] ** 2}
    return Samples(values, derived, z, stats, diagnose(values), settings, 12.5, 3.5, True)


def _result() -> Result:
    coordinates = (
        FreeCoordinate("mass", "m", "GeV", 1.0, 2.0, "log-uniform"),
        FreeCoordinate("shift", "s", "sigma", -np.inf, np.inf, "pull"),
    )
    origin = Provenance(
        card=CARD,
        seed=7,
        model="toy",
        parametrisation="own",
        coordinates=coordinates,
        fixed={"width": 0.1},
        measurements=("counts:2020",),
        choices={"counts:2020": {"efficiency": "published"}},
        references=("toy:2020",),
        versions=software_versions(),
        created="2026-01-01T00:00:00+00:00",
    )
    optima = (Optimum({"mass": 1.5, "shift": 0.1}, 3.25, 5), Optimum({"mass": 1.1, "shift": 0.0}, 4.5, 1))
    fit = Fit({"mass": 1.5}, {"shift": 0.1}, 3.25, 1e-7, 1e-4, optima, 128, 6, 5, True, "converged", 2.0)
    hesse = Hesse(
        names=("mass", "shift"),
        errors={"mass": 0.1, "shift": 1.0},
        low={"mass": 1.4, "shift": -0.9},
        high={"mass": 1.6, "shift": 1.1},
        covariance=np.array([[0.01, 0.08], [0.08, 1.0]]),
        hessian=np.array([[500.0, -40.0], [-40.0, 5.0]]),
        flat=(FlatDirection({"mass": 1.0}, 1.0),),
        notes={"mass": "the error reaches a bound"},
        effective_parameters=1,
    )
    minos = (MinosError("mass", 1.5, 1.3, None, "MINOS", "no upper limit inside the range"),)
    measured = MeasurementFit("counts", "2020", 3.0, 2, 0.22, 1.6, "p-value asymptotic: 1 of 2 bins")
    limit = MeasurementFit("charm", "1985", 0.4, 0, None, 0.6, "")
    goodness = Goodness((measured, limit), 3.01, 0.01, 0.4, 2, 1, 0.08, "")
    significance = Significance((Gain("counts:2020", 12.0, 3.0), Gain("nuisance pulls", 0.2, 0.01)), {"shift": 0.4})
    bins = (Bin("a", 0.2, 0.3, "GeV", 5.0, 3.0, 2.0), Bin("b", 0.3, float("nan"), "GeV", 1.0, 0.5, 1.0))
    predictive = np.random.default_rng(1).normal(size=(2, 10, 2))
    best, pulls, replicas = {"coherent": np.array([1.0, 0.2])}, np.array([0.5, -1.6]), np.round(4.0 + predictive)
    spectrum = Spectrum("counts", "2020", "Counts", bins, best, pulls, predictive, True, replicas)
    tension = Tension("counts:2020", Minimum(9.0, 2), Minimum(3.0, 1, 1.5), Minimum(2.0, 2, 2.5), "one nuisance")
    log_likelihood = -0.5 * np.random.default_rng(2).chisquare(2, size=(2, 60, 1))
    return Result(
        origin, fit, hesse, minos, goodness, significance, _samples(), (spectrum,), (tension,), log_likelihood
    )


def _assert_same(first, second):
    """Field by field, arrays to the last bit, nan equal to nan."""
    assert type(first) is type(second)
    if dataclasses.is_dataclass(first):
        for field in dataclasses.fields(first):
            _assert_same(getattr(first, field.name), getattr(second, field.name))
    elif isinstance(first, dict):
        assert list(first) == list(second)
        for name in first:
            _assert_same(first[name], second[name])
    elif isinstance(first, tuple):
        assert len(first) == len(second)
        for one, other in zip(first, second, strict=True):
            _assert_same(one, other)
    elif isinstance(first, np.ndarray):
        assert first.dtype == second.dtype
        np.testing.assert_array_equal(first, second)
    else:
        np.testing.assert_equal(first, second)


def test_a_result_comes_back_as_it_was(tmp_path):
    result = _result()
    save_result(tmp_path / "result.nc", result)
    _assert_same(load_result(str(tmp_path / "result.nc")), result)
    assert [p.name for p in tmp_path.iterdir()] == ["result.nc"]


def test_a_fit_without_samples_comes_back(tmp_path):
    spectra = tuple(dataclasses.replace(s, predictive=None, replicas=None) for s in _result().spectra)
    nothing = {"samples": None, "goodness": None, "significance": None, "log_likelihood": None}
    bare = dataclasses.replace(_result(), minos=(), spectra=spectra, tensions=(), **nothing)
    save_result(tmp_path / "result.nc", bare)
    _assert_same(load_result(tmp_path / "result.nc"), bare)
    only = Result(bare.provenance)
    save_result(tmp_path / "only.nc", only)
    _assert_same(load_result(tmp_path / "only.nc"), only)


def test_arviz_reads_the_file_and_finds_the_provenance(tmp_path):
    import arviz

    save_result(tmp_path / "result.nc", _result())
    data = arviz.from_netcdf(str(tmp_path / "result.nc"))
    assert float(arviz.ess(data.posterior)["mass"]) > 10.0
    assert data.posterior["mass"].dims == ("chain", "draw")
    assert int(data.sample_stats["diverging"].sum()) == _samples().divergences
    with xarray.open_datatree(tmp_path / "result.nc", engine="h5netcdf") as tree:
        assert tree.attrs["card"] == CARD
        assert tree.attrs["eras"] == "counts:2020"
        assert tree.attrs["seed"] == 7
        assert tree["observed_data"]["counts:2020"].values.tolist() == [5.0, 1.0]


def test_posterior_predictive_is_the_same_kind_of_number_as_the_data(tmp_path):
    """ArviZ compares the two by name: both are counts with background; the signal alone stands elsewhere."""
    import arviz

    save_result(tmp_path / "result.nc", _result())
    data = arviz.from_netcdf(str(tmp_path / "result.nc"))
    replicas, observed = data.posterior_predictive["counts:2020"], data.observed_data["counts:2020"]
    assert replicas.dims[2:] == observed.dims
    assert float(replicas.mean()) == pytest.approx(4.0, abs=0.5)
    with xarray.open_datatree(tmp_path / "result.nc", engine="h5netcdf") as tree:
        assert float(tree["posterior_signal"]["counts:2020"].mean()) == pytest.approx(0.0, abs=0.5)


def test_leaving_one_measurement_out_means_something(tmp_path):
    import arviz

    save_result(tmp_path / "result.nc", _result())
    data = arviz.from_netcdf(str(tmp_path / "result.nc"))
    assert data.log_likelihood["measurements"].dims == ("chain", "draw", "measurement")
    assert data.log_likelihood["measurement"].values.tolist() == ["counts:2020"]


@pytest.mark.parametrize("damage", ["truncated", "foreign", "empty", "text", "missing", "no draws"])
def test_a_file_that_is_no_result_is_one_sentence(tmp_path, damage):
    path = tmp_path / "result.nc"
    save_result(path, _result())
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif damage == "foreign":
        xarray.Dataset({"x": ("n", [1.0])}).to_netcdf(path, engine="h5netcdf")
    elif damage == "missing":
        path.unlink()
    elif damage == "no draws":
        with xarray.open_datatree(path, engine="h5netcdf") as opened:
            tree = opened.map_over_datasets(xarray.Dataset.load)
        del tree["posterior"]
        path.unlink()
        tree.to_netcdf(path, engine="h5netcdf")
    else:
        path.write_text("" if damage == "empty" else "not a result")
    with pytest.raises(InputError, match="result"):
        load_result(path)


def test_a_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "result.nc"
    save_result(path, _result())
    before = path.read_bytes()

    def fails(*_, **__):
        raise OSError("no space left")

    monkeypatch.setattr(xarray.DataTree, "to_netcdf", fails)
    with pytest.raises(OSError, match="no space"):
        save_result(path, _result())
    assert path.read_bytes() == before


def test_a_best_fit_that_no_start_reached_is_said_to_come_from_polishing(tmp_path):
    result = _result()
    assert result.fit is not None
    polished = dataclasses.replace(result, fit=dataclasses.replace(result.fit, reached=0))
    write_report(tmp_path / "report.md", polished, [])
    assert "all 6 starts ended above it" in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_the_report_holds_numbers_verdicts_and_the_card(tmp_path):
    write_report(tmp_path / "report.md", _result(), ["The spread between choices is 7 %."])
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    for words in (
        "| mass | GeV | 1.5 | 1.4 .. 1.6 | 1.3 .. - |",
        "mass: the error reaches a bound.",
        "5 of 6 starts reached it",
        "| counts:2020 | 3.00 | 2 | 0.22 | 1.60 |",
        "The total has 1 degrees of freedom: 2 independent numbers less 1 effective parameters.",
        "| charm:1985 | 0.40 |",
        "| counts:2020 | 12.00 | 3.00 | +9.00 |",
        "a local significance of 3.0 standard deviations, masses fixed and one amplitude free",
        "Caution: fewer than 400 effective samples",
        "| counts:2020 | 4.00 | 1.50 | 2.50 | 1.0 (1.0 + 2.0 - 2.0) | 0.0455 | 2.0 |",
        "counts:2020: one nuisance.",
        "| counts:2020 | efficiency | published |",
        "The spread between choices is 7 %.",
        "[free]",
    ):
        assert words in text


def test_what_is_not_finite_is_kept_and_in_the_report(tmp_path):
    """What a fit and its draws met stays with the result; a parameter at its bound has no parabola in the table."""
    result = _result()
    said = {
        "fit": dataclasses.replace(result.fit, problems=("no gradient at 3 of 9 points",)),
        "samples": dataclasses.replace(result.samples, undefined=("no likelihood at 1 of 5 draws",)),
        "hesse": dataclasses.replace(result.hesse, at_bound=("mass",)),
        "minos": (dataclasses.replace(result.minos[0], limit_90=1.2),),
    }
    save_result(tmp_path / "result.nc", dataclasses.replace(result, **said))
    loaded = load_result(tmp_path / "result.nc")
    _assert_same(loaded, dataclasses.replace(result, **said))
    write_report(tmp_path / "report.md", loaded)
    text = (tmp_path / "report.md").read_text()
    assert "Caution: no gradient at 3 of 9 points." in text
    assert "Caution: no likelihood at 1 of 5 draws." in text
    assert "| mass | GeV | 1.5 | - | 1.3 .. - |" in text


def test_the_terminal_shows_the_same_tables(capsys):
    print_summary(_result())
    shown = capsys.readouterr().out
    assert "Best fit" in shown
    assert "Posterior" in shown
    assert "Software" not in shown
    assert {t.title for t in tables(Result(_result().provenance))} == {"Data and choices", "Software"}


def test_correlations_are_those_of_the_draws():
    samples = _samples()
    tied = dataclasses.replace(samples, values={"mass": samples.values["mass"], "shift": -samples.values["mass"]})
    (table,) = [t for t in tables(dataclasses.replace(_result(), samples=tied)) if t.title.startswith("Correlations")]
    assert table.rows == (("mass", "shift", "-1.00"),)


# -- the digest, and what stands under a right one --------------------------------------------------------------------


def reseal(path, change) -> None:
    """Change the HDF5 content of a result and seal it again, as nothing but a test would."""
    content = io.BytesIO(path.read_bytes()[: -seal._LENGTH])
    with h5py.File(content, "r+") as file:
        change(file)
    path.write_bytes(seal.sealed(content.getvalue()))


def test_other_programs_open_a_sealed_file(tmp_path):
    path = tmp_path / "result.nc"
    save_result(path, _result())
    assert hashlib.sha256(path.read_bytes()[: -seal._LENGTH]).hexdigest().encode() in path.read_bytes()[-seal._LENGTH :]
    with xarray.open_datatree(path) as tree:  # by whatever engine xarray takes for the file
        assert tree.attrs["seed"] == 7
    with h5py.File(path) as file:
        assert "posterior" in file


def test_a_moved_result_opens(tmp_path):
    save_result(tmp_path / "result.nc", _result())
    (tmp_path / "result.nc").rename(tmp_path / "other.nc")
    assert load_result(tmp_path / "other.nc").provenance.seed == 7


@pytest.mark.parametrize("share", [0.0, 0.03, 0.1, 0.31, 0.5, 0.77, 0.95, 1.0])
@pytest.mark.parametrize("flip", [1, 255])
def test_damaged_bytes_never_reach_hdf5(tmp_path, monkeypatch, share, flip):
    path = tmp_path / "result.nc"
    save_result(path, Result(_result().provenance))
    content = bytearray(path.read_bytes())
    content[round(share * (len(content) - 1))] ^= flip
    path.write_bytes(content)
    monkeypatch.setattr(xarray, "open_datatree", None)
    with pytest.raises(InputError, match=r"digest.*make it again"):
        load_result(path)


def test_a_result_of_version_0_1_is_refused_with_the_way_to_make_it_again(tmp_path):
    path = tmp_path / "result.nc"
    save_result(path, _result())
    path.write_bytes(path.read_bytes()[: -seal._LENGTH])
    with pytest.raises(InputError, match=r"no digest.*version 0.1.*'anomfit fit'.*card.toml"):
        load_result(path)


def _set_attribute(name, value):
    def change(file):
        file.attrs[name] = value

    return change


def _without(name):
    def change(file):
        del file[name]

    return change


def _values(name, value):
    def change(file):
        file[name][...] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        _set_attribute("anomfit_schema", [1, 2]),
        _set_attribute("anomfit_schema", "two"),
        _set_attribute("fit", "[" * 20_000 + "]" * 20_000),
        _set_attribute("fit", "[]"),
        _set_attribute("fit", "{"),
        _set_attribute("provenance", '{"seed": 1}'),
        _set_attribute("hesse", 3),
        _set_attribute("sampling", "null"),
        _set_attribute("minos", '[{"name": "mass", "value": "one"}]'),
        _without("posterior/mass"),
        _without("sample_stats"),
        _without("unconstrained_posterior/z"),
        _without("constant_data/counts:2020 pull"),
        _values("posterior/mass", np.inf),
        _values("posterior/mass", np.nan),
        _values("unconstrained_posterior/z", -np.inf),
    ],
)
def test_odd_content_under_a_right_digest_is_one_sentence(tmp_path, change):
    path = tmp_path / "result.nc"
    save_result(path, _result())
    reseal(path, change)
    with pytest.raises(InputError, match="make it again") as caught:
        load_result(path)
    assert "\n" not in str(caught.value)


def test_a_result_of_version_0_1_is_refused_by_its_version(tmp_path):
    path = tmp_path / "result.nc"
    save_result(path, _result())
    reseal(path, _set_attribute("anomfit_schema", 1))
    reseal(path, _set_attribute("anomfit_version", "0.1.0"))
    with pytest.raises(InputError, match=r"was written by anomfit 0\.1\.0, whose results .* make it again with"):
        load_result(path)


def test_plain_values_come_back_by_their_kind_or_not_at_all():
    optimum = Optimum({"mass": 1.5}, 3.25, 5)
    assert from_plain(Optimum, json.loads(to_json(optimum))) == optimum
    for wrong in (
        {"values": {"mass": "1.5"}, "twice_nll": 3.25, "starts": 5},
        {"values": [1.5], "twice_nll": 3.25, "starts": 5},
        {"values": {}, "twice_nll": 3.25, "starts": 5.5},
        {"values": {}, "twice_nll": True, "starts": 5},
        {"values": {}, "starts": 5},
        {"values": {}, "twice_nll": 3.25, "starts": 5, "more": 1},
        [],
    ):
        with pytest.raises((KeyError, ValueError)):
            from_plain(Optimum, wrong)
