"""Division by multiplication and shift, or by subtraction: the numbers, against fractions."""

import itertools
import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pool_specs import naive_round
from streampool_golden import ROUNDINGS
from streampool_hw.blocks.division import Division, reciprocal
from streampool_hw.blocks.multiplier import signed_digits
from streampool_hw.vendor.ecp5 import MULTIPLIER_BITS

DIVISORS = st.lists(st.integers(1, 2**12), min_size=1, max_size=5, unique=True).map(tuple)


@given(DIVISORS, st.integers(1, 3000))
def test_reciprocals_divide_every_number_of_the_range(divisors, largest):
    shift, multipliers = reciprocal(divisors, largest)
    for d, c in zip(divisors, multipliers, strict=True):
        assert all((u * c) >> shift == u // d for u in range(largest + 1))


@given(st.integers(1, 2**34), st.integers(1, 2**40), st.data())
def test_reciprocals_divide_where_wide_numbers_are_nearest_to_an_error(divisor, largest, data):
    shift, [factor] = reciprocal((divisor,), largest)
    turns = data.draw(st.integers(0, largest // divisor))
    # quotients change at multiples, and the error grows towards the largest
    for u in {turns * divisor + k for k in (-1, 0, 1)} | {largest - k for k in range(3)}:
        if 0 <= u <= largest:
            assert (u * factor) >> shift == u // divisor
    last = largest - (largest + 1) % divisor
    if last >= 0:
        assert (last * factor) >> shift == last // divisor


@given(DIVISORS, st.integers(1, 3000))
def test_the_shift_is_the_smallest_found_exact_by_trial(divisors, largest):
    """No smaller shift keeps to the bound, and a much smaller one is plainly wrong."""
    shift, multipliers = reciprocal(divisors, largest)
    assert all(
        (c - 1) * d < 1 << shift <= c * d for c, d in zip(multipliers, divisors, strict=True)
    )
    if shift:
        less = shift - 1
        errors = [-(-(1 << less) // d) * d - (1 << less) for d in divisors]
        assert max(errors) * largest >= 1 << less


@pytest.mark.parametrize(
    ("taps", "bits", "sum_bits", "factor_bits"),
    [(9, 8, 12, 10), (49, 8, 14, 12), (49, 16, 22, 21), (9, 32, 36, 34), (9, 14, 18, 16)],
)
def test_widths_of_usual_windows(taps, bits, sum_bits, factor_bits):
    """Sum's magnitude with sign, and the reciprocal, of int8 3x3 and 7x7, int16 7x7, int32 3x3.

    The last just fits a multiplier.
    """
    division = Division((taps,), -1 << (bits - 1), (1 << (bits - 1)) - 1, "half_away")
    assert division.largest.bit_length() == sum_bits
    _, [factor] = reciprocal(division.sizes, division.largest)
    assert factor.bit_length() <= factor_bits + 1
    assert division.quotient_bits == bits
    assert division.multiplies == (sum_bits <= MULTIPLIER_BITS)


def test_the_excess_is_the_least_even_power_of_two_that_lifts_every_quotient_to_0():
    for low in range(-40, 0):
        excess = Division((3,), low, 5, "floor").excess
        assert excess == min(power for power in (2, 4, 8, 16, 32, 64) if power >= -low)


def carried_out(division: Division, which: int, total: int) -> int:
    """Divide as the hardware does: offset, quotient, and back."""
    size = division.sizes[which]
    exact = total + (division.biases[which] if division.biases else 0)
    total, exact = (-n if division.negative else n for n in (total, exact))
    # where the quotient is 0, either will do
    found = set()
    for sign in {exact < 0} if exact else {False, True}:
        shifted = total + division.offset(sign)[which]
        assert 0 <= shifted <= division.largest
        quotient, rest = divmod(shifted, size)
        assert quotient.bit_length() <= division.quotient_bits
        if division.rounding == "half_even" and rest == 0 and size % 2 == 0 and quotient % 2:
            quotient -= 1
        found.add(quotient - division.excess)
    [value] = found
    return value


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("sign", [1, -1])
def test_every_sum_of_int8_windows(rounding, sign):
    divisors = tuple(sign * n for n in (1, 2, 3, 4, 5, 6, 7, 9, 12, 16))
    division = Division(divisors, -128, 128, rounding)
    assert division.negative == (sign < 0)
    for which, divisor in enumerate(divisors):
        most = 128 * abs(divisor)
        for total in range(-most, most + 1):
            assert carried_out(division, which, total) == naive_round(
                Fraction(total, divisor), rounding
            ), (total, divisor)


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("sign", [1, -1])
def test_every_sum_of_uint8_windows_with_a_bias(rounding, sign):
    divisors = tuple(sign * n for n in (1, 2, 6, 9))
    biases = (-700, 1, -255 * 6, 1234)
    ends = [Fraction(s + b, d) for d, b in zip(divisors, biases, strict=True) for s in (0, 2295)]
    division = Division(divisors, math.floor(min(ends)), math.ceil(max(ends)), rounding, biases)
    assert any(division.biases)
    for which, (divisor, bias) in enumerate(zip(divisors, biases, strict=True)):
        for total in range(255 * 9 + 1):
            exact = Fraction(total + bias, divisor)
            assert carried_out(division, which, total) == naive_round(exact, rounding)


@given(st.integers(1, 2**70))
def test_signed_digits_are_the_number_and_no_two_are_neighbours(number):
    digits = signed_digits(number)
    assert sum(sign << exponent for sign, exponent in digits) == number
    exponents = [exponent for _, exponent in digits]
    assert all(above - below >= 2 for above, below in itertools.pairwise(exponents))
    assert {sign for sign, _ in digits} <= {1, -1}


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_every_sum_of_uint8_windows(rounding):
    division = Division((2, 3, 4, 9), 0, 255, rounding)
    assert division.excess == 0
    assert division.quotient_bits == 8
    for which, divisor in enumerate(division.divisors):
        for total in range(255 * divisor + 1):
            assert carried_out(division, which, total) == naive_round(
                Fraction(total, divisor), rounding
            ), (total, divisor)


@given(
    st.lists(st.integers(1, 2**20), min_size=1, max_size=4, unique=True),
    st.booleans(),
    st.integers(1, 2**45),
    st.sampled_from(ROUNDINGS),
    st.data(),
)
def test_wide_sums_around_whole_numbers_and_ties(sizes, negative, magnitude, rounding, data):
    divisors = tuple(-n if negative else n for n in sizes)
    bound = -(-magnitude // min(sizes))
    division = Division(divisors, -bound, bound, rounding)
    which = data.draw(st.integers(0, len(sizes) - 1))
    halves = data.draw(st.integers(0, 2 * magnitude // sizes[which]))
    near = math.floor(Fraction(halves * sizes[which], 2))
    for size in (near - 1, near, near + 1, magnitude - 1, magnitude):
        for total in (size, -size) if 0 <= size <= magnitude else ():
            exact = Fraction(total, divisors[which])
            assert carried_out(division, which, total) == naive_round(exact, rounding)


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_published_ties(rounding):
    """2.5, 1.5, 0.5 and their negatives, as IEEE 754 and TFLite name them."""
    expected = {
        "half_away": [-3, -2, -1, 1, 2, 3],
        "half_even": [-2, -2, 0, 0, 2, 2],
        "half_up": [-2, -1, 0, 1, 2, 3],
        "floor": [-3, -2, -1, 0, 1, 2],
        "trunc": [-2, -1, 0, 0, 1, 2],
    }[rounding]
    for divisors in ((2,), (-2,)):
        division = Division(divisors, -3, 3, rounding)
        sums = [-5, -3, -1, 1, 3, 5] if divisors == (2,) else [5, 3, 1, -1, -3, -5]
        assert [carried_out(division, 0, total) for total in sums] == expected
