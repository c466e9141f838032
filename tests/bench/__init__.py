"""Figures of speed and size: `python -m tests.bench`. Compare only what ran in one run; see docs/figures.md."""
