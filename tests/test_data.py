import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import anomfit
from anomfit import data, data_digests
from anomfit.cards import finding, load_card, shipped_card_text
from anomfit.data import STATUSES, Record, load_record, record_names
from anomfit.errors import InputError
from anomfit.reproduce import statements
from anomfit.reproduce.statements import load_statements
from anomfit.results import citations
from anomfit.results.citations import bibliography

FIRST_NINE = slice(0, 9)  # 200 to 1250 MeV


def column_sum(name, column, rows=slice(None)):
    return load_record(f"miniboone/{name}").columns[column][rows].sum()


def provenance_gaps(record: Record) -> list[str]:
    """What a reader would miss: the places in a record, and in the records inside it, without title, source, unit..."""
    texts = {"title": record.title, "source": record.source, "references": record.references}
    gaps = [f"{record.name}: no {what}" for what, text in texts.items() if not text]
    gaps += [f"{record.name}: status {record.status!r}" for _ in [0] if record.status not in STATUSES]
    gaps += [f"{record.name}: unit of {key}" for key in record.values if not record.units[key].strip()]
    gaps += [f"{record.name}: source of {key}" for key in record.values if not record.value_sources[key].strip()]
    gaps += [f"{record.name}: status of {k}" for k in record.values if record.value_statuses[k] not in STATUSES]
    gaps += [f"{record.name}: unit of {name}" for name in record.columns if not record.column_units[name].strip()]
    gaps += [f"{record.name}: meaning of {name}" for name in record.columns if not record.column_meanings[name].strip()]
    if not (record.values or record.columns or record.parts):
        gaps.append(f"{record.name}: no number at all")
    if record.status == "recalled" and "memory" not in record.notes + record.source:
        gaps.append(f"{record.name}: recalled, but the notes do not say so")
    return gaps + [gap for part in record.parts.values() for gap in provenance_gaps(part)]


@pytest.mark.parametrize("name", record_names())
def test_every_number_names_its_source_unit_and_status(name):
    record = load_record(name)
    assert provenance_gaps(record) == []
    assert len(bibliography(record.references)) == len(record.references)


def test_all_tables_are_recorded_and_all_records_are_found():
    folder = data.data_folder()
    tables = {path.relative_to(folder).with_suffix("").as_posix() for path in folder.glob("*/*.csv")}
    recorded = {name for name in record_names() if load_record(name).columns}
    assert tables == recorded
    assert {"miniboone/experiment", "gminus2/muon", "gminus2/electron"} <= set(record_names())


def test_numbers_from_memory_are_marked():
    assert load_record("miniboone/background_components_2020").status == "recalled"
    assert load_record("ee_colliders/beam_dumps").parts["NA64_vis_2019"].status == "recalled"
    assert load_record("miniboone/selection").value_statuses["energy_resolution"] == "recalled"


# -- the numbers, against what the publications and releases print ----------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "flux", "integral", "mean_energy"),
    [
        ("neutrino", "numu", 5.1936e-10, 0.808),
        ("neutrino", "numubar", 3.2600e-11, 0.461),
        ("neutrino", "nue", 2.8691e-12, 0.958),
        ("neutrino", "nuebar", 2.9985e-13, 0.971),
        ("antineutrino", "numu", 5.4228e-11, 0.704),
        ("antineutrino", "numubar", 2.9282e-10, 0.664),
        ("antineutrino", "nue", 6.7071e-13, 0.878),
        ("antineutrino", "nuebar", 1.2663e-12, 0.726),
    ],
)
def test_flux_integrals_and_mean_energies(mode, flux, integral, mean_energy):
    record = load_record(f"miniboone/flux_{mode}_mode")
    low, high = record.columns["E_lo_GeV"], record.columns["E_hi_GeV"]
    np.testing.assert_allclose(high - low, 0.05, rtol=1e-9)
    share = record.columns[flux] * (high - low)
    assert share.sum() == pytest.approx(integral, rel=1e-4) == record.values[f"integral_{flux}"]
    mean = (share * 0.5 * (low + high)).sum() / share.sum()
    assert mean == pytest.approx(mean_energy, abs=5.1e-4)
    assert record.values[f"mean_energy_{flux}"] == mean_energy


