"""Reads a page as a browser's parser would, and nothing of how it was made."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "hr", "img", "input"}
TIMES = "\N{MULTIPLICATION SIGN}"
UNITS = {"s": 1.0, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9, TIMES: 1.0, "%": 0.01, "": 1.0}


@dataclass
class Number:
    """A number on the page: its place in the JSON, its value, and what is shown."""

    path: str
    value: str
    shown: str = ""


@dataclass
class Element:
    """A start tag, and the text right in it."""

    tag: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class Reader(HTMLParser):
    """What is on a page; raises where a tag is not closed, or another one is."""

    numbers: list[Number] = field(default_factory=list)
    elements: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[Element] = []

    def handle_starttag(self, tag, attrs):
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag in VOID:
            return
        self.open.append(element)
        if tag == "data":
            parents = [each.attributes for each in self.open]
            rows = [each["data-row"] for each in parents if "data-row" in each]
            path = ".".join([*rows, element.attributes["data-key"]])
            self.numbers.append(Number(path, element.attributes["value"]))

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_startendtag(self, tag, attrs):
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data):
        if self.open:
            self.open[-1].text += data
            if self.open[-1].tag == "data":
                self.numbers[-1].shown += data

    def all(self, tag: str) -> list[Element]:
        """Return the elements of a kind."""
        return [element for element in self.elements if element.tag == tag]


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
