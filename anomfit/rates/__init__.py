"""Reactions in a beam: pairs, recoils and interactions on fixed nodes, for any exchange and any beam."""
