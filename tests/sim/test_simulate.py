"""simulate(): arrays in, arrays and statistics out."""

import json
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import streampool_sim.simulation
from broken_cores import BrokenCore
from streampool_golden import (
    MaxPool2d,
    MaxPooling2D,
    PoolJob,
    PoolSpec,
    SpecError,
    SpecWarning,
    UnpoolJob,
    __version__,
    pool,
    unpool,
)
from streampool_hw import PoolCore
from streampool_sim import EngineError, EngineWarning, Result, simulate
from streampool_sim.engines import amaranth
from streampool_sim.frames import pack
from streampool_sim.simulation import compare

STATS = {
    "version", "spec", "shape", "out_shape", "lanes", "engine", "frames", "frames_simulated",
    "beats_in", "beats_out", "cycles", "cycles_per_frame", "limit_cycles_per_frame",
    "latency_cycles", "first_output_cycles", "row_store_words", "column_store_words",
    "limit_row_store_words", "store_bits", "matches_golden", "freq_mhz", "frames_per_second",
    "seconds", "cycles_per_second", "stall", "warnings",
}  # fmt: skip

SPEC = PoolSpec("max", 3, stride=2, padding=1)


def random(shape: tuple[int, ...], dtype: type[np.integer] = np.int8) -> np.ndarray:
    info = np.iinfo(dtype)
    rng = np.random.default_rng(len(shape))
    return rng.integers(info.min, info.max, shape, np.int64, endpoint=True).astype(dtype)


def unpooled(
    values: np.ndarray, indices: np.ndarray, size: tuple[int, int], layout: str | None = None
) -> Result:
    shape = values.shape[1:] if layout != "NHWC" else (values.shape[-1], *values.shape[1:-1])
    return simulate(UnpoolJob(shape, size, None, values.dtype), values, indices, layout=layout)


@pytest.mark.parametrize("engine", ["amaranth", "fast"])
def test_statistics(engine):
    x = random((1, 5, 9, 8))
    result = simulate(SPEC, x, lanes=2, engine=engine, freq_mhz=50)
    assert np.array_equal(result.output, pool(SPEC, x))
    assert result.mismatch is None
    stats = result.stats
    assert stats.keys() >= STATS
    assert json.loads(json.dumps(stats)) == stats
    expected = {
        "version": __version__,
        "spec": SPEC.to_json(),
        "shape": [5, 9, 8],
        "out_shape": [5, 5, 4],
        "lanes": 2,
        "engine": engine,
        "frames": 1,
        "frames_simulated": 5,
        "beats_in": 3 * 72,
        "beats_out": 3 * 20,
        "cycles_per_frame": 3 * 72,
        "limit_cycles_per_frame": 3 * 72,
        "row_store_words": 3 * 4,
        "limit_row_store_words": 3 * 4,
        "column_store_words": 3,
        "limit_column_store_words": 3,
        "store_bits": 2 * 8 * (3 * 4 + 3),
        "matches_golden": True,
        "freq_mhz": 50,
        "frames_per_second": 50e6 / 216,
        "stall": 0.0,
    }
    assert {key: stats[key] for key in expected} == expected
    # The first window's last input is row 1, column 1, of the first channel group.
    assert stats["first_output_cycles"] == 3 * (1 * 8 + 1) + stats["latency_cycles"]
    # Five frames in without a gap, the last beat of them completes the last window.
    assert stats["cycles"] == 5 * 216 + stats["latency_cycles"]


def test_a_frame_that_grows_is_limited_by_its_output():
    spec = PoolSpec("max", 2, 1, 1)
    stats = simulate(spec, random((1, 1, 6, 7))).stats
    assert stats["limit_cycles_per_frame"] == stats["cycles_per_frame"] == 7 * 8


