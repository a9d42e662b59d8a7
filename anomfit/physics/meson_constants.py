"""Masses, lives and decay constants of mesons in GeV and GeV^-1; masses and lives of the `particle` package (PDG)."""

from particle import Particle


def _property(pdg_id: int, name: str) -> float:
    value = getattr(Particle.from_pdgid(pdg_id), name)
    if value is None:
        raise LookupError(f"particle {pdg_id} has no {name} in the table of the 'particle' package")
    return 1e-3 * value


M_CHARGED_PION = _property(211, "mass")
M_NEUTRAL_PION = _property(111, "mass")
M_CHARGED_KAON = _property(321, "mass")
M_NEUTRAL_KAON = _property(311, "mass")
M_B_ZERO = _property(511, "mass")
M_B_CHARGED = _property(521, "mass")
M_KSTAR_ZERO = _property(313, "mass")
M_KSTAR_CHARGED = _property(323, "mass")

WIDTH_CHARGED_KAON = _property(321, "width")
WIDTH_KAON_LONG = _property(130, "width")
WIDTH_KAON_SHORT = _property(310, "width")
WIDTH_B_ZERO = _property(511, "width")
WIDTH_B_CHARGED = _property(521, "width")
WIDTH_NEUTRAL_PION = _property(111, "width")

F_PION = 0.0922
"""Pion decay constant F (= f_pi+/sqrt 2), GeV, PDG 2022 review "Leptonic decays of charged pseudoscalar mesons"."""

F_KAON = 0.1557
"""Kaon decay constant f_K+ (the sqrt 2 larger convention), GeV, same review."""

V_US = 0.2243
"""CKM element, PDG 2022."""

G_8 = 9.3e-6
"""Octet coupling |G_8| of the weak chiral Lagrangian at leading order, GeV^-2, fitted to K -> pi pi (Cirigliano et al.,
Rev. Mod. Phys. 84 (2012) 399); good to 30 per cent in amplitudes of other modes."""
