"""docs/recipe.md is enough to write the chain again: what tests/oracles/recipe.py, written from it, counts."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles import recipe

from anomfit.data import data_folder
from anomfit.measurements.miniboone import load_miniboone
from anomfit.models.two_higgs_doublet import as_published, two_higgs_doublet

CASES = {
    "default": (two_higgs_doublet, {}, recipe.Choices()),
    "as published": (
        as_published,
        {"selection": "light-or-5", "flavours": "numu-only", "surroundings": "none"},
        recipe.AS_PUBLISHED,
    ),
}
WINDOW = slice(0, 9)  # 200 to 1250 MeV


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_the_page_gives_the_librarys_events_at_table_one(case):
    model, options, chosen = CASES[case]
    point = {name: jnp.asarray(value) for name, value in model.points["table-I"].items()}
    found = jax.jit(lambda measurement: measurement.predict(model, point, {}).signal)(load_miniboone(**options))
    for start, mode in ((0, "neutrino"), (11, "antineutrino")):
        written = recipe.counts(data_folder(), mode, chosen)
        for row, name in enumerate(("coherent", "incoherent")):
            library = np.asarray(found[name])[start : start + 11]
            assert written[row][WINDOW].sum() == pytest.approx(library[WINDOW].sum(), rel=0.01)
            counted = library > 5.0
            np.testing.assert_allclose(written[row][counted], library[counted], rtol=0.02)
    if "dirt" in found:
        assert float(jnp.sum(found["dirt"])) < 1e-3  # h' of Table I flies millimetres
