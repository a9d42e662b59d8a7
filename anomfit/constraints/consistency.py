"""Perturbativity, light-neutrino masses, and the electron's magnetic moment."""

from functools import lru_cache, partial

import numpy as np

from anomfit.capabilities import HasCouplings, PredictsLeptonMoment, PredictsLightNeutrinos
from anomfit.constraints.base import About, Constraint, Outcome, against_measurement, measured_number
from anomfit.measurements.lepton_moments import load_lepton_moment
from anomfit.parameters import Point
from anomfit.physics import neutrino_mass as splitting


@lru_cache
def constraints() -> tuple[Constraint, ...]:
    """All of this family."""
    solar = ("Delta m^2_21", 0, splitting.DELTA_M2_21_NUFIT, splitting.DELTA_M2_21_NUFIT_SIGMA)
    atmospheric = ("Delta m^2_31", 1, splitting.DELTA_M2_31_NUFIT, splitting.DELTA_M2_31_NUFIT_SIGMA)
    return (_perturbativity(), _splitting("solar", *solar), _splitting("atmospheric", *atmospheric), _electron())


def _perturbativity() -> Constraint:
    about = About(
        name="perturbativity",
        title="every dimensionless coupling below sqrt(4 pi)",
        quantity="largest dimensionless coupling",
        unit="1",
        kind="curve",
        era="theory",
        source="arXiv:2006.01948 appendix B",
        assumption="couplings of fermions to the new bosons; quartic couplings are not parameters of the fit",
        references=("arXiv:2006.01948",),
        accepts=(HasCouplings,),
    )
    return Constraint({"limit": np.asarray(np.sqrt(4.0 * np.pi))}, about, _largest)


def _largest(model: HasCouplings, point: Point, nuisances: Point, data) -> Outcome:
    largest = model.largest_coupling(point)
    return Outcome(largest, data["limit"], largest / data["limit"])


def _splitting(name: str, quantity: str, index: int, value: float, sigma: float) -> Constraint:
    about = About(
        name=f"neutrinos-{name}",
        title=f"{name} mass-squared difference of the light neutrinos",
        quantity=quantity,
        unit="eV^2",
        kind="measured",
        era="2024",
        source="NuFIT 6.0, arXiv:2410.05380, normal ordering (recalled)",
        assumption="type-I seesaw of one sterile state a generation; the Dirac masses are fitted to the splitting",
        references=("arXiv:2410.05380",),
        accepts=(PredictsLightNeutrinos,),
        without=value,  # light neutrinos have masses, whatever gives them
    )
    return Constraint(measured_number(value, sigma), about, _SPLITTINGS[index])


def _mass_splitting(index: int, model: PredictsLightNeutrinos, point: Point, nuisances: Point, data) -> Outcome:
    found = splitting.mass_squared_differences(model.light_neutrinos(point).m_light)[index]
    return against_measurement(found, data)


_SPLITTINGS = (partial(_mass_splitting, 0), partial(_mass_splitting, 1))


def _electron() -> Constraint:
    measured = load_lepton_moment("electron")
    about = About(
        name="electron-moment",
        title="anomalous magnetic moment of the electron",
        quantity="Delta a_e",
        unit="1",
        kind="measured",
        era=measured.era,
        source="arXiv:2209.13084 with alpha of Nature 588 (2020) 61",
        assumption="alpha from rubidium; caesium differs by five standard deviations",
        references=measured.references,
        accepts=(PredictsLeptonMoment,),
        samples=("g-2-electron",),
    )
    return Constraint(
        measured_number(measured.value, measured.sigma_minus, measured.sigma_plus), about, _electron_moment
    )


def _electron_moment(model: PredictsLeptonMoment, point: Point, nuisances: Point, data) -> Outcome:
    return against_measurement(model.lepton_moment(point, "electron"), data)