def test_one_axis_has_no_rows():
    spec = PoolSpec("sum", 4, 2, ndim=1)
    stats = simulate(spec, random((1, 2, 20)), lanes=1).stats
    assert (stats["row_store_words"], stats["limit_row_store_words"]) == (0, 0)
    assert 0 < stats["column_store_words"] <= stats["limit_column_store_words"] == 2 * 2
    assert stats["cycles_per_frame"] == 40


@pytest.mark.parametrize(
    ("spec", "shape", "layout"),
    [
        (SPEC, (6, 7), None),
        (SPEC, (3, 6, 7), None),
        (SPEC, (2, 3, 6, 7), "NCHW"),
        (SPEC, (2, 2, 3, 6, 7), "NCHW"),
        (SPEC, (6, 7, 3), "NHWC"),
        (SPEC, (2, 6, 7, 3), "NHWC"),
        (PoolSpec("avg", 3, ndim=1), (12,), "NCW"),
        (PoolSpec("avg", 3, ndim=1), (4, 12), "NCW"),
        (PoolSpec("max", 2, ndim=3), (4, 2, 4, 3), "NDHWC"),
        (PoolSpec("l2", "global", ndim=3), (2, 3, 2, 2, 2), "NCDHW"),
        (PoolSpec("avg", 3, ndim=1), (2, 12, 4), "NWC"),
    ],
)
def test_layouts(spec, shape, layout):
    x = random(shape)
    result = simulate(spec, x, layout=layout)
    expected = pool(spec, x, layout)
    assert result.output.shape == expected.shape
    assert result.output.dtype == expected.dtype
    assert np.array_equal(result.output, expected)
    assert result.stats["matches_golden"]


def test_a_layer_of_keras_is_simulated_channels_last():
    x = np.arange(4 * 6 * 3).reshape(4, 6, 3)
    result = simulate(MaxPooling2D(), x)
    assert result.stats["shape"] == [3, 4, 6]
    assert np.array_equal(result.output, pool(PoolSpec("max", 2), x, "NHWC"))


@pytest.mark.parametrize(
    ("frames", "repeat", "simulated"),
    [(1, None, 5), (2, None, 6), (5, None, 5), (7, None, 7), (1, 2, 2), (3, 4, 12)],
)
def test_frames_are_repeated_until_five(frames, repeat, simulated):
    x = random((frames, 1, 4, 4))
    result = simulate(MaxPool2d(2), x, repeat=repeat)
    assert result.stats["frames"] == frames
    assert result.stats["frames_simulated"] == simulated
    assert result.output.shape == (frames, 1, 2, 2)
    assert result.stats["cycles_per_frame"] == (16 if simulated >= 4 else None)


def test_stalls_change_the_cycles_alone():
    x = random((1, 2, 8, 8))
    plain = simulate(SPEC, x)
    one, other = (simulate(SPEC, x, stall=0.5, seed=seed) for seed in (1, 2))
    assert np.array_equal(one.output, plain.output)
    assert np.array_equal(other.output, plain.output)
    assert plain.stats["cycles_per_frame"] == 64 < one.stats["cycles_per_frame"]
    assert one.stats["cycles"] != other.stats["cycles"]
    assert one.stats["cycles"] == simulate(SPEC, x, stall=0.5, seed=1).stats["cycles"]
    assert one.stats["stall"] == 0.5


def test_auto_compiles_only_what_outlasts_the_compile():
    assert simulate(SPEC, random((1, 1, 6, 6))).stats["engine"] == "amaranth"
    assert simulate(SPEC, random((1, 3, 100, 100))).stats["engine"] == "fast"


def test_auto_takes_a_model_that_is_there_already(tmp_path, monkeypatch):
    monkeypatch.setenv("STREAMPOOL_CACHE", str(tmp_path))
    x = random((1, 1, 16, 16))
    engines = [simulate(SPEC, x, engine=e).stats["engine"] for e in ("auto", "fast", "auto")]
    assert engines == ["amaranth", "fast", "fast"]


