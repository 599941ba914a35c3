"""Each block alone: gates against its model in the clock it states; the model against fractions."""

import random
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pytest
from amaranth.hdl import Module, Signal, signed, unsigned
from amaranth.sim import Simulator
from pool_specs import naive_round, naive_round_root
from streampool_golden import ROUNDINGS, DType
from streampool_hw.blocks.block import Block, BlockComponent, Chain
from streampool_hw.blocks.clamp import Clamp, FloatClamp, Magnitude
from streampool_hw.blocks.divider import Divider, ReciprocalDivider, RestoringDivider, requantiser
from streampool_hw.blocks.division import Division
from streampool_hw.blocks.floats_in import FLAGS, FloatToFixed, FloatToKey
from streampool_hw.blocks.floats_out import FixedToFloat
from streampool_hw.blocks.multiplier import Cube, Scale, Square
from streampool_hw.blocks.root import CubeRoot, Radicands, SquareRoot, roots, rounds_to_nearest
from streampool_hw.families import GENERIC
from streampool_hw.schedule.settings import CONSTANTS

FLOAT16 = DType.of("float16")
FIXED = 43  # bits of a sum of a few values of float16
SUMS = range(16 - (1 << (FIXED + 3)), 1 << (FIXED + 3))  # none is below minus the largest


class Case(NamedTuple):
    """A block, the latency that it should have, and what each member of `i` may be."""

    block: Block
    latency: int
    ranges: Sequence[range]


def _divider(rounding: str, divisors: tuple[int, ...] = (3, 6, 7), **more: Any) -> Divider:
    return Divider(Division(divisors, -40, 40, rounding, **more), signed(8))


CASES = {
    "clamp": Case(Clamp(signed(9), -20, 30), 2, [range(-256, 256)]),
    "magnitude": Case(Magnitude(DType.of("int6")), 1, [range(-32, 32)]),
    "square": Case(Square(6, 12), 3, [range(64)]),
    "restoring": Case(RestoringDivider(5, (3, 7)), 6, [range(3 << 5)]),
    "reciprocal": Case(ReciprocalDivider(6, (3, 7), 150), 4, [range(150)]),
    "shift": Case(ReciprocalDivider(6, (4,), 150), 1, [range(151)]),
    **{
        f"divider, {rounding}": Case(_divider(rounding), 7, [range(-120, 121)])
        for rounding in ROUNDINGS
    },
    "divider, negative": Case(_divider("half_even", (-3, -4)), 7, [range(-120, 121)]),
    "divider, biased": Case(_divider("half_away", biases=(9, -8, 30)), 9, [range(-80, 81)]),
    # no quotient is below 0, so none is rounded by its sign
    "divider, biased upwards": Case(
        Divider(Division((3, 6), 0, 60, "trunc", biases=(9, 8)), unsigned(7)), 7, [range(128)]
    ),
    "divider, biased downwards": Case(
        Divider(Division((3, 6), 0, 60, "floor", biases=(-9, -8)), unsigned(7)), 7, [range(9, 128)]
    ),
    "divider, wide": Case(
        Divider(Division((9,), -1 << 28, 1 << 28, "trunc"), signed(32)),
        34,
        [range(-1 << 31, 1 << 31)],
    ),
    "divider, exact": Case(
        Divider(Division((3,), 0, 400, "floor"), unsigned(8), shift=2, exact=True), 7, [range(256)]
    ),
    "scale": Case(Scale(4 * 45, signed(8), -128, 127), 3, [range(-128, 128)]),
    "scale, a shift": Case(Scale(8, signed(8), -128, 127), 0, [range(-128, 128)]),
    "requantiser": Case(
        requantiser(6, Division((7, 14), -120, 120, "half_even", (3, -5)), signed(8), -128, 127, 5),
        8,
        [range(-128, 128)],
    ),
    "radicands": Case(Radicands(6, 2), 1, [range(64)]),
    "root, down": Case(SquareRoot(9, "floor"), 6, [range(512), range(2)]),
    "root, nearest": Case(SquareRoot(9, "half_even"), 7, [range(512), range(2)]),
    "root, up": Case(SquareRoot(8, "half_away"), 6, [range(256), range(2)]),
    "root, between": Case(SquareRoot(8, "half_even", between=True), 5, [range(256), range(2)]),
    "cube": Case(Cube(5, 15), 6, [range(32)]),
    "cube root, down": Case(CubeRoot(10, "floor"), 9, [range(1024), range(2)]),
    "cube root, nearest": Case(CubeRoot(9, "half_even"), 8, [range(512), range(2)]),
    "cube root, up": Case(CubeRoot(11, "half_away"), 10, [range(2048), range(2)]),
    **{
        f"key, {smallest}, {propagates}": Case(
            FloatToKey(FLOAT16, smallest=smallest, propagates=propagates), 2, [range(1 << 16)]
        )
        for smallest in (False, True)
        for propagates in (False, True)
    },
    "fixed": Case(FloatToFixed(FLOAT16, 41), 6, [range(1 << 16)]),
    "float": Case(FixedToFloat(FLOAT16, FIXED, (3, 4)), 24, [SUMS]),
    **{
        f"clamp of floats, {low} to {high}": Case(
            FloatClamp(FLOAT16, low, high), 2, [range(1 << 16)]
        )
        for low, high in ((0.0, float("inf")), (-1.5, 6.0), (-6.0, 0.0))
    },
    "float, halves": Case(FixedToFloat(FLOAT16, FIXED, (-2,)), 10, [SUMS]),
}


