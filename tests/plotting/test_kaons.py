import jax.numpy as jnp
import numpy as np
import pytest
from matplotlib.figure import Figure

from anomfit.catalogue import find_constraint
from anomfit.data import load_record
from anomfit.errors import InputError
from anomfit.models.dark_scalar import dark_scalar
from anomfit.plotting.kaons import CHARGED, charged_limit, kaon_points, koto_limit, plot_gap, plot_koto
from anomfit.plotting.papers import save_paper_figures

PION = np.array([0.135])


def test_the_limit_of_2015_is_the_published_curve():
    published = load_record("koto/kl_pi0_X_2015").columns
    found = koto_limit("2015", published["m_X_GeV"])
    np.testing.assert_allclose(found, published["limit"], rtol=1e-9)


@pytest.mark.parametrize(("era", "events", "rel"), [("2020", 6.68, 0.02), ("2021", 2.303, 0.03)])
def test_limits_of_later_eras_keep_the_published_ratio(era, events, rel):
    """Over the sensitivity to K_L -> pi0 nu nubar both are the Poisson limit on the candidates, published too."""
    values, first = load_record("koto/eras").parts[era].values, load_record("koto/eras").parts["2015"].values
    ratio = koto_limit(era, PION)[0] / koto_limit("2015", PION)[0]
    assert ratio == pytest.approx(events / 2.3026 * values["ses"] / first["ses"], rel=1e-3)
    assert values["limit"] / values["ses"] == pytest.approx(events, rel=rel)


@pytest.mark.parametrize("name", CHARGED)
def test_lines_are_those_of_the_constraints(name):
    """A point whose S escapes unseen: rate over ratio is the line."""
    point = {key: jnp.asarray(value) for key, value in dark_scalar.points["bp5"].items()}
    changes = {"eta_d": jnp.asarray(1e-9), "kappa": jnp.asarray(1e-9), "eta_u": jnp.asarray(1e-7)}
    point = {**point, **changes, "m_S": jnp.asarray(0.06 if name != "Kplus-piplus-na62-pi0" else 0.13)}
    outcome = find_constraint(name).outcome(dark_scalar, point, {})
    line = charged_limit(name, np.array([float(point["m_S"])]))[0]
    assert float(outcome.predicted / outcome.ratio) == pytest.approx(line, rel=1e-6)


def test_the_window_at_the_pion_is_open_but_for_one_search():
    closed = [name for name in CHARGED if np.isfinite(charged_limit(name, PION)[0])]
    assert closed == ["Kplus-piplus-na62-pi0"]
    assert all(np.isfinite(charged_limit(name, np.array([0.06]))[0]) for name in CHARGED if name not in closed)


@pytest.mark.parametrize(("plot", "rate"), [(plot_koto, "neutral"), (plot_gap, "charged")])
def test_the_six_points_stand_at_their_rates(plot, rate):
    ax = plot(Figure().subplots())
    shown = [line for line in ax.lines if "default model" in str(line.get_label())]
    points = kaon_points(dark_scalar)
    np.testing.assert_allclose(shown[0].get_xdata(), [1e3 * p.mass for p in points])
    np.testing.assert_allclose(shown[0].get_ydata(), [getattr(p, rate) for p in points])
    assert ax.get_xlabel().endswith("[MeV]")


def test_figures_follow_the_paper(tmp_path):
    names = [path.name for path in save_paper_figures(tmp_path, "dark-scalar")]
    assert names == ["koto-limit-2005.08920.png", "na62-gap-2005.08920.png"]
    with pytest.raises(InputError, match="dark-scalar"):
        save_paper_figures(tmp_path, "2101.00001")
