"""`anomfit fit`, `sample` and `cite` on a small problem whose answer is known: a user's dark photon and one number."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad

from anomfit.cards import card_from_text, load_card
from anomfit.measurements.lepton_moments import load_lepton_moment
from anomfit.results.files import load_result
from anomfit.userfiles import resolve_measurement

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
SMALL = """
model = "{folder}/my_model.py:dark_photon"
[free]
epsilon = [1e-4, 1e-2]
[fixed]
m_dark = "30MeV"
[measurements]
"{folder}/my_measurement.py:load" = {{scale = "1.1"}}
[fit]
screened = 64
starts = 2
[sampling]
chains = 2
warmup = 60
draws = 40
max_draws = 80
"""


@pytest.fixture
def card(tmp_path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SMALL.format(folder=EXAMPLES))
    return path


def draws(folder: Path) -> np.ndarray:
    samples = load_result(folder / "result.nc").samples
    assert samples is not None
    return samples.values["epsilon"]


@pytest.mark.slow
def test_a_fit_finds_the_known_answer_and_keeps_everything_in_its_folder(anomfit, card, tmp_path):
    outcome = anomfit("fit", card, "--out", "result")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.startswith("best fit (")
    folder = tmp_path / "result"
    assert {"card.toml", "result.nc", "report.md"} <= {path.name for path in folder.iterdir()}
    assert not [path for path in folder.iterdir() if path.name.endswith(".part")]
    assert load_card(folder / "card.toml") == load_card(card)
    result = load_result(folder / "result.nc")
    assert card_from_text(result.provenance.card) == load_card(card)
    mass, heavy = 0.1056583755, 0.030
    unit = quad(lambda z: 2 * mass**2 * z * (1 - z) ** 2 / (mass**2 * (1 - z) ** 2 + heavy**2 * z), 0, 1)[0]
    expected = math.sqrt(1.1 * 2.5e-9 / (7.2973525693e-3 / (2 * math.pi) * unit))
    assert result.fit is not None
    assert result.fit.values["epsilon"] == pytest.approx(expected, rel=1e-4)
    assert "0.002" in (folder / "report.md").read_text()
    again = anomfit("fit", card, "--out", "result")
    assert again.status == 2
    assert "--overwrite" in again.err
    cited = anomfit("cite", "result")
    assert cited.status == 0
    assert "jax" in cited.out.lower()
    assert "software: " in cited.out
    assert anomfit("cite", "result/result.nc", "--bibtex").out.count("@") >= cited.out.count("\n")


@pytest.mark.slow
def test_a_card_may_ask_for_nested_sampling(anomfit, card, tmp_path):
    nested = card.read_text().replace("[sampling]", '[sampling]\nmethod = "nested"\nlive = 100')
    nested = nested.replace("warmup = 60\n", "").replace("max_draws = 80\n", "")
    card.write_text(nested)
    outcome = anomfit("fit", card, "--out", "one")
    assert outcome.status == 2
    assert "nested sampling takes two or more" in outcome.err
    assert not (tmp_path / "one").exists()
    card.write_text(
        nested.replace("[fixed]\n", 'm_dark = ["20MeV", "50MeV"]\n[fixed]\n').replace('m_dark = "30MeV"\n', "")
    )
    outcome = anomfit("fit", card, "--out", "result")
    assert (outcome.status, outcome.err) == (0, "")
    assert "nested sampling with 100 live points" in outcome.out
    samples = load_result(tmp_path / "result" / "result.nc").samples
    assert samples is not None
    assert samples.evidence is not None
    assert samples.z.shape == (2, 40, 2)
    report = (tmp_path / "result" / "report.md").read_text()
    assert f"ln of the evidence {samples.evidence.log_evidence:.2f}" in report
    assert (tmp_path / "result" / "nested.h5").is_file()
    assert "nautilus" in anomfit("cite", "result").out


@pytest.mark.slow
def test_a_card_may_ask_for_tempered_populations(anomfit, card, tmp_path):
    tempered = card.read_text().replace("[sampling]", '[sampling]\nmethod = "tempered"\npoints = 60\nmoves = 3')
    tempered = tempered.replace("warmup = 60\n", "").replace("max_draws = 80\n", "")
    card.write_text(tempered.replace("points = 60", "points = 30"))
    outcome = anomfit("fit", card, "--out", "one")
    assert outcome.status == 2
    assert "sampling.points: 30 is not usable; give at least the number of draws, 40" in outcome.err
    assert not (tmp_path / "one").exists()
    card.write_text(tempered)
    outcome = anomfit("fit", card, "--out", "result")
    assert (outcome.status, outcome.err) == (0, "")
    assert "2 tempered populations of 60 points" in outcome.out
    samples = load_result(tmp_path / "result" / "result.nc").samples
    assert samples is not None
    assert samples.method == "tempered"
    assert samples.z.shape[:2] == (2, 40)
    report = (tmp_path / "result" / "report.md").read_text()
    assert f"ln of the evidence {samples.evidence.log_evidence:.2f} +- " in report
    assert "R-hat" in report
    assert (tmp_path / "result" / "tempered.npz").is_file()
    assert "Sequential Monte Carlo samplers" in anomfit("cite", "result").out


@pytest.mark.slow
def test_descents_may_start_where_the_populations_ended(anomfit, card, tmp_path, monkeypatch):
    """A run that goes straight through, one stopped while it is led, one without sampling before: the same numbers."""
    from anomfit.inference.sample import likelihoods, tempered

    text = card.read_text().replace("starts = 2", 'starts = 2\nstart_from = "draws"')
    card.write_text(text)
    outcome = anomfit("fit", card, "--out", "one")
    assert outcome.status == 2
    assert "fit.start_from: 'draws' is not usable; only [sampling] with method = \"tempered\"" in outcome.err
    assert not (tmp_path / "one").exists()
    text = text.replace("[sampling]", '[sampling]\nmethod = "tempered"\npoints = 60\nmoves = 3')
    card.write_text(text.replace("warmup = 60\n", "").replace("max_draws = 80\n", ""))
    outcome = anomfit("fit", card, "--out", "straight")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.index("2 tempered populations of 60 points") < outcome.out.index("best fit (")
    straight = load_result(tmp_path / "straight" / "result.nc")
    assert straight.fit is not None
    assert (straight.fit.start_from, straight.fit.screened, straight.fit.starts) == ("draws", 4, 2)
    assert straight.fit.reached == 2
    report = (tmp_path / "straight" / "report.md").read_text()
    assert "2 of 2 starts at draws of the tempered populations reached it" in report

    outcome = anomfit("fit", card, "--out", "steps", "--no-sample")
    assert outcome.status == 0
    assert "which a fit without sampling has not" in outcome.err + outcome.out
    alone = load_result(tmp_path / "steps" / "result.nc")
    assert alone.fit is not None
    assert (alone.fit.start_from, alone.samples) == ("prior", None)
    assert "Warning: the card asks for descents that start from draws" in (tmp_path / "steps" / "report.md").read_text()
    assert anomfit("fit", card, "--out", "steps", "--resume").status == 0

    keep, kept = tempered.keep_state, []

    def interrupted(*given):
        keep(*given)
        kept.append(1)
        raise KeyboardInterrupt

    monkeypatch.setattr(tempered, "keep_state", interrupted)
    outcome = anomfit("fit", card, "--out", "stopped")
    assert (outcome.status, outcome.err) == (
        130,
        "anomfit: interrupted; what was found is in stopped, --resume goes on\n",
    )
    assert not (tmp_path / "stopped" / "result.nc").exists()
    monkeypatch.setattr(tempered, "keep_state", keep)
    assert anomfit("fit", card, "--out", "stopped", "--resume").status == 0
    for folder in ("steps", "stopped"):
        np.testing.assert_array_equal(draws(tmp_path / folder), draws(tmp_path / "straight"))
        again = load_result(tmp_path / folder / "result.nc").fit
        assert again is not None
        assert (again.point, again.start_from) == (straight.fit.point, "draws")
        assert "Warning: the card asks" not in (tmp_path / folder / "report.md").read_text()
    monkeypatch.setattr(likelihoods, "log_posteriors", lambda *given: pytest.fail("a population was led again"))
    assert anomfit("fit", card, "--out", "straight", "--resume").status == 0


@pytest.mark.slow
def test_a_run_in_steps_or_interrupted_gives_the_numbers_of_a_straight_one(anomfit, card, tmp_path, monkeypatch):
    from anomfit.inference.sample import chains

    assert anomfit("fit", card, "--out", "straight").status == 0
    assert anomfit("fit", card, "--out", "steps", "--no-sample").status == 0
    assert load_result(tmp_path / "steps" / "result.nc").samples is None
    assert anomfit("sample", card, "--out", "steps", "--resume").status == 0
    np.testing.assert_array_equal(draws(tmp_path / "steps"), draws(tmp_path / "straight"))

    write, written = chains.write_checkpoint, []

    def interrupted(path, run):
        write(path, run)
        written.append(run.steps)
        if len(written) == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(chains, "write_checkpoint", interrupted)
    outcome = anomfit("fit", card, "--out", "stopped")
    kept = "anomfit: interrupted; what was found is in stopped, --resume goes on\n"
    assert (outcome.status, outcome.err) == (130, kept)
    monkeypatch.setattr(chains, "write_checkpoint", write)
    assert anomfit("fit", card, "--out", "stopped", "--seed", "9", "--resume").status == 2  # another run's
    assert anomfit("fit", card, "--out", "stopped", "--resume").status == 0
    np.testing.assert_array_equal(draws(tmp_path / "stopped"), draws(tmp_path / "straight"))


@pytest.mark.slow
def test_another_seed_is_another_run_and_overwriting_replaces_it(anomfit, card, tmp_path):
    assert anomfit("fit", card, "--seed", "5", "--out", "result").status == 0
    first = draws(tmp_path / "result")
    assert load_result(tmp_path / "result" / "result.nc").provenance.seed == 5
    assert anomfit("fit", card, "--seed", "6", "--out", "result", "--overwrite").status == 0
    assert not np.array_equal(draws(tmp_path / "result"), first)


def test_without_out_a_new_folder_is_made_each_time(anomfit, card, tmp_path):
    for name in ("anomfit-fit-small", "anomfit-fit-small-2"):
        outcome = anomfit("fit", card, "--no-sample")
        assert outcome.status == 0
        assert outcome.out.endswith(f"written to {name}\n")
        assert (tmp_path / name / "result.nc").is_file()


def test_a_model_without_any_signal_is_a_warning_and_no_error(anomfit, card, tmp_path):
    text = card.read_text().replace("epsilon = [1e-4, 1e-2]", 'm_dark = "default"')
    card.write_text(text.replace('m_dark = "30MeV"', "epsilon = 0.0"))
    outcome = anomfit("fit", card, "--out", "result", "--no-sample")
    assert (outcome.status, outcome.err) == (0, "")
    assert "warning: my-muon:example gets no signal at any of 64 points" in outcome.out
    assert "gets no signal" in (tmp_path / "result" / "report.md").read_text()


def test_what_a_card_would_rest_on_is_cited_before_any_fit(anomfit):
    listed = anomfit("cite", "two-higgs-doublet")
    assert listed.status == 0
    for words in ("Two-Higgs doublet solution", "MiniBooNE", "software: ", "Sequential Monte Carlo samplers"):
        assert words in listed.out
    assert "@article{Abdallah:2020vgg," in anomfit("cite", "two-higgs-doublet", "--bibtex").out


@pytest.mark.slow
def test_the_tension_of_two_numbers_is_their_distance(anomfit, tmp_path):
    """The user's 1.1 x 2.5e-9 and the era of 2020, both Delta a_mu: chi^2 is (difference / joint error)^2."""
    text = SMALL.format(folder=EXAMPLES).replace("starts = 2", "starts = 2\ntension = true")
    path = tmp_path / "two.toml"
    path.write_text(text.replace("[fit]", 'g-2-muon = "papers"\n[fit]'))
    outcome = anomfit("fit", path, "--out", "result", "--no-sample")
    assert (outcome.status, outcome.err) == (0, "")
    assert "tension (" in outcome.out
    first, second = load_result(tmp_path / "result" / "result.nc").tensions
    papers = load_lepton_moment("muon", "papers")
    mine = resolve_measurement(f"{EXAMPLES}/my_measurement.py:load", scale="1.1").bins()[0]
    sigma = papers.sigma_minus if mine.data < float(papers.value) else papers.sigma_plus
    expected = (float(papers.value) - mine.data) ** 2 / (float(sigma) ** 2 + mine.error**2)
    assert first.chi_squared == pytest.approx(expected, abs=2e-3)
    assert second.chi_squared == pytest.approx(expected, abs=2e-3)
    assert "Tension of each measurement" in (tmp_path / "result" / "report.md").read_text()


