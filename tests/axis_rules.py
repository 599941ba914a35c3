"""AXI4-Stream's rules as one table, and monitors in Verilog made of it.

The rules are written from ARM's specification (IHI 0051A, version 1.0) and from what
docs/integration.md promises of frames, apart from the hardware. The monitors are for any simulator,
and for what is proved of the generated Verilog (tests/proofs/verilog.py).
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from streampool_golden import BeatLayout, Field, Job
from streampool_hw.export.axi import lane_width


@dataclass(frozen=True)
class Rule:
    """A rule: where it stands, what it says, and when it is broken.

    `broken` is a Verilog expression over what a monitor has, high at a rising edge at which the
    rule is broken. A rule that `needs` a port is not there without it; one of the `mark` rules is
    what the core's ``frame_error`` tells of its input.
    """

    name: str
    section: str
    says: str
    broken: str
    needs: str = ""
    mark: bool = False
    output: bool = False  # asked of the core's output alone


RULES = (
    Rule(
        "valid_stays",
        "2.2.1",
        "TVALID once high stays high until the transfer.",
        "aresetn & held & ~tvalid",
    ),
    Rule(
        "data_stays",
        "2.2.1",
        "TDATA stays as it is until the transfer.",
        "aresetn & held & (tdata != tdata_before)",
    ),
    Rule(
        "last_stays",
        "2.2.1",
        "TLAST stays as it is until the transfer.",
        "aresetn & held & (tlast != tlast_before)",
    ),
    Rule(
        "keep_stays",
        "2.2.1",
        "TKEEP stays as it is until the transfer.",
        "aresetn & held & (tkeep != tkeep_before)",
        needs="tkeep",
    ),
    Rule(
        "user_stays",
        "2.2.1",
        "TUSER stays as it is until the transfer.",
        "aresetn & held & (tuser != tuser_before)",
        needs="tuser",
    ),
    Rule(
        "low_in_reset",
        "2.7.2",
        "During reset TVALID is low; reset is sampled, so from the edge after its first on.",
        "~aresetn & ~ran & tvalid",
    ),
    Rule(
        "low_after_reset",
        "2.7.2",
        "TVALID rises after an edge at which ARESETn is high, and so is low at the first such.",
        "aresetn & ~ran & tvalid",
    ),
    Rule(
        "packet_ends",
        "2.5",
        "TLAST is high with a packet's last transfer: a frame's, or a line's.",
        "shown & ends & ~tlast",
        mark=True,
    ),
    Rule(
        "packet_goes_on",
        "2.5",
        "TLAST is low with every other transfer.",
        "shown & ~ends & tlast",
        mark=True,
    ),
    Rule(
        "channels_are_data",
        "2.4.1",
        "A byte of a lane that has a channel is a data byte: its TKEEP is high.",
        "shown & |(kept & ~tkeep)",
        needs="tkeep",
        mark=True,
    ),
    Rule(
        "rest_is_null",
        "2.4.1",
        "Every other byte is a null byte: its TKEEP is low.",
        "shown & |(tkeep & ~kept)",
        needs="tkeep",
        output=True,
    ),
    Rule(
        "frame_starts",
        "2.8",
        "TUSER is high with a frame's first transfer, and with no other.",
        "shown & (tuser != starts)",
        needs="tuser",
        mark=True,
    ),
)
"""What holds at either side; 2.8 leaves it to the two sides what TUSER means."""


@dataclass(frozen=True)
class Stream:
    """What a monitor has to know of one side.

    Attributes
    ----------
    beats : int
        Transfers of a frame.
    packet : int
        Transfers that TLAST ends: a frame's, or a line's.
    bytes : int
        Bytes of TDATA.
    data : tuple of int
        The bytes that hold a channel of a position, as bits, of each beat of a row.
    tkeep, tuser, output : bool
        Whether there are these ports, and whether the core is the one that sends.
    """

    beats: int
    packet: int
    bytes: int
    data: tuple[int, ...]
    tkeep: bool = False
    tuser: bool = False
    output: bool = False

    @classmethod
    def of(
        cls, fields: Sequence[Field], layout: BeatLayout, packets: int = 1, **more: bool
    ) -> "Stream":
        """Return what is known of a side of a job, whose frames are so many packets."""
        size = sum(lane_width(field.dtype.bits) for field in fields) // 8
        lane = (1 << size) - 1
        data = tuple(
            sum(
                lane << size * value
                for value in range(layout.values)
                if layout.position(beat, value) is not None
                and layout.channel(beat, value) is not None
            )
            for beat in range(layout.row_beats)
        )
        return cls(layout.beats, layout.beats // packets, layout.values * size, data, **more)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules of this side, with these ports."""
        return tuple(
            rule
            for rule in RULES
            if (not rule.needs or getattr(self, rule.needs)) and (self.output or not rule.output)
        )

    @property
    def ports(self) -> dict[str, int]:
        """The ports of this side but for its handshake, and their bits."""
        named = {"tdata": 8 * self.bytes, "tlast": 1, "tkeep": self.bytes, "tuser": 1}
        return {port: bits for port, bits in named.items() if getattr(self, port, True)}


