"""docs/examples/my_vector.py: short, public names alone, the notebook's first cell, and the numbers of what ships."""

import ast
import json
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.beams.booster import miniboone_beam
from anomfit.capabilities import HasLightBosons, HasTargets, Model, PredictsLeptonMoment, Upscatters
from anomfit.cards import load_card
from anomfit.models.dark_photon import dark_photon
from anomfit.models.dark_photon_parameters import BERTUZZO
from anomfit.physics.targets import stack_targets
from anomfit.userfiles import resolve_model

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "docs" / "examples" / "my_vector.py"
CARD = EXAMPLE.with_name("my_vector_card.toml")


@pytest.fixture(scope="module")
def model():
    return resolve_model(f"{EXAMPLE}:model")


def test_it_has_at_most_eighty_lines_and_no_private_name():
    text = EXAMPLE.read_text()
    assert len(text.splitlines()) <= 80
    modules, names = [], []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            modules.append(node.module)
            names += [alias.name for alias in node.names]
        if isinstance(node, ast.Attribute):
            names.append(node.attr)
    assert not any(part.startswith("_") for module in modules for part in module.split("."))
    assert not any(name.startswith("_") for name in names)
    assert not any(module.startswith("anomfit.models") for module in modules)


def test_the_notebook_begins_with_the_file():
    cells = json.loads((ROOT / "notebooks" / "from_paper_to_fit.ipynb").read_text())["cells"]
    first = next(cell for cell in cells if cell["cell_type"] == "code")
    assert "".join(first["source"]) == EXAMPLE.read_text().strip()


def test_it_offers_what_the_page_says(model):
    for capability in (Model, Upscatters, HasLightBosons, PredictsLeptonMoment, HasTargets):
        assert isinstance(model, capability)


def test_it_is_the_model_that_ships(model):
    """At the paper's point, up to |U_mu4|^2 = 9e-7 and the light neutrinos among what Z' decays to."""
    own = {name: jnp.asarray(value) for name, value in model.points["paper"].items()}
    shipped = {name: jnp.asarray(value) for name, value in BERTUZZO.items()}
    (mine,), (theirs,) = model.reactions(own, {}), dark_photon.reactions(shipped, {})
    targets = stack_targets(miniboone_beam().scatterers)
    np.testing.assert_allclose(mine.production.couplings(targets), theirs.production.couplings(targets), rtol=3e-6)
    assert float(mine.flight) == pytest.approx(float(theirs.flight), rel=3e-6)
    assert float(mine.pair.flight) == pytest.approx(float(theirs.pair.flight), rel=1e-3)
    assert float(mine.visible) == pytest.approx(float(theirs.visible), rel=1e-3)
    (bosons,), (others,) = model.light_bosons(own), dark_photon.light_bosons(shipped)
    for name in ("mass", "g_e", "g_mu", "g_u", "g_d", "g_nu", "to_electrons", "to_muons", "to_hadrons"):
        np.testing.assert_allclose(getattr(bosons, name), getattr(others, name), rtol=3e-6)
    moments = (each.lepton_moment(at, "muon") for each, at in ((model, own), (dark_photon, shipped)))
    assert float(next(moments)) == pytest.approx(float(next(moments)), rel=1e-12)


def test_its_card_is_one():
    card = load_card(CARD)
    assert {parameter.name for parameter in card.free} == {"epsilon", "g"}
