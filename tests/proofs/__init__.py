"""Proofs of the hardware: for any data, gaps, stalls and resets, and without a bound in time.

docs/proofs.md has the theorem and what each lemma assumes. `run` proves them all.
"""