@pytest.mark.parametrize("engine", ["auto", "fast"])
def test_without_a_compiler_it_runs_slower_and_says_so(engine, monkeypatch, tmp_path):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(streampool_sim.simulation, "LOOK_FROM", 0)
    x = random((1, 1, 4, 4))
    with pytest.warns(EngineWarning, match=r"Amaranth's simulator runs .* no C\+\+ compiler"):
        result = simulate(SPEC, x, engine=engine)
    assert result.stats["engine"] == "amaranth"
    assert any("no C++ compiler" in said for said in result.stats["warnings"])
    assert np.array_equal(result.output, pool(SPEC, x))


def test_the_plain_engine_needs_no_compiler(monkeypatch, tmp_path):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        simulate(SPEC, random((1, 1, 4, 4)), engine="amaranth")


def test_the_jobs_warnings_are_said_once():
    with pytest.warns(SpecWarning) as said:
        result = simulate(PoolSpec("max", 2, stride=3), random((1, 1, 7, 7)))
    assert [str(warning.message) for warning in said] == result.stats["warnings"]
    assert len(result.stats["warnings"]) == len(set(result.stats["warnings"])) > 0


@pytest.mark.parametrize("engine", ["auto", "fast"])
def test_waveforms_show_the_ports_first(engine, tmp_path):
    path = tmp_path / "wave.vcd"
    x = random((1, 2, 4, 4))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        stats = simulate(SPEC, x, engine=engine, vcd=path).stats
    assert stats["engine"] == "amaranth"
    assert any(w.category is EngineWarning for w in said) == (engine == "fast")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["wave.gtkw", "wave.vcd"]
    text = path.read_text()
    names = [line.split()[4] for line in text.splitlines() if line.startswith("$var")]
    ports = [name for name in names[:20] if "[" not in name and "." not in name]
    assert ports[:9] == [
        "clk", "rst", "cycle", "i__valid", "i__ready", "i__payload", "o__valid", "o__ready",
        "o__payload",
    ]  # fmt: skip
    assert names.index("\\o__payload.last") < 20
    assert names.count("clk") == names.count("rst") == 1
    assert text.count("\n#") > 2 * stats["cycles"]


