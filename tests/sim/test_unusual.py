"""Specifications drawn without regard to what is usual: each is refused or right in a core."""

import warnings
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from streampool_golden import BASES, NANS, OPS, ROUNDINGS, PoolJob, PoolSpec, SpecError
from streampool_golden.fields import NAMED_PADDINGS, ROUNDING_ABOUT
from streampool_sim import simulate
from streampool_sim.cases import Case

CASES = 24
FLOATS = ("float16", "bfloat16", "float32")


def drawn(rng: np.random.Generator) -> dict[str, Any]:
    """Return fields of a specification, one as likely beside another as not."""

    def chance(probability: float) -> bool:
        return bool(rng.random() < probability)

    def integer(low: int, high: int) -> int:
        return int(rng.integers(low, high, endpoint=True))

    def choice(of: Any) -> Any:
        return of[integer(0, len(of) - 1)]

    def dtype(widest: int) -> str:
        if chance(0.2):
            return choice(FLOATS)
        bits = integer(1, 9 if chance(0.7) else widest)
        return f"uint{bits}" if chance(0.5) else f"int{max(bits, 2)}"

    def value() -> int:
        return integer(-9, 9) if chance(0.7) else integer(-(1 << 33), 1 << 33)

    ndim = choice((1, 2, 2, 3))
    fields: dict[str, Any] = {"op": choice(OPS), "ndim": ndim, "dtype": dtype(32)}
    way = integer(0, 9)
    if way == 0:
        fields["kernel"] = "global"
    elif way == 1:
        fields["adaptive"] = tuple(choice((1, 1, 2, None)) for _ in range(ndim))
    else:
        fields["kernel"] = tuple(integer(1, 4) for _ in range(ndim))
        fields["stride"] = tuple(integer(1, 3) for _ in range(ndim))
        fields["padding"] = choice(
            (0, 1, *NAMED_PADDINGS, tuple((integer(-1, 3), integer(-1, 3)) for _ in range(ndim)))
        )
        fields["dilation"] = choice((1, 1, 2))
        fields["ceil_mode"] = chance(0.5)
    others = {
        "count_include_pad": chance(0.5),
        "divisor_override": choice((integer(-9, 9), integer(-(1 << 31), 1 << 31))),
        "rounding": choice(ROUNDINGS),
        "out_dtype": dtype(64),
        "clamp": sorted((value(), value())),
        "saturate": chance(0.7),
        "indices": choice(BASES),
        "nan": choice(NANS),
        "scale": choice(("2", "1/3", "0.02/0.05", Fraction(integer(1, 1 << 62), 1 << 61))),
        "zero_points": choice(((integer(0, 9),) * 2, (value(), value()))),
        "rounding_about": choice(ROUNDING_ABOUT),
    }
    return fields | {name: each for name, each in others.items() if chance(0.25)}


def check_refusal(refused: SpecError, fields: dict[str, Any]) -> None:
    # windows that the fields do not say are those of defaults
    assert refused.field in {*fields, "kernel", "padding"}, fields
    assert str(refused).startswith(refused.field)


def accepted(rng: np.random.Generator) -> PoolJob:
    """Return the next job that is not refused."""
    while True:
        fields = drawn(rng)
        channels, *size = (int(n) for n in rng.integers(1, 6, 1 + fields["ndim"]))
        lanes, columns = int(rng.integers(1, 4)), int(rng.integers(0, size[-1], endpoint=True))
        try:
            return PoolJob(PoolSpec(**fields), (min(channels, 3), *size), lanes, columns or 1)
        except SpecError as refused:
            check_refusal(refused, fields)


@pytest.mark.parametrize("seed", range(CASES))
def test_what_is_accepted_is_right_in_a_core(seed):
    rng = np.random.default_rng(seed)
    job = accepted(rng)
    x = Case(seed, 0, job, 0).frames(3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = simulate(
            job.spec, x, lanes=job.lanes, columns=job.columns, engine="amaranth", repeat=1
        )
    assert result.stats["matches_golden"], job


@pytest.mark.parametrize(
    "fields",
    [
        {"op": "avg", "scale": 1 << 62, "out_dtype": "int16"},
        {"op": "avg", "dtype": "float16"},
        {"op": "l2"},
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:kernel 2097152 is larger")
def test_a_divisor_of_more_than_63_bits(fields):
    huge = 1 << 21
    spec = PoolSpec(**fields, kernel=huge, stride=1, padding=huge // 2, ndim=3,
                    count_include_pad=True)  # fmt: skip
    x = np.full((1, 2, 2, 2), 100, spec.in_dtype.numpy)
    assert simulate(spec, x, engine="amaranth", repeat=1).stats["matches_golden"]