@pytest.mark.parametrize(
    ("name", "column", "rows", "total", "tolerance"),
    [
        ("nu_enuqe_2020", "data", FIRST_NINE, 2870, 0),
        ("nu_enuqe_2020", "bkg_unconstrained", FIRST_NINE, 2322.7, 0.05),
        ("nu_enuqe_2020", "bkg_constrained", FIRST_NINE, 2309.4, 0.05),
        ("nu_enuqe_2020", "data", slice(None), 3202, 0),
        ("nu_enuqe_2020", "bkg_unconstrained", slice(None), 2668.1, 0.05),
        ("nubar_enuqe_2018", "data", FIRST_NINE, 478, 0),
        ("nubar_enuqe_2018", "bkg_unconstrained", FIRST_NINE, 398.2, 0.05),
        ("nubar_enuqe_2018", "bkg_constrained", FIRST_NINE, 400.7, 0.05),
        ("nubar_enuqe_2018", "data", slice(None), 551, 0),
        ("nubar_enuqe_2018", "bkg_unconstrained", slice(None), 467.4, 0.05),
        ("nu_enuqe_2018", "data", FIRST_NINE, 1959, 0),
        ("nu_enuqe_2018", "bkg_unconstrained", FIRST_NINE, 1590.6, 0.05),
        ("nu_numu_2020", "data", slice(None), 334417, 0),
        ("nu_numu_2020", "prediction", slice(None), 339346.0, 0.05),
        ("nubar_numu_2018", "data", slice(None), 50455, 0),
        ("nubar_numu_2018", "prediction", slice(None), 50049.1, 0.05),
        ("nu_evis_2020", "data", slice(None), 2881, 0),
        ("nu_evis_2020", "bkg_total", slice(None), 2318.3, 0.06),
        ("nu_costheta_2020", "data", slice(None), 2881, 0),
        ("nu_costheta_2020", "bkg_total", slice(None), 2318.3, 0.06),
        ("nu_evis_costheta_2020", "data", slice(None), 2881, 0),
        ("nu_evis_costheta_2020", "bkg_total", slice(None), 2318.3, 0.06),
        ("nubar_evis_2018", "data", slice(None), 576, 0),
        ("nubar_evis_2018", "bkg_total", slice(None), 507.8, 0.05),
        ("nubar_costheta_2018", "data", slice(None), 587, 0),
        ("nubar_costheta_2018", "bkg_total", slice(None), 512.7, 0.05),
        ("nu_mgg_2020", "data", slice(None), 2874, 0.5),
        ("nu_mgg_2020", "bkg_total", slice(None), 2319, 0.5),
        ("background_components_2020", "nu_events", slice(None), 2322.6, 0.15),
        ("background_components_2020", "nubar_events", slice(None), 398.2, 0.05),
    ],
)
def test_sums_that_are_printed_with_the_tables(name, column, rows, total, tolerance):
    assert abs(column_sum(name, column, rows) - total) <= tolerance + 1e-9


def test_constrained_excesses():
    neutrino = column_sum("nu_enuqe_2020", "data", FIRST_NINE) - column_sum(
        "nu_enuqe_2020", "bkg_constrained", FIRST_NINE
    )
    assert neutrino == pytest.approx(560.6, abs=0.05)
    published = load_record("miniboone/nu_enuqe_2020").values
    assert neutrino == pytest.approx(published["published_excess"], abs=0.05)