def _inputs(case: Case, count: int) -> list[tuple[list[int], int]]:
    """Every input where there are few, else some, the ends and small ones among them."""
    rng = random.Random(1)
    size = int(np.prod([len(each) for each in case.ranges if len(each) < 1 << 20] or [count]))
    found = []
    for number in range(min(size, count)):
        values = []
        for each in case.ranges:
            if len(each) <= count:
                values.append(each[number % len(each)])
            elif number < 4:
                values.append(each[number - 2])
            else:  # of any size
                bits = rng.randrange(len(each).bit_length())
                value = rng.choice([1, -1]) * rng.getrandbits(bits or 1)
                values.append(value if value in each else rng.choice(each))
        if len(values) > 1:
            values[1:] = [rng.choice(each) for each in case.ranges[1:]]
        found.append((values, rng.randrange(case.block.kinds)))
    return found


@pytest.mark.parametrize("name", CASES)
def test_gates_do_what_the_model_says_in_the_clock_that_is_stated(name: str):
    case = CASES[name]
    block, part = case.block, BlockComponent(case.block)
    assert block.latency == case.latency
    inputs = _inputs(case, 600)
    seen: list[tuple[int, ...]] = []

    async def bench(ctx: Any) -> None:
        for clock in range(len(inputs) + block.latency):
            values, which = inputs[min(clock, len(inputs) - 1)]
            for (member, _), value in zip(block.i, values, strict=True):
                ctx.set(part.i[member], value)
            ctx.set(part.which, which)
            if clock >= block.latency:
                seen.append(tuple(ctx.get(part.o[member]) for member, _ in block.o))
            await ctx.tick()

    around = Module()
    around.submodules.part = part
    around.d.sync += Signal().eq(1)  # a clock, though the part may be nothing but wires
    simulator = Simulator(around)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    expected = []
    for values, which in inputs:
        found = block.model(*values, **({"which": which} if block.kinds > 1 else {}))
        expected.append(found if isinstance(found, tuple) else (found,))
    assert seen == expected
    assert len(set(seen)) > 1


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("divider, ")])
def test_a_divider_rounds_the_exact_quotient(name: str):
    block, _, [values] = CASES[name]
    assert isinstance(block, Divider)
    division = block.division
    for value in values if len(values) < 1000 else values[:: len(values) // 997]:
        for which, divisor in enumerate(division.divisors):
            biases = division.biases or (0,) * block.kinds
            over = (value << 2 * (name == "divider, exact")) + biases[which]
            exact = Fraction(over, divisor)
            quotient, *rest = block.model(value, which)
            assert quotient == naive_round(exact, division.rounding)
            assert rest == [int(exact.denominator == 1)] * (name == "divider, exact")


def test_a_requantiser_rounds_the_exact_product_once():
    block, _, [values] = CASES["requantiser"]
    for value in values:
        for which, (divisor, bias) in enumerate([(7, 3), (14, -5)]):
            exact = Fraction(6 * value + bias, divisor)
            assert block.model(value, which=which) == naive_round(exact, "half_even") + 5


@pytest.mark.parametrize("degree", [2, 3, 4])
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_a_root_of_a_power_of_two_times_a_number_is_rounded_once(rounding: str, degree: int):
    shift = degree if rounds_to_nearest(rounding) else 0
    block = Chain(roots(8 + shift, degree, rounding))
    for value in range(1 << 8 + shift):
        number = Fraction(value, 1 << shift)
        assert block.model(value, 1) == naive_round_root(number, rounding, degree)
        # a fraction was rounded down
        above = number + Fraction(1, 2 << shift)
        assert block.model(value, 0) == naive_round_root(above, rounding, degree)


def _numbers() -> np.ndarray:
    """Every number of float16, in order."""
    every = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    return np.sort(every[~np.isnan(every)], kind="stable")


@pytest.mark.parametrize("smallest", [False, True])
@pytest.mark.parametrize("propagates", [False, True])
def test_keys_are_in_the_order_of_their_floats(smallest: bool, propagates: bool):
    block = FloatToKey(FLOAT16, smallest=smallest, propagates=propagates)
    numbers = _numbers()[:: -1 if smallest else 1]
    keys = np.array([block.model(int(bits)) >> 1 for bits in numbers.view(np.uint16)])
    with np.errstate(invalid="ignore"):  # of an infinity and itself
        rises = numbers[1:] != numbers[:-1]
    assert np.array_equal(np.diff(keys) > 0, rises) and (np.diff(keys) >= 0).all()
    for nan in (0x7C01, 0xFE00):
        assert (block.model(nan) >> 1 > keys.max()) if propagates else block.model(nan) >> 1 == 0
    assert keys.min() > 0


@pytest.mark.parametrize(("low", "high"), [(0.0, np.inf), (-1.5, 6.0), (-6.0, 0.0), (2.0, 2.0)])
def test_a_float_is_clamped_as_numbers_are(low: float, high: float):
    block = FloatClamp(FLOAT16, low, high)
    every = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    lowest, highest = np.array([low, high], np.float16)
    expected = np.where(every < lowest, lowest, np.where(every > highest, highest, every))
    found = [block.model(bits) for bits in range(1 << 16)]
    assert found == expected.view(np.uint16).tolist()


def test_a_float_is_a_whole_number_of_the_smallest():
    block, least = FloatToFixed(FLOAT16, 41), Fraction(1, 1 << 24)
    numbers = _numbers()[1:-1]  # without the infinities
    for number in numbers[::7]:
        fixed = block.model(int(number.view(np.uint16)))
        assert Fraction(float(number)) == (fixed >> len(FLAGS)) * least
    named = {
        0x7E00: "nan", 0x7C00: "plus", 0xFC00: "minus", 0x8000: "", 0x0000: "other",
    }  # fmt: skip
    for bits, name in named.items():
        flags = {flag for k, flag in enumerate(FLAGS) if block.model(bits) >> k & 1}
        assert flags == {name, "other"} - {""} - ({"other"} if not name else set())


@pytest.mark.parametrize(("divisors", "which"), [((3, 4), 0), ((3, 4), 1), ((-2,), 0)])
def test_a_float_divided_is_the_nearest(divisors: tuple[int, ...], which: int):
    """In float64 no quotient of so few bits comes near a half, so its cast rounds rightly."""
    into, out = FloatToFixed(FLOAT16, FIXED), FixedToFloat(FLOAT16, FIXED, divisors)
    every = np.arange(0, 1 << 16, 5, dtype=np.uint16).view(np.float16)
    numbers = every[~np.isnan(every)]
    expected = (numbers.astype(np.float64) / divisors[which]).astype(np.float16)
    for number, nearest in zip(numbers.view(np.uint16), expected.view(np.uint16), strict=True):
        assert out.model(into.model(int(number)), which) == nearest
    assert out.model(into.model(0x7C01), which) == 0x7E00


def test_bits_that_all_offsets_have_alike_are_no_registers():
    divider = Divider(Division((3, 6), 0, 60, "trunc", biases=(9, 8)), unsigned(7))
    divider.build_for(GENERIC, CONSTANTS)
    assert divider._open_places() == [0]