def sides(job: Job, *, lines: bool = False, **more: bool) -> dict[str, Stream]:
    """Return both sides of a job by the prefix of their ports."""
    return {
        "s_axis": Stream.of(
            job.fields_in, job.layout_in, math.prod(job.size[:-1]) if lines else 1, **more
        ),
        "m_axis": Stream.of(
            *(job.fields_out, job.layout_out, math.prod(job.out_size[:-1]) if lines else 1),
            output=True,
            **more,
        ),
    }


def monitor(name: str, stream: Stream) -> str:
    """Return a module that watches one side; bit k of `broken` is high where rule k is broken."""
    sizes = {"beat": stream.beats, "of_packet": stream.packet, "of_row": len(stream.data)}
    return "\n".join(
        (
            f"module {name}(",
            "  input wire aclk, aresetn, tvalid, tready,",
            *(f"  input wire {_bits(bits)}{port}," for port, bits in stream.ports.items()),
            f"  output wire {_bits(len(stream.rules))}broken",
            ");",
            "  reg ran = 0;  // aresetn at the edge before",
            "  reg held = 0;  // whether a beat waited there",
            *(f"  reg {_bits(bits)}{port}_before = 0;" for port, bits in stream.ports.items()),
            *(f"  reg {_bits(_width(size))}{counter} = 0;" for counter, size in sizes.items()),
            "  wire shown = aresetn & tvalid;",
            "  wire starts = beat == 0;",
            f"  wire ends = of_packet == {stream.packet - 1};",
            f"  wire {_bits(stream.bytes)}kept = {_kept(stream)};",
            "  always @(posedge aclk) begin",
            "    ran <= aresetn;",
            "    held <= shown & ~tready;",
            *(f"    {port}_before <= {port};" for port in stream.ports),
            *(
                f"    if (~aresetn) {counter} <= 0; else if (shown & tready)"
                f" {counter} <= {counter} == {size - 1} ? 0 : {counter} + 1;"
                for counter, size in sizes.items()
            ),
            "  end",
            *(f"  assign broken[{k}] = {rule.broken};" for k, rule in enumerate(stream.rules)),
            "endmodule\n",
        )
    )


def watch(both: Mapping[str, Stream], prefix: str = "") -> list[str]:
    """Return lines that watch both sides of a core, whose ports are wires with a prefix.

    ``{side}_broken`` has the rules that are broken at an edge, and ``flag_broken`` says whether
    ``frame_error`` is not what docs/integration.md says: set after a beat whose marks broke a rule.
    """
    lines = []
    for side, stream in both.items():
        rules = len(stream.rules)
        ports = ("tvalid", "tready", *stream.ports)
        pins = ", ".join(f".{port}({prefix}{side}_{port})" for port in ports)
        clock = f".aclk({prefix}aclk), .aresetn({prefix}aresetn)"
        lines += [
            f"  wire {_bits(rules)}{prefix}{side}_broken;",
            f"  {prefix}{side}_rules {prefix}{side}_monitor"
            f" ({clock}, {pins}, .broken({prefix}{side}_broken));",
        ]
    rules = both["s_axis"].rules
    wrong = [f"{prefix}s_axis_broken[{k}]" for k, rule in enumerate(rules) if rule.mark]
    return [
        *lines,
        f"  wire {prefix}wrong = {prefix}s_axis_tready & ({' | '.join(wrong)});",
        f"  reg {prefix}seen = 0;",
        f"  always @(posedge {prefix}aclk)",
        f"    {prefix}seen <= {prefix}aresetn & ({prefix}seen | {prefix}wrong);",
        f"  wire {prefix}flag_broken = {prefix}frame_error != {prefix}seen;",
    ]


def monitors(both: Mapping[str, Stream], prefix: str = "") -> str:
    """Return the modules that `watch` makes instances of."""
    return "".join(monitor(f"{prefix}{side}_rules", stream) for side, stream in both.items())


def _bits(count: int) -> str:
    return f"[{count - 1}:0] "


def _width(size: int) -> int:
    return max(1, (size - 1).bit_length())


def _kept(stream: Stream) -> str:
    """Return the bytes that are data, by the beat of the row."""
    (usual, _), *_ = Counter(stream.data).most_common(1)
    text = f"{stream.bytes}'h{usual:x}"
    for beat, data in enumerate(stream.data):
        if data != usual:
            text = f"of_row == {beat} ? {stream.bytes}'h{data:x} : {text}"
    return text