@pytest.mark.parametrize(("name", "expected"), [("fullosc_nu", 676.3), ("fullosc_nubar", 100.0)])
def test_lsnd_expectation_from_the_full_transmutation_sample(name, expected):
    record = load_record(f"miniboone/{name}")
    selected = sum(record.columns[f"reco_{k}"].sum() for k in range(1, 10))
    assert 0.0026 * selected == pytest.approx(expected, abs=0.05)


def test_two_dimensional_table_projects_on_the_two_spectra():
    plane = load_record("miniboone/nu_evis_costheta_2020").columns
    evis, cosine = (load_record(f"miniboone/{name}").columns for name in ("nu_evis_2020", "nu_costheta_2020"))
    for column in ("data", "bkg_total"):
        table = plane[column].reshape(23, 20)
        np.testing.assert_allclose(table.sum(axis=1), evis[column], atol=0.03)
        np.testing.assert_allclose(table.sum(axis=0), cosine[column], atol=0.03)
    assert np.sum(plane["bkg_total"] == 0.0) == 271
    assert np.sum((plane["bkg_total"] == 0.0) & (plane["data"] > 0)) == 8


@pytest.mark.parametrize(
    ("name", "smallest", "largest"),
    [
        ("fraccov_combined_2020", -8.81e-4, 1.413),
        ("fraccov_nu_2020", 1.83e-6, 0.769),
        ("fraccov_nubar_2018", 1.33e-4, 0.777),
    ],
)
def test_covariances_are_symmetric_with_the_stated_eigenvalues(name, smallest, largest):
    record = load_record(f"miniboone/{name}")
    matrix = record.matrix()
    assert list(record.columns)[1:] == list(record.columns["label"])
    np.testing.assert_array_equal(matrix, matrix.T)
    eigenvalues = np.linalg.eigvalsh(matrix)
    assert eigenvalues[0] == pytest.approx(smallest, rel=5e-3) == record.values["smallest_eigenvalue"]
    assert eigenvalues[-1] == pytest.approx(largest, abs=5.1e-4) == record.values["largest_eigenvalue"]


def test_combined_covariance_holds_the_two_modes():
    combined = load_record("miniboone/fraccov_combined_2020").matrix()
    np.testing.assert_array_equal(combined[:30, :30], load_record("miniboone/fraccov_nu_2020").matrix())
    rounded = load_record("miniboone/fraccov_nubar_2018").matrix()  # released with six decimals
    np.testing.assert_allclose(combined[30:, 30:], rounded, rtol=0.0, atol=5.001e-7)


def test_constrained_backgrounds_follow_from_the_covariance():
    """The conditional background and the published excess of both modes, 638.0 +- 132.8 (arXiv:2006.16883)."""
    modes = [load_record(f"miniboone/{name}").columns for name in ("nu_enuqe_2020", "nubar_enuqe_2018")]
    muons = [load_record(f"miniboone/{name}").columns for name in ("nu_numu_2020", "nubar_numu_2018")]
    background = np.concatenate([mode["bkg_unconstrained"] for mode in modes])
    observed = np.concatenate([muon["data"] for muon in muons])
    predicted = np.concatenate([muon["prediction"] for muon in muons])
    fractional = load_record("miniboone/fraccov_combined_2020").matrix()
    x, y = np.r_[11:22, 41:52], np.r_[22:30, 52:60]
    c_xx = fractional[np.ix_(x, x)] * np.outer(background, background)
    c_xy = fractional[np.ix_(x, y)] * np.outer(background, predicted)
    c_yy = fractional[np.ix_(y, y)] * np.outer(predicted, predicted) + np.diag(observed)
    constrained = background + c_xy @ np.linalg.solve(c_yy, observed - predicted)
    conditional = c_xx - c_xy @ np.linalg.solve(c_yy, c_xy.T)
    np.testing.assert_allclose(constrained, np.concatenate([m["bkg_constrained"] for m in modes]), atol=0.0051)
    errors = np.sqrt(np.diag(conditional))
    np.testing.assert_allclose(errors, np.concatenate([m["bkg_constrained_err"] for m in modes]), atol=0.0051)
    low = np.r_[0:9, 11:20]
    excess = np.concatenate([m["data"] for m in modes])[low].sum() - constrained[low].sum()
    assert excess == pytest.approx(638.0, abs=0.05)
    assert np.sqrt(conditional[np.ix_(low, low)].sum()) == pytest.approx(132.8, abs=0.05)


