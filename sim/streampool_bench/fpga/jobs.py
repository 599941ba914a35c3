"""The jobs that clock and area are stated for."""

from dataclasses import dataclass

from streampool_golden import PoolJob, PoolSpec


@dataclass(frozen=True)
class ReferenceJob:
    """A job of a known layer of int8, at a number of lanes or columns."""

    name: str
    """The layer's letter and the lanes; with several columns a beat x and these; ``w`` behind it
    where several slices are behind one wide stream."""
    spec: PoolSpec
    shape: tuple[int, ...]
    lanes: int
    least_mhz: float | None = None
    """What its clock on `BAR_DEVICE` has to reach; less than the silicon takes."""
    most_lut4: int | None = None
    """The LUTs that it may take there."""
    peers: str = ""
    """What others reach with the same tools on the same device."""
    most_seeds: int | None = None
    """How many seeds it is placed with at most: the widest jobs take ten minutes each."""
    columns: int = 1
    """Columns of a beat."""
    at_silicon: bool = False
    """Whether its clock there has to be what the silicon takes at most: no device runs faster."""
    slices: int = 1
    """Slices that the core is cut into."""
    own_streams: bool = True
    """Whether each of several slices has streams of its own."""

    @property
    def job(self) -> PoolJob:
        """What its core has to do."""
        return PoolJob(self.spec, self.shape, self.lanes, self.columns)


BAR_DEVICE = "ecp5-85k-6"
"""The device that the bar is set for."""

_A = PoolSpec("max", 2)
_B = PoolSpec("max", 3, 2, 1)
_C = PoolSpec("avg", 2)
_C_PRIME = PoolSpec("avg", 3, 1, 1, count_include_pad=False)
_D = PoolSpec("max", 3, 1, 1)
_E = PoolSpec("avg", 7)
_F = PoolSpec("max", 5, 1, 2)
_G = PoolSpec("max", 13, 1, 6)
_H = PoolSpec("max", (4,))


def _at_silicon(
    name: str,
    spec: PoolSpec,
    shape: tuple[int, ...],
    lanes: int,
    most_lut4: int | None = None,
    peers: str = "",
) -> ReferenceJob:
    """Return a job that has to run at the silicon's own clock."""
    return ReferenceJob(name, spec, shape, lanes, None, most_lut4, peers, at_silicon=True)


def _wide(
    letter: str, spec: PoolSpec, shape: tuple[int, ...], lanes: int, most_seeds: int | None = 1
) -> ReferenceJob:
    """Return a job that is wider than its bar is set for, or that has none."""
    return ReferenceJob(f"{letter}{lanes}", spec, shape, lanes, most_seeds=most_seeds)


JOBS = {
    job.name: job
    for job in (
        _at_silicon(
            *("A1", _A, (1, 224, 224), 1, 110),
            "FINN 182 at 72, Haddoc2 1,905 at 141, NNgen 5,303 at 66",
        ),
        _at_silicon("A8", _A, (8, 224, 224), 8),
        _at_silicon("B8", _B, (64, 112, 112), 8, 370, "FINN 829 at 78"),
        ReferenceJob("C1", _C, (1, 224, 224), 1),
        _at_silicon("C8", _C, (8, 224, 224), 8),
        _at_silicon("C'8", _C_PRIME, (64, 112, 112), 8),
        _at_silicon("D1", _D, (1, 224, 224), 1, 165, "FINN 257 at 96"),
        _at_silicon("D8", _D, (8, 224, 224), 8, 400),
        _at_silicon("E8", _E, (2048, 7, 7), 8),
        _at_silicon("F8", _F, (256, 20, 20), 8),
        _at_silicon("G8", _G, (256, 13, 13), 8),
        _at_silicon("H8", _H, (64, 16000), 8),
        *(ReferenceJob(f"A{lanes}", _A, (lanes, 224, 224), lanes, 200) for lanes in (32, 64)),
        *(ReferenceJob(f"B{lanes}", _B, (lanes, 112, 112), lanes, 200) for lanes in (32, 64)),
        *(_wide("C", _C, (lanes, 224, 224), lanes) for lanes in (32, 64)),
        _wide("C'", _C_PRIME, (32, 112, 112), 32),
        _wide("C'", _C_PRIME, (64, 112, 112), 64, most_seeds=None),  # its first is stopped
        *(_wide("D", _D, (lanes, 224, 224), lanes) for lanes in (32, 64)),
        *(_wide("E", _E, (2048, 7, 7), lanes) for lanes in (32, 64)),
        _wide("A", _A, (224, 224, 224), 224),
        _wide("B", _B, (224, 112, 112), 224),
    )
}
"""The jobs by name."""


def _side_by_side(
    letter: str, spec: PoolSpec, size: tuple[int, int], values: int
) -> list[ReferenceJob]:
    """Return a job of so many columns of one channel, and that of as many lanes."""
    return [
        ReferenceJob(f"{letter}1x{values}", spec, (1, *size), 1, columns=values),
        ReferenceJob(f"{letter}{values}", spec, (values, *size), values),
    ]


COLUMN_JOBS = {
    job.name: job
    for jobs in (
        *(_side_by_side("A", _A, (224, 224), values) for values in (4, 8, 16, 32)),
        *(_side_by_side("V", _D, (1080, 1920), values) for values in (2, 4, 8)),
    )
    for job in jobs
}
"""Jobs of one channel and several columns a beat, each before that of as many lanes, by name."""


def _sliced(
    letter: str,
    spec: PoolSpec,
    shape: tuple[int, ...],
    each: tuple[int, int],
    slices: int,
    *,
    own_streams: bool = True,
) -> ReferenceJob:
    """Return a job cut into slices, of so many lanes and columns `each`."""
    lanes, columns = each[0] * slices, each[1]
    name = f"{letter}{lanes}x{columns}{'w' * (not own_streams)}"
    if shape[0] != lanes:
        name += f"c{shape[0]}"
    return ReferenceJob(
        *(name, spec, shape, lanes), columns=columns, slices=slices, own_streams=own_streams
    )


WIDE_JOBS = {
    job.name: job
    for job in (
        *(_sliced("A", _A, (n, 224, 224), (1, 32), n) for n in (8, 10, 16)),
        *(_sliced("A", _A, (64, 224, 224), (1, 32), n) for n in (8, 10)),
        *(_sliced("A", _A, (n, 224, 224), (1, 32), n, own_streams=False) for n in (8, 10)),
        *(_sliced("B", _B, (64, 112, 112), (2, 16), n) for n in (8, 10)),
        _sliced("K", PoolSpec("max", 3, 2), (64, 111, 111), (1, 28), 10),
        *(_sliced("C", _C, (64, 224, 224), (1, 32), n) for n in (8, 10)),
        _sliced("D", _D, (8, 224, 224), (1, 32), 8),
        _sliced("F", _F, (128, 20, 20), (1, 20), 2),
        _sliced("T", PoolSpec("max", 2, ndim=3), (256, 8, 28, 28), (1, 28), 10),
        *(_sliced("E", PoolSpec("avg", 13), (1000, 13, 13), (2, 13), n) for n in (10, 13)),
    )
}
"""Jobs of more values a beat than one core holds its clock for, cut into slices, by name.

With a channel per lane the stores are so small that they are LUT RAM; a ``c`` and the channels
stand behind the name where they are those of a layer, and the stores block RAM.
"""
