"""What part pooling takes of a whole network, from a runtime's own profile."""

import pytest
from streampool_bench.report import reading
from streampool_bench.software.shares import MODELS, shares, summed


def event(name: str, op: str, ts: int, dur: int):
    return {"name": name, "ts": ts, "dur": dur, "args": {"op_name": op}}


def run(begin: int, conv: int, pool: int):
    """Return the events of one run: convolution, pooling, what is around both."""
    return [
        {"name": "model_run", "ts": begin, "dur": conv + pool + 10},
        event("conv_kernel_time", "Conv", begin + 1, conv),
        event("pool_kernel_time", "MaxPool", begin + 2 + conv, pool),
        event("pool_fence_before", "MaxPool", begin + 2 + conv, 5),
    ]


def test_the_last_runs_are_summed_up():
    events = [*run(0, 900, 900), *run(2000, 80, 10), *run(4000, 60, 30), *run(6000, 70, 20)]
    found = summed(events, 3)
    assert found["whole_s"] == pytest.approx(100e-6)
    assert found["pooling_s"] == pytest.approx(20e-6)
    assert found["share"] == pytest.approx(0.2)
    assert (found["pooling_nodes"], found["rounds"]) == (1, 3)


def test_a_network_that_comes_with_onnx():
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    told = []
    [found] = shares(["squeezenet1_0", "vgg16"], 2, 1, lambda *what: told.append(what))
    assert found["net"] == "squeezenet1_0" and found["model"] == MODELS["squeezenet1_0"]
    assert found["rounds"] == 2 and found["pooling_nodes"] == 4  # three maxima and the average
    assert 0 < found["pooling_s"] < found["whole_s"]
    assert told == [(0, 1, "all of squeezenet1_0")]


def test_the_sentence_names_the_largest_share():
    row = {"runtime": "R", "dtype": "float32", "share": 0.0123, "net": "a"}
    rows = [row, row | {"share": 0.25, "net": "b"}, row | {"share": 0.02}]
    found = reading._share({"shares": rows}, [])
    assert found is not None
    assert "2.0% of the time (median) and at most 25.0% (b)" in found["text"]
    assert reading._share({"shares": []}, []) is None
