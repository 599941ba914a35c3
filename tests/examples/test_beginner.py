"""The beginner's network of the examples, where PyTorch is installed."""

import pytest

pytest.importorskip("torch")

import beginner_net


def test_both_poolings_go_through_cores_and_the_scores_stay(capsys):
    assert beginner_net.main() == 0
    said = capsys.readouterr().out
    assert "pool_1  max 2x2" in said
    assert "the same bit for bit with cores" in said
