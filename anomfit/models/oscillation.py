"""Two-flavour nu_mu -> nu_e oscillation: the hypothesis of the experiments' own fits, a check on every likelihood."""

from collections.abc import Mapping
from dataclasses import dataclass

from anomfit.parameters import Nuisance, Parameter, Parametrisation, Point
from anomfit.physics.oscillation import appearance_probability

_PARAMETERS = (
    Parameter("sin2_2theta", r"$\sin^2 2\theta$", "1", 1e-4, 1.0, "log-uniform", "effective nu_mu-nu_e mixing"),
    Parameter("delta_m2", r"$\Delta m^2$", "eV^2", 1e-2, 1e2, "log-uniform", "mass-squared difference"),
)
_PHYSICAL = Parametrisation("physical", _PARAMETERS, dict, dict, {})


@dataclass(frozen=True)
class Oscillation:
    """nu_mu -> nu_e with one mass-squared difference, the same for neutrinos and antineutrinos."""

    name: str = "oscillation"
    title: str = "two-flavour nu_mu -> nu_e oscillation"

    references = ("arXiv:1805.12028", "arXiv:2006.16883")
    nuisances: tuple[Nuisance, ...] = ()

    @property
    def parametrisations(self) -> Mapping[str, Parametrisation]:
        """One, the physical."""
        return {"physical": _PHYSICAL}

    @property
    def points(self) -> Mapping[str, Mapping[str, float]]:
        """The published best fit of the neutrino-mode and combined data (arXiv:2006.16883), and LSND's 0.264 % at large
        Delta m^2.
        """
        return {
            "miniboone-2020": {"sin2_2theta": 0.807, "delta_m2": 0.043},
            "lsnd": {"sin2_2theta": 0.003, "delta_m2": 1.2},
        }

    def appearance_probability(self, point: Point, energy, length):
        """Capability PredictsAppearance: energy in GeV, length in m."""
        return appearance_probability(point["sin2_2theta"], point["delta_m2"], energy, length)


oscillation = Oscillation()