def test_a_waveform_is_kept_when_the_core_fails(tmp_path, monkeypatch):
    monkeypatch.setattr(
        streampool_sim.simulation, "make_core", lambda *_: BrokenCore("stuck", (2, 3, 4), 2)
    )
    path = tmp_path / "wave.vcd"
    spec = PoolSpec("max", 1, dtype="uint8")
    with pytest.raises(EngineError, match="stopped after 17 of 60"):
        simulate(spec, random((2, 3, 4), np.uint8), lanes=2, vcd=path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["wave.gtkw", "wave.vcd"]


def test_waveforms_into_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder"):
        simulate(SPEC, random((1, 1, 4, 4)), vcd=tmp_path / "none" / "wave.vcd")


@pytest.mark.parametrize("fault", ["value", "last"])
def test_a_core_that_is_wrong_is_no_match(fault, monkeypatch):
    monkeypatch.setattr(streampool_sim.simulation, "make_core", lambda *_: BrokenCore(fault))
    spec = PoolSpec("max", 1, dtype="uint8")
    x = np.full((2, 3, 4), 8, np.uint8)
    result = simulate(spec, x, lanes=2)
    assert not result.stats["matches_golden"]
    assert (
        result.mismatch
        == {
            "value": "frame 1, channel 0, position (1, 1): 9 left the core where the golden model "
            "has 8 (1 values differ)",
            "last": "last is 1 on output beat 10, where a frame has 12 beats",
        }[fault]
    )


def test_compare_finds_a_difference_in_any_round():
    spec = PoolSpec("max", 1)
    core = PoolCore(spec, (3, 2, 2), 2)
    x = random((2, 3, 2, 2))
    trace = amaranth.run(core, pack(core.job, x), count=5)
    assert compare(core.job, trace, x)[1] is None
    for beat in range(len(trace.out)):
        lanes = 1 if beat % 2 else 2  # the second group has one channel
        for lane in range(lanes):
            out = trace.out.copy()
            out[beat, lane] ^= 1
            mismatch = compare(core.job, replace(trace, fields=(out,)), x)[1]
            assert mismatch is not None
            assert mismatch.startswith(f"frame {beat // 8}, channel {beat % 2 * 2 + lane}, ")
    # The lane without a channel is nobody's.
    out = trace.out.copy()
    out[1::2, 1] ^= 1
    assert compare(core.job, replace(trace, fields=(out,)), x)[1] is None


@pytest.mark.parametrize("dtype", ["int8", "float16"])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_no_frame_gives_none(dtype: str, layout: str):
    spec = PoolSpec("max", 2, dtype=dtype, indices="flat")
    shape, out = ((0, 5, 4, 6), (0, 5, 2, 3)) if layout == "NCHW" else ((0, 4, 6, 5), (0, 2, 3, 5))
    result = simulate(spec, np.zeros(shape, dtype), layout=layout)
    assert result.output.shape == out and result.output.dtype == dtype
    assert result.indices is not None
    assert result.indices.shape == out and result.indices.dtype == np.int64
    assert result.mismatch is None and result.stats["matches_golden"]
    nothing = {"frames": 0, "frames_simulated": 0, "cycles": 0, "cycles_per_frame": None,
               "first_output_cycles": None, "frames_per_second": None}  # fmt: skip
    assert nothing.items() <= result.stats.items()
    assert result.stats["beats_in"] == 4 * 6 and result.stats["engine"] == "none"
    json.dumps(result.stats)
    again = unpooled(result.output, result.indices, (4, 6), layout)
    assert again.output.shape == shape and again.mismatch is None


def test_a_job_is_simulated_as_its_specification_is():
    x = random((3, 2, 6, 6))
    job = PoolJob(SPEC, (2, 6, 6), 2)
    of_job, of_spec = simulate(job, x), simulate(SPEC, x, lanes=2)
    assert np.array_equal(of_job.output, of_spec.output)
    assert of_job.stats["cycles"] == of_spec.stats["cycles"]
    with pytest.raises(SpecError, match=r"lanes 1 is not the job's 2"):
        simulate(job, x, lanes=1)
    with pytest.raises(SpecError, match="x must have the shape"):
        simulate(job, x[:, :1])
    with pytest.raises(SpecError, match="x is 2 arrays, and max pooling takes 1: data"):
        simulate(job, x, x)


@pytest.mark.parametrize("dtype", [">i2", "<i2", ">u4", ">f2", ">f4"])
def test_byte_orders(dtype: str):
    x = (np.arange(48) * 37 % 101).reshape(1, 3, 4, 4).astype(dtype)
    spec = PoolSpec("max", 2, dtype=np.dtype(dtype).name, indices="plane")
    there = simulate(spec, x)
    assert there.mismatch is None
    assert there.indices is not None
    values = there.output.astype(dtype)
    indices = there.indices.astype(f"{dtype[0]}i8")
    back = unpooled(values, indices, (4, 4))
    assert back.mismatch is None
    assert np.array_equal(back.output, unpool(values, indices, (4, 4)))


def test_threads_lose_no_warning_and_double_none():
    """The filters of warnings are a process', so nothing here may touch them."""
    before, told = list(warnings.filters), []
    x = random((1, 1, 7, 7))

    def many(number: int) -> list[list[str]]:
        spec = PoolSpec("max", 2, stride=2 + number % 2)
        return [simulate(spec, x, engine="amaranth").stats["warnings"] for _ in range(3)]

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = lambda message, *_, **__: told.append(str(message))
        inside = list(warnings.filters)
        with ThreadPoolExecutor(4) as threads:
            said = [each for stats in threads.map(many, range(8)) for each in stats]
        assert warnings.filters == inside
    assert warnings.filters == before
    assert sorted(told) == sorted(message for each in said for message in each)
    assert len(told) > 24
