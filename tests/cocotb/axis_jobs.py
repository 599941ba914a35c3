"""The cores that the benches run, all in one simulation model, and their frames as words."""

from dataclasses import dataclass
from typing import Any

import axis_rules
import numpy as np
import video
from streampool_golden import PoolJob, PoolSpec, pool, pool_with_indices


@dataclass(frozen=True)
class Words:
    """One side's beats as numbers on tdata.

    Attributes
    ----------
    values : tuple of int
        A word per beat, the lanes as two's complement.
    used : tuple of int
        Per word, the bits that hold a value (input) or must be right (output).
    last : tuple of bool
        Per word, whether it ends its frame.
    """

    values: tuple[int, ...]
    used: tuple[int, ...]
    last: tuple[bool, ...]


JOBS: dict[str, PoolJob] = {
    # lanes that the channels do not fill, two beats per position
    "max_fold": PoolJob(PoolSpec(op="max", kernel=3, stride=2, padding=1), (3, 9, 8), lanes=2),
    # divisors of their own at the borders
    "avg_border": PoolJob(
        PoolSpec(op="avg", kernel=3, stride=1, padding=1, count_include_pad=False),
        (2, 6, 7),
        lanes=2,
    ),
    # one axis; lanes narrower and wider than a byte
    "sum_steps": PoolJob(
        PoolSpec(op="sum", kernel=9, stride=4, dtype="int5", ndim=1), (3, 40), lanes=3
    ),
    # unsigned, dilated, a window beyond the input
    "min_ceil": PoolJob(
        PoolSpec(op="min", kernel=2, stride=3, dilation=2, ceil_mode=True, dtype="uint12"),
        (2, 8, 9),
        lanes=1,
    ),
    # more beats out than in
    "max_grow": PoolJob(PoolSpec(op="max", kernel=2, stride=1, padding=1), (1, 5, 5), lanes=1),
    # everything into one value, its average into a wider type
    "avg_all": PoolJob(
        PoolSpec(op="avg", kernel=(4, 6), dtype="uint8", out_dtype="int16"), (4, 4, 6), lanes=4
    ),
    # an index of two bytes beside each value, and a spare lane
    "max_indices": PoolJob(
        PoolSpec(op="max", kernel=3, stride=2, padding=1, indices="plane"), (1, 20, 13), lanes=2
    ),
    # no stage at all, and one beat per frame
    "through": PoolJob(PoolSpec(op="max", kernel=1), (2, 1, 1), lanes=2),
}

# the same with tkeep and tuser: spare lanes on both sides, lanes of several bytes, one beat per
# frame
MARKED: dict[str, PoolJob] = {
    f"marked_{name}": JOBS[name] for name in ("max_fold", "sum_steps", "avg_all", "through")
}

# the example's RGB video, of few lines
VIDEO: dict[str, PoolJob] = {
    name: PoolJob(job.spec, (job.shape[0], 4, job.shape[2]), job.lanes, job.columns)
    for name, job in video.CORES.items()
}


# those that follow their frames' marks, by what they have beside resync
RESYNCED: dict[str, tuple[PoolJob, dict[str, Any]]] = {
    # drains while the next frame comes, which may break
    "resync_drain": (JOBS["avg_border"], {"tuser": True, "tkeep": True}),
    "resync_grow": (JOBS["max_grow"], {"tuser": True, "tkeep": True}),
    "resync_tlast": (JOBS["max_fold"], {}),
    "resync_lines": (
        PoolJob(PoolSpec("max", 3, 1, 1), (3, 5, 14), lanes=3, columns=4),
        {"tuser": True, "tkeep": True, "tlast": "line"},
    ),
}

# name to job, and the options of its core
CORES: dict[str, tuple[PoolJob, dict[str, Any]]] = {
    **{name: (job, {}) for name, job in JOBS.items()},
    **{name: (job, {"tkeep": True, "tuser": True}) for name, job in MARKED.items()},
    **{name: (job, {"tkeep": True, "tuser": True, "tlast": "line"}) for name, job in VIDEO.items()},
    **{name: (job, {**options, "resync": True}) for name, (job, options) in RESYNCED.items()},
}


# those whose two sides are watched; of the others' frames some are broken on purpose
WATCHED: dict[str, PoolJob] = JOBS | MARKED | VIDEO

PROBED = axis_rules.Stream(4, 2, 2, (0b11, 0b01), tkeep=True, tuser=True, output=True)
"""What a monitor alone watches: frames of two packets, with a null byte in every second beat."""


