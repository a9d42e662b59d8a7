"""A user's own models and measurements: found, used by the whole chain, and explained when they do not fit."""

import shutil
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad

from anomfit.cards import card_from_text, load_card, problem_from_card
from anomfit.catalogue import with_own
from anomfit.constraints import constraint_table
from anomfit.errors import InputError
from anomfit.userfiles import anchored, is_user_file, resolve_constraints, resolve_measurement, resolve_model, sources

EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"
MODEL, MEASUREMENT = f"{EXAMPLES}/my_model.py:dark_photon", f"{EXAMPLES}/my_measurement.py:load"
LIMITS = EXAMPLES / "my_limits.py"
LIMIT = f"{LIMITS}:limit"


def refused(resolve, name: str, **options) -> str:
    with pytest.raises(InputError) as caught:
        resolve(name, **options)
    return str(caught.value)


def write(folder: Path, text: str) -> str:
    path = folder / "mine.py"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(("lepton", "mass"), [("electron", 0.51099895e-3), ("muon", 0.1056583755)])
def test_the_example_model_is_the_textbook_integral(lepton, mass):
    m_dark, epsilon = 0.03, 2e-3
    integrand = lambda z: 2 * mass**2 * z * (1 - z) ** 2 / (mass**2 * (1 - z) ** 2 + m_dark**2 * z)  # noqa: E731
    expected = 7.2973525693e-3 * epsilon**2 / (2 * np.pi) * quad(integrand, 0, 1, epsabs=0, epsrel=1e-10)[0]
    point = {"m_dark": jnp.asarray(m_dark), "epsilon": jnp.asarray(epsilon)}
    assert float(resolve_model(MODEL).lepton_moment(point, lepton)) == pytest.approx(expected, rel=1e-6)


def test_the_example_card_is_fitted_by_the_same_chain_as_any_model():
    problem = problem_from_card(load_card(EXAMPLES / "my_card.toml"))
    value, slope = jax.jit(jax.value_and_grad(lambda e: problem.log_likelihood({"epsilon": e})))(1e-3)
    step = 1e-8
    difference = (
        problem.log_likelihood({"epsilon": 1e-3 + step}) - problem.log_likelihood({"epsilon": 1e-3 - step})
    ) / (2 * step)
    assert np.isfinite(value)
    assert slope == pytest.approx(float(difference), rel=1e-6)


def test_one_file_is_loaded_once_and_copies_apart(tmp_path):
    assert resolve_model(MODEL) is resolve_model(MODEL)  # one identity, so that nothing is compiled twice
    shutil.copy(EXAMPLES / "my_model.py", tmp_path / "my_model.py")
    assert resolve_model(f"{tmp_path}/my_model.py:dark_photon") is not resolve_model(MODEL)


def test_an_edited_measurement_gives_its_own_numbers_in_the_same_process(tmp_path):
    """As in a notebook: the same problem again without a new compilation, and the edited number at once."""
    for name in ("my_model.py", "my_measurement.py"):
        shutil.copy(EXAMPLES / name, tmp_path / name)
    card = load_card(shutil.copy(EXAMPLES / "my_card.toml", tmp_path / "my_card.toml"))
    traces = []
    chi_squared = jax.jit(lambda problem: traces.append(1) or -2.0 * problem.log_likelihood({"epsilon": 1e-9}))
    first, again = chi_squared(problem_from_card(card)), chi_squared(problem_from_card(card))
    assert traces == [1]
    assert first == again == pytest.approx((1.1 * 2.5 / 0.6) ** 2, rel=1e-6)
    path = tmp_path / "my_measurement.py"
    path.write_text(path.read_text().replace("2.5e-9", "3.5e-9"))
    assert chi_squared(problem_from_card(card)) == pytest.approx((1.1 * 3.5 / 0.6) ** 2, rel=1e-6)


def test_a_class_is_made_and_a_function_called_with_its_options():
    assert resolve_model(f"{EXAMPLES}/my_model.py:DarkPhoton").name == "dark-photon"
    assert float(resolve_measurement(MEASUREMENT, scale="2").value) == pytest.approx(5e-9)


def test_paths_are_anchored_and_catalogue_names_are_not(tmp_path):
    assert anchored("my.py:thing", tmp_path) == f"{tmp_path.resolve()}/my.py:thing"
    assert anchored("miniboone:evis", tmp_path) == "miniboone:evis"
    assert is_user_file("my.py")
    assert not is_user_file("two-higgs-doublet")


def test_a_file_or_name_that_is_missing_is_said(tmp_path):
    assert "no such file" in refused(resolve_model, f"{tmp_path}/absent.py:model")
    assert "path/to/file.py:name" in refused(resolve_model, f"{EXAMPLES}/my_model.py")
    assert "path/to/file.py:name" in refused(resolve_model, f"{EXAMPLES}/my_model.py:")
    said = refused(resolve_model, f"{EXAMPLES}/my_model.py:photon")
    assert "does not define it" in said
    assert "dark_photon" in said  # what it does define


def test_an_object_that_lacks_members_is_told_which(tmp_path):
    path = write(tmp_path, "class Thin:\n    name = 'thin'\n    title = 'Thin'\n    references = ()\n")
    said = refused(resolve_model, f"{path}:Thin")
    assert "it is not a model" in said
    for member in ("parametrisations", "points", "nuisances"):
        assert member in said
    assert "references" not in said
    said = refused(resolve_measurement, f"{path}:Thin")
    assert "it is not a measurement" in said
    for member in ("predict", "log_likelihood", "samples", "bins"):
        assert member in said


