"""The IP-XACT component beside the Verilog: valid by the standard's schema, read by a library."""

import json
from pathlib import Path

import pytest
from ipxact_schema import schema
from ipyxact.ipyxact import Component  # pyright: ignore[reportAttributeAccessIssue]  # made at import
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # no types
from streampool_golden import PoolJob, PoolSpec, UnpoolJob
from streampool_hw.export.ipxact import SCHEMA
from streampool_hw.export.verilog import write_verilog

JOBS = {
    "max": (PoolJob(PoolSpec("max", 2, dtype="uint8"), (4, 8, 8), 3), {}),
    "marked": (PoolJob(PoolSpec("sum", 2), (1, 4, 4), 1), {"tkeep": True, "tuser": True}),
    "unpool": (UnpoolJob((3, 2, 3), (4, 6), 2), {}),
}


@pytest.fixture(params=JOBS)
def written(request: pytest.FixtureRequest, tmp_path: Path):
    job, options = JOBS[request.param]
    return write_verilog(job, tmp_path, f"pool_{request.param}", **options)


def test_it_is_valid(written):
    checks, read = schema(), etree.parse(str(written.component))
    assert checks.validate(read), checks.error_log
    # the schema does find what is not
    [element] = read.iter(f"{{{SCHEMA}}}busInterfaces")
    element.tag = f"{{{SCHEMA}}}busses"
    assert not checks.validate(read)


def test_what_is_read_is_the_core(written):
    about = json.loads(written.about.read_text())
    component = Component()
    component.load(str(written.component))
    assert (component.vendor, component.name) == ("streampool", about["name"])
    # ipyxact looks for vectors where the next version of the standard has them
    spirit = {"spirit": SCHEMA}
    widths = {
        port.findtext("spirit:name", namespaces=spirit): 1
        + int(port.findtext("spirit:wire/spirit:vector/spirit:left", "0", spirit))
        - int(port.findtext("spirit:wire/spirit:vector/spirit:right", "0", spirit))
        for port in etree.parse(str(written.component)).iterfind(".//spirit:port", spirit)
    }
    ways = {"in": "input", "out": "output"}
    ports = {
        port.name: (ways[port.wire.direction], widths[port.name])
        for port in component.model.ports.port
    }
    assert ports == {name: tuple(how) for name, how in about["ports"].items()}
    read = etree.parse(str(written.component))
    names = {each.text for each in read.iterfind(".//spirit:modelName", spirit)}
    assert names == {about["name"]}
    [files] = component.fileSets.fileSet
    assert [file.name for file in files.file] == [written.verilog.name]
    assert (written.component.parent / files.file[0].name).is_file()


def test_every_port_of_a_stream_is_mapped(written):
    about = json.loads(written.about.read_text())
    component = Component()
    component.load(str(written.component))
    read = etree.parse(str(written.component))
    masters = {
        bus.findtext(f"{{{SCHEMA}}}name")
        for bus in read.iter(f"{{{SCHEMA}}}busInterface")
        if bus.find(f"{{{SCHEMA}}}master") is not None
    }
    assert masters == {"m_axis"}
    mapped = {}
    for bus in component.busInterfaces.busInterface:
        for pair in bus.portMaps.portMap:
            physical = pair.physicalPort.name
            assert physical not in mapped
            mapped[physical] = (bus.busType.name, bus.name, pair.logicalPort.name)
    flags = {"frame_error", "index_error"}
    assert set(mapped) == set(about["ports"]) - flags
    assert mapped["aclk"] == ("clock", "aclk", "CLK")
    assert mapped["aresetn"] == ("reset", "aresetn", "RST")
    assert mapped["s_axis_tdata"] == ("axis", "s_axis", "TDATA")
    assert mapped["m_axis_tready"] == ("axis", "m_axis", "TREADY")