def test_figure_binning_agrees_with_the_release_outside_1100_to_1500_mev():
    figure = load_record("miniboone/enuqe_figure_binning").columns
    for mode, name in (("nu", "nu_enuqe_2020"), ("nubar", "nubar_enuqe_2018")):
        release = load_record(f"miniboone/{name}").columns
        rows = figure["mode"] == mode
        others = np.r_[0:8, 10]
        np.testing.assert_array_equal(figure["data"][rows][others], release["data"][others])
        np.testing.assert_allclose(
            figure["bkg_unconstrained"][rows][others], release["bkg_unconstrained"][others], atol=1e-3
        )
        assert figure["data"][rows].sum() == release["data"].sum()


def test_molecules_in_the_detector():
    values = load_record("miniboone/experiment").values
    molar_mass = 12.011 + 2 * 1.008  # g/mol, CH2
    assert values["mass"] * 1e6 / molar_mass * 6.02214076e23 == pytest.approx(values["ch2_molecules"], rel=1e-3)
    sphere = 4.0 / 3.0 * np.pi * values["radius"] ** 3 * values["density"]  # t
    assert sphere == pytest.approx(values["mass"], rel=3e-3)
    assert (values["fiducial_radius"] / values["radius"]) ** 3 == pytest.approx(0.549, abs=5e-4)


# -- the loader -------------------------------------------------------------------------------------------------------


def test_records_are_kept_and_read_only():
    record = load_record("miniboone/nu_enuqe_2020")
    assert record is load_record("miniboone/nu_enuqe_2020")
    with pytest.raises(ValueError, match="read-only"):
        record.columns["data"][0] = 1.0
    with pytest.raises(TypeError):
        record.values["pot"] = 1.0  # type: ignore[index]
    with pytest.raises(ValueError, match="read-only"):
        load_record("miniboone/fraccov_nu_2020").matrix()[0, 0] = 1.0


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """A copy of the MiniBooNE records that a test may damage."""
    shutil.copytree(data.data_folder() / "miniboone", tmp_path / "data" / "miniboone")
    shutil.copy(data.data_folder() / data.SUMS, tmp_path / "data")
    monkeypatch.setattr(data, "data_folder", lambda: tmp_path / "data")
    return tmp_path / "data" / "miniboone"


def edit(path: Path, old: str, new: str):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def sign(file: Path):
    """Write the file's new digest where it stands, as somebody who edits it on purpose would."""
    if file.suffix == ".csv":
        record = file.with_suffix(".toml")
        lines = record.read_text(encoding="utf-8").splitlines()
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        lines = [f'sha256 = "{digest}"' if line.startswith("sha256") else line for line in lines]
        record.write_text("\n".join(lines) + "\n", encoding="utf-8")
        sign(record)
        return
    folder = file.parents[1]
    name = file.relative_to(folder).as_posix()
    lines = (folder / data.SUMS).read_text(encoding="utf-8").splitlines()
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    lines = [f"{digest}  {name}" if line.endswith(f"  {name}") else line for line in lines]
    (folder / data.SUMS).write_text("\n".join(lines) + "\n", encoding="utf-8")


def refusal(name: str) -> str:
    with pytest.raises(InputError) as caught:
        load_record(name)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize("name", ["miniboone/nu_enuqe", "nothing", "../pyproject", "", "cards/two-higgs-doublet"])
def test_an_unknown_name_is_refused(name):
    assert repr(name) in refusal(name)


