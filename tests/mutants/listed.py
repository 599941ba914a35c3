"""Mutants that are neither killed nor proved equal, each with its reason."""

_NO_WINDOW = (
    "what position 1 of the queue holds is cleared, or not, in slots that are no tap of its window."
    " Of a kernel of 3 without dilation every slot of a window's life is a tap, and once the frame"
    " is in, the one window that is left is at position 0. So nobody reads what is not cleared"
)

NETLISTS: dict[tuple[str, str], str] = {
    (
        "max, RAM",
        r"-mode const1 -module top -cell $flatten\axis_0.$procmux$105 -port S -portbit 0",
    ): "`between` follows `last`, and not 0, where a drain ends without an input. `last` is low"
    " there: a drain is one slot, the frame behind it has four, and each of its inputs is a step"
    " of the drain, too",
    (
        "max, RAM",
        r"-mode const0 -module top -cell $flatten\axis_0.\bank_0.$40 -port Q -portbit 0"
        r" -wire axis_0.bank_0.skip_1$10 -wirebit 0",
    ): _NO_WINDOW,
    (
        "max, RAM",
        r"-mode const0 -module top -cell $auto$ff.cc:337:slice$420 -port SRST -portbit 0"
        r" -wire axis_0.bank_0.skip_1$10 -wirebit 0",
    ): _NO_WINDOW,
    (
        "requantised",
        r"-mode const0 -module top -cell $flatten\postprocess.$procmux$106_CMP0 -port A -portbit 1",
    ): "the offset of number 5 is chosen for number 7, too, and there is no such number: windows"
    " have 4, 6 or 9 taps, so that of a kind, with the sign below it, is 5 at most",
}
"""By core and fault."""

SOURCES: dict[str, str] = {
    "hw/blocks/divider.py Divider.__init__: True -> False (2)": (
        "there are as many offsets of one sign as of the other: one for each divisor"
    ),
    "hw/schedule/plan.py AxisPlan._changes: max(first, reached) -> min(first, reached)": (
        "the slots in which words may change are a set. Those that come to it are between windows,"
        " where the word is worked out anew and is the one before"
    ),
    (
        "hw/schedule/program.py _shorter_divisors:"
        " n < body and n <= total -> n < body or n <= total"
    ): (
        "the search also tries the period itself, which it has tried before, and periods longer"
        " than all words together, which have no place to begin"
    ),
    "hw/schedule/uneven.py UnevenPlan.program_for: word >> 2 & 3 -> word >> 2 | 3": (
        "every word adds at the first two places anyway, and the other bits that come to it say"
        " so of places behind these. Nobody reads them, as the second place always begins anew"
    ),
    "hw/schedule/columns.py ApartPlan.program: 0 -> 1": (
        "where several rows are one axis every column matters already, and those of one group are"
        " said to matter once more"
    ),
    "hw/reduce/steps.py Steps.of: 1 -> 2": (
        "a 0 gets two bits, and nobody looks at it: a stage without a drain has no use for whether"
        " something drains"
    ),
    "golden/rounding.py _floor_roots: root ** degree > values -> root ** degree >= values": (
        "a root that is exact comes out one too low, and the line that looks whether the next"
        " number is a root, too, takes it up again"
    ),
    "hw/blocks/clamp.py Magnitude._turn: value < 0 -> value <= 0": "0 is its own negative",
}
"""By the mutant's name."""
