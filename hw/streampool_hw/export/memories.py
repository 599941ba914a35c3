"""What memories start as: written at once, and in Verilog as a loop where all words are equal."""

import re
from typing import Any

# A memory's initial values in RTLIL, all of them
_MEMINIT = re.compile(
    r"^(  cell \$meminit_v2 .*\n(?:    .*\n)*?    parameter \\WIDTH )([1-9]\d*)\n"
    r"    parameter \\WORDS (\d+)\n((?:    .*\n)*?    connect \\DATA )\d+'([01]+)\n",
    re.MULTILINE,
)
# A memory's initial values in Verilog, with its last word where it is declared, and one word's
_INITIAL = re.compile(
    r"(?:(^  reg .*\[(\d+):0\];\n))?^  initial begin\n((?:    .*\n)+?)  end\n", re.MULTILINE
)
_WORD = re.compile(r"    (\\?\S+ ?)\[(\d+)\] = (.*);")


def emit(emitter: Any, index: int, cell: Any) -> None:
    """Write a memory's initial values at once, where Amaranth writes them bit by bit."""
    mask = (1 << cell.width) - 1
    bits = "".join(f"{row & mask:0{cell.width}b}" for row in reversed(cell.init))
    emitter.builder.cell(
        "$meminit_v2",
        ports={
            "ADDR": emitter.sigspec(),
            "DATA": f"{len(bits)}'{bits}" if cell.width * len(cell.init) else "{  }",
            "EN": f"{cell.width}'{'1' * cell.width}" if cell.width else "{  }",
        },
        parameters={
            "MEMID": emitter.memories[index].memid,
            "ABITS": 0,
            "WIDTH": cell.width,
            "WORDS": cell.depth,
            "PRIORITY": 0,
        },
        src_loc=cell.src_loc,
    )


def shorten(rtlil: str) -> str:
    """Give a memory whose words all start as the same two of them, for `write_loops` to fill."""
    return _MEMINIT.sub(_shortened, rtlil)


def _shortened(match: re.Match[str]) -> str:
    head, width, words, middle, bits = match.groups()
    word = bits[: int(width)]
    if int(words) < 3 or bits != word * int(words):
        return match[0]
    return f"{head}{width}\n    parameter \\WORDS 2\n{middle}{2 * len(word)}'{word * 2}\n"


def write_loops(verilog: str) -> str:
    """Write what sets all words of a memory to the same value as a loop, not line by line."""
    return _INITIAL.sub(_loop, verilog)


def _loop(match: re.Match[str]) -> str:
    declared, last, lines = match.groups(default="")
    words = [_WORD.fullmatch(line) for line in lines.splitlines()]
    first = words[0]
    if first is None:
        return match[0]
    depth = len(words)
    if declared.rpartition("[")[0].split()[-1:] == [first[1].strip()]:
        depth = int(last) + 1  # more than there are: `shorten`
    if depth < 3:
        return match[0]
    for index, word in enumerate(words):
        if word is None or word.groups() != (first[1], str(index), first[3]):
            return match[0]
    name = re.sub(r"\W", "_", first[1].strip().removeprefix("\\"))
    return (
        f"{declared}"
        f"  initial begin : initial_{name}\n"
        "    integer initial_i;\n"  # a name that hides no signal's
        f"    for (initial_i = 0; initial_i < {depth}; initial_i = initial_i + 1)\n"
        f"      {first[1]}[initial_i] = {first[3]};\n"
        "  end\n"
    )
