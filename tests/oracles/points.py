"""Points of the default card's prior box at which predictions are compared: corners, edges, random ones."""

import numpy as np

BOX = {  # all log-uniform; GeV or dimensionless
    "m_N2": (0.01, 2.0),
    "m_hprime": (0.0015, 0.2),
    "m_N1": (0.001, 2.0),
    "m_H": (0.2, 10.0),
    "sin_delta": (0.01, 0.99),
    "y_nu_F_N": (1e-7, 1e-4),
    "lambda_N12": (5e-3, np.sqrt(4.0 * np.pi)),
    "y_mu": (1e-4, 2e-2),
    "y_e": (2e-5, 3e-3),
}
TABLE_I = (0.130, 0.017, 0.085, 0.750, 0.1, 1.735e-6, 0.075, 1.6e-3, 2.3e-4)
REST = {"y_u": 8e-6, "y_d": 8e-6}


def from_cube(u) -> dict[str, float]:
    """The point at prior quantiles `u` of the nine parameters; masses keep N_2 -> N_1 h' open."""
    values: dict[str, float] = {}
    for (name, (low, high)), quantile in zip(BOX.items(), u, strict=True):
        if name == "m_hprime":
            high = min(high, values["m_N2"] - BOX["m_N1"][0])
        if name == "m_N1":
            high = min(high, values["m_N2"] - values["m_hprime"])
        values[name] = float(low * (high / low) ** quantile)
    return values | REST


def named(**changes) -> dict[str, float]:
    """Table I with changes."""
    return dict(zip(BOX, TABLE_I, strict=True)) | REST | changes


def corners() -> dict[str, dict[str, float]]:
    """Sixteen corners (a half fraction of masses x mixing x m_H x y_e), strongest signal; 0.9999 of the N_1 range."""
    points = {}
    for k in range(16):
        heavy, wide, narrow, mixed = (k >> b & 1 for b in range(4))
        m_H, long_lived = (heavy + wide + narrow) % 2, (heavy + narrow + mixed) % 2
        u = [heavy, 0.9999 * wide, 0.9999 * narrow, m_H, mixed, 1.0, (wide + mixed) % 2, 0.5, 1 - long_lived]
        points[f"corner {k:2d}"] = from_cube(u)
    return points


def edges() -> dict[str, dict[str, float]]:
    """Places where a rule may fail: thresholds, narrow boxes, poles, long lives, two channels."""
    return {
        "Table I": named(),
        "Table I, strongest": named(y_nu_F_N=1e-4),
        "box closed (N_1 h' at 1e-6)": named(m_N1=0.130 - 0.017 - 1e-6, y_nu_F_N=1e-4),
        "N_1 closed, nu h' alone": named(m_N1=0.120, y_nu_F_N=1e-4),
        "narrow box, heavy": named(m_N2=0.5, m_N1=0.3299, m_hprime=0.17, y_nu_F_N=1e-4),
        "narrow box, light": named(m_N2=0.03, m_N1=0.0249, m_hprime=0.005, y_nu_F_N=1e-4),
        "lightest h', all mixed": named(m_hprime=0.0015, sin_delta=0.99, y_nu_F_N=1e-4),
        "lightest h', light N_2": named(m_N2=0.01, m_hprime=0.0015, m_N1=0.001, sin_delta=0.99, y_nu_F_N=1e-4),
        "lightest h', heavy N_2": named(m_N2=1.0, m_hprime=0.0015, m_N1=0.001, sin_delta=0.99, y_nu_F_N=1e-4),
        "long-lived": named(sin_delta=0.01, y_e=2e-5, y_nu_F_N=1e-4),
        "long-lived, light": named(m_hprime=0.002, sin_delta=0.01, y_e=2e-5, y_nu_F_N=1e-4),
        "heavy pair": named(m_N2=0.4, m_hprime=0.2, m_N1=0.05, y_nu_F_N=1e-4),
        "heavy pair at the mass cut": named(m_N2=0.4, m_hprime=0.04, m_N1=0.05, y_nu_F_N=1e-4),
        "pair of 80 MeV": named(m_N2=0.25, m_hprime=0.08, m_N1=0.05, sin_delta=0.5, y_nu_F_N=1e-4),
        "heaviest N_2": named(m_N2=2.0, m_hprime=0.05, m_N1=0.5, y_nu_F_N=1e-4),
        "heaviest N_2, relativistic h'": named(m_N2=2.0, m_hprime=0.005, m_N1=0.001, sin_delta=0.5, y_nu_F_N=1e-4),
        "N_2 of 1 GeV": named(m_N2=1.0, m_hprime=0.03, m_N1=0.3, y_nu_F_N=1e-4),
        "two channels": named(lambda_N12=5e-3, sin_delta=0.7, m_N1=0.1, y_nu_F_N=1e-4),
        "H open": named(m_N2=1.5, m_H=0.2, m_hprime=0.02, m_N1=0.1, sin_delta=0.7, lambda_N12=0.5, y_nu_F_N=1e-4),
    }


def scattered(n: int, seed: int) -> dict[str, dict[str, float]]:
    """Random points of the prior, every second one with the strongest coupling."""
    rng = np.random.default_rng(seed)
    u = rng.random((n, len(BOX)))
    u[::2, list(BOX).index("y_nu_F_N")] = 1.0
    return {f"random {k}": from_cube(row) for k, row in enumerate(u)}


def all_points(n: int) -> dict[str, dict[str, float]]:
    """The first n of edges, corners and random points."""
    points = {**edges(), **corners(), **scattered(n, 1)}
    return dict(list(points.items())[:n])
