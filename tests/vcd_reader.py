"""A reader of VCD files: what is declared, and what there is at each edge."""

from collections.abc import Iterator
from pathlib import Path


class Vcd:
    """A VCD file.

    Attributes
    ----------
    timescale : str
        Such as ``1 ps``.
    names : list of str
        Signals in order, with the scopes they are in.
    widths : dict of str to int
        Their widths in bits.
    """

    def __init__(self, path: Path):
        head, _, self._body = path.read_text(encoding="utf-8").partition("$enddefinitions $end\n")
        self.timescale, self.names, self.widths = "", [], {}
        self._codes: dict[str, str] = {}
        scopes: list[str] = []
        for line in head.splitlines():
            kind, *words, end = line.split()
            assert end == "$end"
            if kind == "$timescale":
                self.timescale = " ".join(words)
            elif kind == "$scope":
                scopes.append(words[1])
            elif kind == "$upscope":
                scopes.pop()
            elif kind == "$var":
                _, width, code, name = words
                name = ".".join((*scopes, name))
                self.names.append(name)
                self.widths[name], self._codes[name] = int(width), code
        assert not scopes

    def edges(self, clock: str, *names: str) -> Iterator[tuple[int, ...]]:
        """Yield the time of each rising edge, and what the signals were before it."""
        values: dict[str, int] = {}
        codes = [self._codes[name] for name in names]
        time, before = 0, (0,) * len(names)
        for line in self._body.splitlines():
            if line[0] == "#":
                assert int(line[1:]) >= time
                time, before = int(line[1:]), tuple(values.get(code, 0) for code in codes)
            elif line[0] in "01":
                rises = line[1:] == self._codes[clock] and line[0] == "1" and time > 0
                values[line[1:]] = int(line[0])
                if rises:
                    yield time, *before
            elif line[0] == "b":
                value, code = line[1:].split()
                values[code] = int(value, 2)
