"""Kernels by channel, target and term: times couplings they are what a measurement counts, and they know none."""

from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.catalogue import find_measurement
from anomfit.models.dark_photon import dark_photon_dirac
from anomfit.models.two_higgs_doublet import two_higgs_doublet
from anomfit.physics.reaction import Reaction
from anomfit.physics.targets import Target
from anomfit.rates.kernels import coupled, kernels, strengths


class OneReaction(NamedTuple):
    """A model of which only a reaction is known."""

    reaction: Reaction

    def reactions(self, point, nuisances):
        return (self.reaction,)


def reaction_of(model, point, **changed) -> Reaction:
    at = {name: jnp.asarray(float(value)) for name, value in (model.points[point] | changed).items()}
    return model.reactions(at, {})[0]


def scatterers_of(measurement) -> tuple[Target, ...]:
    chain = getattr(measurement, "search", None) or measurement.chain
    return chain.beam.scatterers if hasattr(chain, "beam") else chain.sources[0].composition


def counting(measurement):
    """Selected pairs by component and totals, of one reaction."""

    def count(reaction):
        return measurement.predict(OneReaction(reaction), {}, {})

    return count


CASES = [
    (two_higgs_doublet, "table-I", "miniboone", {"y_u": 3e-6, "sin_delta": 0.2}),
    (two_higgs_doublet, "table-I", "lsnd", {"y_u": 3e-6, "sin_delta": 0.2}),
    (dark_photon_dirac, "bertuzzo", "microboone", {"U_mu4": 1e-4, "epsilon": 1e-4}),
]


@pytest.mark.parametrize(("model", "point", "name", "changed"), CASES, ids=[f"{c[0].name}-{c[2]}" for c in CASES])
def test_kernels_times_couplings_are_what_is_counted(model, point, name, changed):
    """At the point where they were worked out, and for other couplings at the same masses and flights."""
    measurement = find_measurement(name)
    count, scatterers = counting(measurement), scatterers_of(measurement)
    here, there = reaction_of(model, point), reaction_of(model, point, **changed)
    there = replace(there, flight=here.flight, pair=here.pair, asymmetry=here.asymmetry)  # coordinates of the kernel
    found = jax.jit(lambda reaction: kernels(count, reaction, scatterers))(here)
    direct = jax.jit(count)
    for reaction in (here, there):
        summed, expected = coupled(found, strengths(reaction, scatterers)), direct(reaction)
        scale = max(float(np.max(np.abs(part))) for part in expected.signal.values())  # of all components together
        for part, other in zip(jax.tree.leaves(summed), jax.tree.leaves(expected), strict=True):
            np.testing.assert_allclose(part, other, rtol=1e-11, atol=1e-13 * scale)
    assert any(float(np.max(np.abs(part))) > 0.0 for part in jax.tree.leaves(direct(here)))
