"""Mutants that are neither killed nor proved equal, each with its reason."""

NETLISTS: dict[tuple[str, str], str] = {}
"""By core and fault."""