def test_a_model_whose_parametrisations_are_something_else_is_refused(tmp_path):
    text = (
        "class M:\n    name = title = 'm'\n    references = nuisances = points = ()\n    parametrisations = {'a': 3}\n"
    )
    assert "Parametrisation" in refused(resolve_model, f"{write(tmp_path, text)}:M")


def test_a_measurement_that_is_no_pytree_is_refused(tmp_path):
    text = (EXAMPLES / "my_measurement.py").read_text().replace("@jax.tree_util.register_dataclass\n", "")
    assert "register_dataclass" in refused(resolve_measurement, f"{write(tmp_path, text)}:load")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import no_such_module_at_all\n", ["ModuleNotFoundError", "line 1"]),
        ("x = 1\nmodel = 1 / 0\n", ["ZeroDivisionError", "line 2"]),
        ("def model(:\n", ["SyntaxError"]),
        ("def model():\n    raise RuntimeError('broken')\n", ["RuntimeError", "broken", "line 2"]),
        ("def model(needed):\n    return needed\n", ["needed"]),
    ],
)
def test_a_file_that_fails_is_one_sentence_with_its_line(tmp_path, text, words):
    said = refused(resolve_model, f"{write(tmp_path, text)}:model")
    assert "\n" not in said
    for word in words:
        assert word in said, said


def test_a_constraint_of_a_user_stands_in_the_table_and_in_a_card():
    """epsilon = 3.29e-3 is 1.645 standard deviations of the limit's half-Gaussian times 1.0967."""
    (limit,) = resolve_constraints(LIMIT)
    model = resolve_model(MODEL)
    chosen = with_own((), model, [limit])
    assert set(sources(limit)) == {str(LIMITS), f"{EXAMPLES}/my_model.py"}  # what it imports belongs to it
    rows = constraint_table(model, {"m_dark": jnp.asarray(0.1), "epsilon": jnp.asarray(3.29e-3)}, chosen)
    assert [(row.name, row.verdict) for row in rows] == [("my-mixing", "excluded")]
    assert rows[0].ratio == pytest.approx(3.29 / 3.0)
    card = f'model = "{MODEL}"\npoint = "example"\n[free]\nepsilon = "default"\n[measurements]\n"{LIMIT}" = "default"\n'
    problem = problem_from_card(card_from_text(card))
    expected = -0.5 * (1.6448536269514722 * 3.29 / 3.0) ** 2
    assert float(problem.log_likelihood({"epsilon": 3.29e-3})) == pytest.approx(expected)


def test_constraints_that_cannot_be_shown_or_fitted_are_refused(tmp_path):
    text = LIMITS.read_text().replace("from my_model import DarkPhoton", "DarkPhoton = object")
    path = write(tmp_path, text.replace('"upper limit"', '"projection"') + "\nboth = (limit, 3)\nseveral = [limit]\n")
    assert "is no anomfit.constraints.Constraint" in refused(resolve_constraints, f"{path}:both")
    assert [one.name for one in resolve_constraints(f"{path}:several")] == ["my-mixing"]
    assert "cannot be fitted (projection)" in refused(resolve_measurement, f"{path}:limit")
    assert "name one of yours as" in refused(resolve_constraints, "e141")
    for old, new, words in (
        ('"upper limit"', '"lower limit"', "whose kind is one of upper limit, measured, curve"),
        ('"upper limit"', '"measured"', "by name with value, sigma_minus, sigma_plus"),
        ('era="example"', "era=2026", "era must be one line of text, not 2026"),
        ("references=()", "references=[]", "cannot be hashed"),
        ("physics=mixing", "physics=3", "physics must be a function"),
        ("(DarkPhoton,)", "()", "accepts must be a tuple of capabilities"),
    ):
        assert words in refused(resolve_constraints, f"{write(tmp_path, text.replace(old, new))}:limit")
    own, model = resolve_constraints(LIMIT), resolve_model(MODEL)
    assert "which oscillation does not offer" in refused(
        lambda name: with_own((), resolve_model(name), own), "oscillation"
    )
    twin = [replace(own[0], data={"limit": 1.0})]
    assert "another one has that name" in refused(lambda name: with_own(resolve_constraints(name), model, twin), LIMIT)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("    return against", "    against", "three real numbers (predicted, limit, ratio), not None"),
        ('point["epsilon"],', 'point["eps"],', "physics of my-mixing: it fails with KeyError: 'eps'"),
        ('point["epsilon"],', 'point["epsilon"] * [1.0, 2.0],', "it fails with TypeError"),
    ],
)
def test_the_physics_of_a_constraint_is_looked_at_in_the_table_too(tmp_path, old, new, words):
    (tmp_path / "my_model.py").write_text((EXAMPLES / "my_model.py").read_text())
    path = write(tmp_path, LIMITS.read_text().replace(old, new))
    model = resolve_model(f"{tmp_path}/my_model.py:dark_photon")
    point = {"m_dark": jnp.asarray(0.1), "epsilon": jnp.asarray(1e-3)}
    said = refused(lambda name: constraint_table(model, point, resolve_constraints(name)), f"{path}:limit")
    assert words in said
    assert "mine.py, line 1" in said


def test_options_that_do_not_fit_are_refused():
    assert "scales" in refused(resolve_measurement, MEASUREMENT, scales="1")
    assert "takes none" in refused(resolve_measurement, f"{EXAMPLES}/my_model.py:dark_photon", scale="1")
