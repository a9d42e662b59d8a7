"""Detectors: what becomes of pairs and recoils in them, as functions that know no model."""
