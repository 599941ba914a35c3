"""Drawings of other programs, made part of a page: its colours, its names, nothing of their own."""

import itertools
import re
import xml.etree.ElementTree as ET

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_HREF = f"{{{XLINK}}}href"

COLOURS = {
    "ink": "#1b2430",
    "soft": "#5b6672",
    "grid": "#d9dee4",
    "paper": "#fefefe",
    "c0": "#b3360b",
    "c1": "#1467a8",
    "c2": "#2f7d32",
    "c3": "#7a4aa8",
    "c4": "#8a6100",
    "c5": "#00797d",
    "c6": "#b02a6f",
    "c7": "#4f5b66",
}
"""What plots are drawn with, by the name of the page's variable that stands in its place."""

_WAVEDROM = {
    "#0041c4": "var(--link)",
    "#000": "var(--ink)",
    "#888": "var(--soft)",
    "#fff": "var(--paper)",
}
_VARIABLES = {colour: f"var(--{name})" for name, colour in COLOURS.items()} | _WAVEDROM
_COLOUR = re.compile(rf"(?:{'|'.join(_VARIABLES)})(?![0-9a-f])", re.IGNORECASE)
_REFERENCE = re.compile(r"url\(#([^)]+)\)")

_FONTS = re.compile(r"font-family:[^;]*;?\s*")
_NUMBER = re.compile(r"-?\d+\.\d+")
_UNTURNED = re.compile(r"rotate\(-?0 [^)]*\)")
_ROUNDED = ("x", "y", "width", "height", "d", "transform")
_SHARED = ("class", "clip-path")
"""Attributes that a group may have for what is in it."""


class Styles:
    """The styles of a page's drawings, each written once and named by a class."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def name(self, style: str) -> str:
        """Return the class of a style."""
        return self._names.setdefault(style, f"p{len(self._names)}")

    @property
    def css(self) -> str:
        """The rules."""
        return "".join(f".{name}{{{style}}}\n" for style, name in self._names.items())


def inline(text: str, name: str, label: str, styles: Styles) -> str:
    """Return an SVG file as an element of an HTML page, in its colours, without what is not used.

    Lengths are rounded to tenths of a pixel. `name` begins its ids and classes, `label` says what
    it shows, and `styles` takes its styles, whose rules the page has to have.
    """
    root = _cleaned(text)
    _prefix_names(root, name)
    root.set("role", "img")
    root.set("aria-label", label)
    # What a keyboard has no use for; some browsers would stop there.
    root.set("focusable", "false")
    for element in root.iter():
        for key in ("style", "fill", "stroke"):
            if key in element.attrib:
                element.set(key, _COLOUR.sub(_variable, element.attrib[key]))
        _shorten(element, styles)
    _flatten(root)
    return _written(root)


def _shorten(element: ET.Element, styles: Styles) -> None:
    """Round an element's lengths, and put a class in the place of its style."""
    if _HREF in element.attrib:
        element.set("href", element.attrib.pop(_HREF))
    if _UNTURNED.fullmatch(element.get("transform", "")):
        del element.attrib["transform"]
    for key in _ROUNDED:
        if key in element.attrib:
            element.set(key, _NUMBER.sub(lambda each: f"{float(each[0]):.1f}", element.attrib[key]))
    if "d" in element.attrib:
        element.set("d", re.sub(r"\s*([A-Za-z])\s*", r"\1", element.attrib["d"]))
    style = _FONTS.sub("", element.attrib.pop("style", "")).strip("; ")
    if "url(" in style:  # it is of this drawing alone
        element.set("style", style)
    elif style:
        element.set("class", f"{element.get('class', '')} {styles.name(style)}".strip())


def _flatten(parent: ET.Element) -> None:
    """Take out groups that say nothing, and say once what neighbours have in common."""
    children: list[ET.Element] = []
    for child in parent:
        _flatten(child)
        child.tail = (child.tail or "").strip()
        says_nothing = child.tag == f"{{{SVG}}}g" and not child.attrib
        children += list(child) if says_nothing else [child]
    parent[:] = []
    if not (parent.text or "").strip():
        parent.text = None
    for shared, group in itertools.groupby(children, _common):
        same = list(group)
        into = parent
        if shared and len(same) > 1:
            into = ET.SubElement(parent, f"{{{SVG}}}g", dict(shared))
            for child in same:
                for key, _ in shared:
                    del child.attrib[key]
        into.extend(same)


def _common(element: ET.Element) -> tuple[tuple[str, str], ...]:
    if element.tag.rpartition("}")[2] not in ("path", "use", "text"):
        return ()
    return tuple((key, element.attrib[key]) for key in _SHARED if key in element.attrib)


def standalone(text: str) -> str:
    """Make a drawing a small file of its own, in the colours that it was drawn with, on paper."""
    root = _cleaned(text)
    paper = {"width": "100%", "height": "100%", "fill": COLOURS["paper"]}
    root.insert(0, ET.Element(f"{{{SVG}}}rect", paper))
    return _written(root) + "\n"


def _variable(match: re.Match[str]) -> str:
    return _VARIABLES[match[0].lower()]


def _written(root: ET.Element) -> str:
    ET.register_namespace("", SVG)
    ET.register_namespace("xlink", XLINK)
    return ET.tostring(root, encoding="unicode")


def _cleaned(text: str) -> ET.Element:
    root = ET.fromstring(text)
    for key in ("width", "height"):
        root.set(key, root.attrib[key].removesuffix("pt"))
    root.attrib.pop("version", None)
    for parent in list(root.iter()):
        for child in list(parent):
            kind = child.tag.rpartition("}")[2]
            if kind in ("metadata", "style"):
                parent.remove(child)
    _drop_unused(root)
    return root


def _used(root: ET.Element) -> set[str]:
    """Return the ids that something refers to."""
    found: set[str] = set()
    for element in root.iter():
        for key, value in element.attrib.items():
            found.update(_REFERENCE.findall(value))
            if key in (_HREF, "href") and value.startswith("#"):
                found.add(value[1:])
    return found


def _drop_unused(root: ET.Element) -> None:
    """Take out definitions that nothing uses, and ids that nothing names."""
    used = _used(root)
    for parent in list(root.iter()):
        if parent.tag == f"{{{SVG}}}defs":
            for child in list(parent):
                if "id" in child.attrib and child.attrib["id"] not in used:
                    parent.remove(child)
    for element in root.iter():
        if element.attrib.get("id") not in used:
            element.attrib.pop("id", None)


def _prefix_names(root: ET.Element, name: str) -> None:
    ids = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
    short = {each: str(number) for number, each in enumerate(ids)}
    for element in root.iter():
        for key, value in list(element.attrib.items()):
            # Not an ancestor's selector: what a `use` repeats has none.
            if key == "class":
                element.set(key, " ".join(f"{name}-{word}" for word in value.split()))
            elif key == "id":
                element.set(key, f"{name}-{short[value]}")
            elif key in (_HREF, "href") and value.startswith("#"):
                element.set(key, f"#{name}-{short[value[1:]]}")
            elif "url(#" in value:
                element.set(
                    key, _REFERENCE.sub(lambda each: f"url(#{name}-{short[each[1]]})", value)
                )
