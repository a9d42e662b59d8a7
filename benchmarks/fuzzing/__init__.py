"""Damaged and odd input of every kind that anomfit reads, seeded, and what became of it; see benchmarks/fuzz.py."""
