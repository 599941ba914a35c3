"""Cores with a fault put in, to show that the tests find it; `run` does it by the thousand."""