def test_an_unknown_name_names_the_nearest():
    assert "'miniboone/nu_enuqe_2020'" in refusal("miniboone/nu_enuqe_2022")


def test_a_truncated_table_is_refused(copied):
    table = copied / "nu_enuqe_2020.csv"
    table.write_text("".join(table.read_text().splitlines(keepends=True)[:-2]))
    assert "it has 9 rows where 11 are expected" in refusal("miniboone/nu_enuqe_2020")


def test_a_table_cut_inside_its_last_row_is_refused(copied):
    table = copied / "nu_enuqe_2020.csv"
    table.write_text(table.read_text()[:-6])
    assert "it changed" in refusal("miniboone/nu_enuqe_2020")


def test_a_changed_digit_is_refused(copied):
    edit(copied / "nu_enuqe_2020.csv", "732", "733")
    assert "nu_enuqe_2020.csv" in refusal("miniboone/nu_enuqe_2020")


def test_every_toml_file_has_its_digest():
    """After a change of data that is meant: python -m anomfit.data_digests."""
    folder = data.data_folder()
    listed = dict(line.split("  ")[::-1] for line in (folder / data.SUMS).read_text(encoding="utf-8").splitlines())
    found = {
        p.relative_to(folder).as_posix(): data.digest(p.read_text(encoding="utf-8")) for p in folder.rglob("*.toml")
    }
    assert listed == found


def changed_digit(text: str) -> str:
    """The text with the last digit of its first number with a decimal point changed."""
    place = re.search(r"= [0-9]+\.[0-9]+", text)
    assert place is not None
    last = place.end() - 1
    return text[:last] + str((int(text[last]) + 1) % 10) + text[last + 1 :]


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("miniboone/experiment.toml", lambda: load_record("miniboone/experiment")),
        ("gminus2/muon.toml", lambda: load_record("gminus2/muon")),
        ("reproduce/2010.06159.toml", lambda: load_statements("2010.06159")),
        ("cards/oscillation.toml", lambda: load_card("oscillation")),
        ("cards/oscillation.toml", lambda: shipped_card_text("oscillation")),
        ("references.toml", lambda: bibliography(["jax"])),
    ],
)
def test_a_changed_digit_of_a_toml_file_is_refused(tmp_path, monkeypatch, name, read):
    folder = tmp_path / "data"
    shutil.copytree(data.data_folder(), folder)
    monkeypatch.setattr(data, "data_folder", lambda: folder)
    monkeypatch.setattr(finding, "data_folder", lambda: folder)
    monkeypatch.setattr(citations, "data_folder", lambda: folder)
    monkeypatch.setattr(statements, "data_folder", lambda: folder)
    read()
    for cache in (data._load, citations._references):
        cache.cache_clear()
    path = folder / name
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("2018", "2019", 1) if name == "references.toml" else changed_digit(text), encoding="utf-8"
    )
    with pytest.raises(InputError, match=f"{name}.*it changed"):
        read()


def test_a_changed_or_missing_list_of_digests_is_refused(copied):
    sums = copied.parent / data.SUMS
    edit(sums, "  miniboone/experiment.toml", "  miniboone/experiments.toml")
    assert "it changed" in refusal("miniboone/experiment")
    sums.unlink()
    assert "SHA256SUMS" in refusal("miniboone/selection")


def test_one_command_writes_the_digests_anew(copied):
    table = copied / "nu_enuqe_2020.csv"
    table.write_text("".join(table.read_text().splitlines(keepends=True)[:-1]))
    edit(copied / "experiment.toml", "value = 18.75e20", "value = 18.76e20")
    changed = data_digests.refresh(copied.parent)
    assert {"miniboone/nu_enuqe_2020.toml", "miniboone/experiment.toml"} == set(changed)
    assert len(load_record("miniboone/nu_enuqe_2020").columns["data"]) == 10
    assert load_record("miniboone/experiment").values["pot_neutrino"] == 18.76e20
    assert data_digests.refresh(copied.parent) == []