@pytest.mark.slow
def test_an_excluded_best_fit_is_the_first_thing_said_and_fails_a_strict_run(anomfit, card, tmp_path):
    limit = (EXAMPLES / "my_limits.py").read_text().replace('"limit": 3e-3', '"limit": 1e-5')
    limit = limit.replace("from my_model import DarkPhoton", "").replace("(DarkPhoton,)", "(object,)")
    (tmp_path / "tight.py").write_text(limit)
    name = "tight.py:limit"
    card.write_text(card.read_text().replace("[fit]", f'"{name}" = "default"\n[fit]'))
    lax = anomfit("fit", card, "--out", "lax", "--no-sample")
    assert (lax.status, lax.err) == (0, "")
    assert "THE BEST FIT IS EXCLUDED at 90 % CL by" in lax.out
    report = (tmp_path / "lax" / "report.md").read_text().splitlines()
    assert report[4].startswith("THE BEST FIT IS EXCLUDED at 90 % CL by")
    assert any(line.startswith("Without the limits the data would gain") for line in report)
    strict = anomfit("fit", card, "--out", "strict", "--no-sample", "--strict")
    assert strict.status == 3
    assert strict.err.startswith("anomfit: --strict: THE BEST FIT IS EXCLUDED")
    assert (tmp_path / "strict" / "report.md").is_file()
    again = anomfit("fit", tmp_path / "lax" / "card.toml", "--out", "fine", "--no-sample", "--strict")
    assert again.status == 3


@pytest.mark.slow
def test_a_model_that_lacks_a_part_of_a_capability_keeps_its_fit(anomfit, card, tmp_path):
    """It knows the muon's moment alone: the electron's row is left out, and said to be."""
    text = (EXAMPLES / "my_model.py").read_text().replace('"electron": 0.51099895e-3, ', "")
    (tmp_path / "muons.py").write_text(text)
    card.write_text(card.read_text().replace(f"{EXAMPLES}/my_model.py", "muons.py"))
    outcome = anomfit("fit", card, "--out", "result")
    assert (outcome.status, outcome.err) == (0, "")
    report = (tmp_path / "result" / "report.md").read_text()
    assert "Not compared, because the model fails in them: electron-moment (" in report
    assert "There is no constraint that this model can be compared with." in report
