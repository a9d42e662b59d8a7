"""The pairs of a model that has one reaction."""

from anomfit.rates.pair_events import PairEvents, pair_events


def events_of(model, point, beam, nodes, nuisances=None) -> PairEvents:
    """On the quadrature nodes, at a physical point."""
    (reaction,) = model.reactions(point, nuisances or {})
    return pair_events(reaction, beam, nodes)