def test_other_line_endings_are_the_same_table(copied):
    table = copied / "nu_enuqe_2020.csv"
    table.write_bytes(table.read_bytes().replace(b"\n", b"\r\n"))
    assert load_record("miniboone/nu_enuqe_2020").columns["data"][FIRST_NINE].sum() == 2870


def test_a_missing_table_is_refused(copied):
    (copied / "nu_enuqe_2020.csv").unlink()
    assert "it is missing" in refusal("miniboone/nu_enuqe_2020")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("200,300,732", "200,300,many", "no number"),
        ("200,300,732", "200,300,nan", "not finite"),
        ("200,300,732", "200,300,inf", "not finite"),
        ("200,300,732", "200,300,732,1", "11 full rows"),
        ("E_lo_MeV,E_hi_MeV,data", "E_lo_MeV,E_hi_MeV,counts", "'counts', 'data'"),
    ],
)
def test_a_table_that_does_not_fit_its_record_is_refused(copied, old, new, complaint):
    edit(copied / "nu_enuqe_2020.csv", old, new)
    sign(copied / "nu_enuqe_2020.csv")
    assert complaint in refusal("miniboone/nu_enuqe_2020")


def test_a_row_too_few_is_refused_whatever_the_digest(copied):
    table = copied / "nu_enuqe_2020.csv"
    table.write_text("".join(table.read_text().splitlines(keepends=True)[:-1]))
    sign(table)
    assert "11 full rows" in refusal("miniboone/nu_enuqe_2020")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('title = "', 'title = ""', "not valid TOML"),
        ("source = ", "origin = ", "'source' is missing"),
        ("status = ", "state = ", "'status' is missing"),
        ('status = "release"', 'status = "good"', "use one of release, digitised"),
        ('unit = "1"', 'scale = "1"', "'unit' is missing"),
        ("value = 18.75e20", 'value = "18.75e20"', "must be a number"),
        ("value = 18.75e20", "value = nan", "must be finite"),
    ],
)
def test_a_damaged_record_is_refused(copied, old, new, complaint):
    edit(copied / "experiment.toml", old, new)
    sign(copied / "experiment.toml")
    assert complaint in refusal("miniboone/experiment")


def test_a_record_that_is_not_text_is_refused(copied):
    (copied / "experiment.toml").write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in refusal("miniboone/experiment")


def test_the_provenance_check_can_fail(copied):
    edit(copied / "experiment.toml", 'unit = "1"', 'unit = ""')
    edit(copied / "experiment.toml", 'source = "MiniBooNE publications', 'source = "" # "')
    sign(copied / "experiment.toml")
    gaps = provenance_gaps(load_record("miniboone/experiment"))
    assert gaps == ["miniboone/experiment: no source", "miniboone/experiment: unit of pot_neutrino"]


def test_the_folder_is_inside_the_package_of_a_wheel_and_beside_it_in_a_checkout(tmp_path):
    """The installed layouts, each run in a process of its own from another folder."""
    package = Path(anomfit.__file__).parent
    for layout, place in (("wheel", "anomfit/data"), ("checkout", "data")):
        root = tmp_path / layout
        (root / "anomfit").mkdir(parents=True)
        for module in ("__init__.py", "compiling.py", "errors.py", "data.py"):
            shutil.copy(package / module, root / "anomfit" / module)
        shutil.copytree(data.data_folder() / "miniboone", root / place / "miniboone")
        shutil.copy(data.data_folder() / data.SUMS, root / place)
        code = (
            "from anomfit.data import data_folder, load_record; print(data_folder());"
            "print(load_record('miniboone/nu_enuqe_2020').columns['data'][:9].sum())"
        )
        environment = {**os.environ, "PYTHONPATH": str(root)}
        run = [sys.executable, "-P", "-c", code]
        done = subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.split() == [str(root / place), "2870.0"]