def top_verilog() -> str:
    """Return a module ``bench`` that has every job's core in it, its ports after the job."""
    ports: list[str] = []
    cores: list[str] = []
    monitors: list[str] = []
    for name, (job, options) in CORES.items():
        width_in = job.layout_in.values * padded(job.spec.in_dtype.bits)
        width_out = job.layout_out.values * lane_out(job)
        directions = {
            "aclk": "input",
            "aresetn": "input",
            "s_axis_tdata": f"input [{width_in - 1}:0]",
            "s_axis_tvalid": "input",
            "s_axis_tready": "output",
            "s_axis_tlast": "input",
            "m_axis_tdata": f"output [{width_out - 1}:0]",
            "m_axis_tvalid": "output",
            "m_axis_tready": "input",
            "m_axis_tlast": "output",
            "frame_error": "output",
        }
        if options.get("resync"):
            directions["broken_frames"] = "output [15:0]"
        if options.get("tuser"):
            for side, direction, width in (("s", "input", width_in), ("m", "output", width_out)):
                directions[f"{side}_axis_tkeep"] = f"{direction} [{width // 8 - 1}:0]"
                directions[f"{side}_axis_tuser"] = direction
        ports += [f"  {direction} {name}_{port}" for port, direction in directions.items()]
        pins = ", ".join(f".{port}({name}_{port})" for port in directions)
        cores.append(f"  {name} {name}_core ({pins});")
        if name not in WATCHED:
            continue
        sides = rule_sides(name)
        # for a bench to read: what was ever broken, by its source and by the core
        bits = [
            f"{name}_{side}_broken[{k}]"
            for side, stream in sides.items()
            for k in range(len(stream.rules))
        ]
        bits.append(f"{name}_flag_broken")
        ports.append(f"  output reg [{len(bits) - 1}:0] {name}_ever")
        broken = ", ".join(f"{bit} === 1'b1" for bit in reversed(bits))  # unknown before a reset
        cores += [
            *axis_rules.watch(sides, f"{name}_"),
            f"  initial {name}_ever = 0;",
            f"  always @(posedge {name}_aclk) {name}_ever <= {name}_ever | {{{broken}}};",
        ]
        monitors.append(axis_rules.monitors(sides, f"{name}_"))
    probe = {"aclk": 1, "aresetn": 1, "tvalid": 1, "tready": 1, **PROBED.ports}
    ports += [f"  input [{bits - 1}:0] probe_{port}" for port, bits in probe.items()]
    ports.append(f"  output [{len(PROBED.rules) - 1}:0] probe_broken")
    pins = ", ".join(f".{port}(probe_{port})" for port in (*probe, "broken"))
    cores.append(f"  probe_rules probe ({pins});")
    monitors.append(axis_rules.monitor("probe_rules", PROBED))
    return "\n".join(("module bench (", ",\n".join(ports), ");", *cores, "endmodule\n", *monitors))


def rule_sides(name: str) -> dict[str, axis_rules.Stream]:
    """Return what is known of both sides of a core where rules are checked."""
    marked = name in MARKED | VIDEO
    return axis_rules.sides(WATCHED[name], lines=name in VIDEO, tkeep=marked, tuser=marked)


def broken_rules(name: str, ever: int) -> set[str]:
    """Return the rules that were ever broken: by whom, and which."""
    named = [
        f"{side} {rule.name}" for side, stream in rule_sides(name).items() for rule in stream.rules
    ]
    return {each for k, each in enumerate((*named, "flag")) if ever >> k & 1}


def padded(bits: int) -> int:
    """Return the bits of a lane on tdata."""
    return (bits + 7) // 8 * 8


def lane_out(job: PoolJob) -> int:
    """Return the bits of a lane on the output's tdata: the value's, and those of its index."""
    return padded(job.output.bits) + (padded(job.index_out.bits) if job.index_out else 0)


def payload(job: PoolJob, kind: str, frames: int, seed: int) -> np.ndarray:
    """Return frames to pool: (frames, channels, *size).

    Parameters
    ----------
    job : PoolJob
        Whose shape and dtype.
    kind : str
        ``"random"``, ``"extremes"`` (the lowest and the highest value alone), ``"counting"``
        or ``"lowest"``.
    frames : int
        How many.
    seed : int
        Of the random ones.
    """
    low, high = job.spec.in_dtype.low, job.spec.in_dtype.high
    shape = (frames, *job.shape)
    rng = np.random.default_rng(seed)
    if kind == "random":
        x = rng.integers(low, high, size=shape, endpoint=True)
    elif kind == "extremes":
        x = rng.choice([low, high], size=shape)
    elif kind == "counting":
        x = np.arange(np.prod(shape)).reshape(shape) % (high - low + 1) + low
    else:
        x = np.full(shape, low)
    return x.astype(job.spec.in_dtype.numpy)


def words_in(job: PoolJob, x: np.ndarray) -> Words:
    """Return frames as the words that go in."""
    bits = job.spec.in_dtype.bits
    return _words(job, x, padded(bits), bits)


def words_out(job: PoolJob, x: np.ndarray) -> Words:
    """Return the words that have to come out for frames `x`."""
    width = padded(job.output.bits)
    if job.index_out is None:
        return _words(job, pool(job.spec, x), width, width)
    values, indices = pool_with_indices(job.spec, x)
    lanes = values.astype(np.int64) & ((1 << width) - 1) | indices << width
    return _words(job, lanes, lane_out(job), lane_out(job))


def _words(job: PoolJob, x: np.ndarray, width: int, checked: int) -> Words:
    """Pack (frames, channels, *size) by hand, as the documents say it."""
    frames, channels = x.shape[:2]
    positions = x.reshape(frames, channels, -1)
    values, used, last = [], [], []
    for frame in range(frames):
        for position in range(positions.shape[2]):
            for group in range(job.fold):
                word = mask = 0
                for lane in range(job.lanes):
                    channel = group * job.lanes + lane
                    if channel < channels:
                        lane_mask = (1 << checked) - 1
                        value = int(positions[frame, channel, position])
                        word |= (value & lane_mask) << (lane * width)
                        mask |= lane_mask << (lane * width)
                values.append(word)
                used.append(mask)
                last.append(position == positions.shape[2] - 1 and group == job.fold - 1)
    return Words(tuple(values), tuple(used), tuple(last))
