"""Axes of every odd kind, for the tests that go through many of them."""

from hypothesis import strategies as st
from streampool_golden import Axis, SpecError


@st.composite
def axes(draw, longest: int = 24) -> Axis:
    """Draw an axis: any kernel, stride, dilation, padding on either side, crop and ceil_mode."""
    length = draw(st.integers(1, longest))
    kernel = draw(st.integers(1, 9))
    stride = draw(st.integers(1, 5))
    dilation = draw(st.sampled_from([1, 1, 1, 2, 3]))
    span = (kernel - 1) * dilation + 1
    reach = draw(st.sampled_from([span // 2, span - 1]))
    pad = st.integers(-2, max(reach, 0))
    padding = draw(st.one_of(st.sampled_from(["same", "same_lower"]), st.tuples(pad, pad)))
    try:
        return Axis.resolve(length, kernel, stride, padding, dilation, draw(st.booleans()))
    except SpecError:  # nothing to pool there: the smallest axis of the same kernel will do
        return Axis.resolve(span, kernel, stride, (0, 0), dilation)
