"""Reads a page as a browser's parser would, and nothing of how it was made."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "hr", "img", "input"}
TIMES = "\N{MULTIPLICATION SIGN}"
NONE = "\N{EN DASH}"
# What HTML lets be left out, as far as it is made use of.
CLOSED_BY_START = {"tr": ("td", "th", "tr"), "td": ("td", "th"), "th": ("td", "th")}
CLOSED_BY_END = {"tbody": ("td", "th", "tr")}
UNITS = {"s": 1.0, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9, TIMES: 1.0, "%": 0.01, "": 1.0}


@dataclass
class Number:
    """A number on the page: its place in the JSON, and what is shown."""

    path: str
    shown: str = ""


@dataclass
class Element:
    """A start tag, and the text right in it."""

    tag: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class Table:
    """A table that is being read: where its columns' numbers are, in which units, and its row."""

    path: str
    heads: list[dict[str, str]] = field(default_factory=list)
    shared: list[tuple[dict[str, str], str]] = field(default_factory=list)
    row: int = -1
    column: int = 0
    rows: list[int] = field(default_factory=list)


@dataclass
class Reader(HTMLParser):
    """What is on a page; raises where a tag is not closed, or another one is."""

    numbers: list[Number] = field(default_factory=list)
    elements: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[Element] = []
        self.table = Table("")

    def handle_starttag(self, tag, attrs):
        element = Element(tag, {name: value or "" for name, value in attrs})
        for implied in CLOSED_BY_START.get(tag, ()):
            if self.open and self.open[-1].tag == implied:
                self._close()
        self.elements.append(element)
        if tag in VOID:
            return
        self.open.append(element)
        if tag == "table":
            self.table = Table(element.attributes.get("data-path", ""))
        elif tag == "tr" and self.table.heads:
            self.table.row = int(element.attributes.get("data-row", self.table.row + 1))
            self.table.rows.append(self.table.row)
            self.table.column = 1
        elif tag == "th" and element.attributes["scope"] == "row":
            self.table.column = 0
        elif tag == "data":
            parents = [each.attributes for each in self.open]
            rows = [each["data-row"] for each in parents if "data-row" in each]
            path = ".".join([*rows, element.attributes["data-key"]])
            self.numbers.append(Number(path))

    def handle_endtag(self, tag):
        for implied in CLOSED_BY_END.get(tag, ()):
            if self.open and self.open[-1].tag == implied:
                self._close()
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self._close()

    def handle_startendtag(self, tag, attrs):
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data):
        if self.open:
            self.open[-1].text += data
            if self.open[-1].tag == "data":
                self.numbers[-1].shown += data

    def _close(self) -> None:
        """Close the innermost element, and read it if it is of a table of the JSON's rows."""
        element = self.open.pop()
        table = self.table
        if not table.path:
            return
        if element.tag == "span" and self.open[-1].tag in ("th", "td"):
            self.open[-1].text += element.text
        elif element.tag == "span" and self.open[-1].tag == "caption":
            table.shared.append((element.attributes, element.text))
        elif element.tag == "th" and element.attributes["scope"] == "col":
            table.heads.append(element.attributes)
        elif element.tag in ("th", "td"):
            self._read(table.row, table.heads[table.column], element.text)
            table.column += 1
        elif element.tag == "tr" and table.row >= 0:
            assert table.column == len(table.heads), "a row has a cell for each head"
        elif element.tag == "table":
            for row in table.rows:
                for head, text in table.shared:
                    self._read(row, head, text)

    def _read(self, row: int, head: dict[str, str], text: str) -> None:
        if "data-key" not in head or text == NONE:
            return
        key = head["data-key"].removesuffix(".*")
        several = head["data-key"].endswith(".*")
        unit = head.get("data-unit", "")
        for place, shown in parts(text).items() if several else [("", text)]:
            path = f"{self.table.path}.{row}.{key}{place}"
            self.numbers.append(Number(path, f"{shown} {unit}".strip()))

    def all(self, tag: str) -> list[Element]:
        """Return the elements of a kind."""
        return [element for element in self.elements if element.tag == tag]


def parts(text: str) -> dict[str, str]:
    """Return the numbers of a cell that holds several, by their places in what the JSON has."""
    if ":" in text:
        pairs = [each.split(":") for each in text.split(", ")]
        return {f".{i}.{j}": pair[j] for i, pair in enumerate(pairs) for j in range(2)}
    if re.match(r"[a-z]", text):
        return {f".{name}": shown for name, shown in map(str.split, text.split(", "))}
    return {f".{i}": shown for i, shown in enumerate(re.split(f"[ {TIMES}]", text))}


def read(text: str) -> Reader:
    """Read a whole page."""
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert not reader.open
    return reader


def amount(shown: str) -> float:
    """Return what a reader takes from ``1,234``, ``1.5 ms`` or a ratio."""
    match = re.fullmatch(r"(-?[\d,]*\.?\d+(?:e[-+]\d+)?) ?(\D*)", shown)
    assert match, shown
    return float(match[1].replace(",", "")) * UNITS[match[2]]
