"""What is written of a run-time core: Verilog without a warning, and one map in every language."""

import ctypes
import json
import random
import re
import subprocess
from dataclasses import asdict, replace
from pathlib import Path

import packaged_verilator
import pytest
from ipxact_schema import schema
from ipyxact.ipyxact import Component  # pyright: ignore[reportAttributeAccessIssue]  # made at import
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # no types
from streampool_golden import PoolSpec, SpecError
from streampool_hw.export.runtime_verilog import RuntimeWritten, write_runtime_verilog
from streampool_hw.runtime.control import CONTROL_BASE, ID, MAP_VERSION, constants, places
from streampool_hw.runtime.core import RuntimePoolCore
from streampool_hw.runtime.job import RuntimeJob
from streampool_hw.runtime.maxima import Maxima
from streampool_hw.runtime.registers import BLOCK, Field, RegisterMap
from streampool_sim.runtime.cases import random_job

EVERY = Maxima(operations=("max", "min", "avg", "sum"))
CORE = Maxima(lanes=3, bits=5, operations=("min",), max_fold=16, max_row=64, max_words=8)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> RuntimeWritten:
    return write_runtime_verilog(CORE, tmp_path_factory.mktemp("pool"), "pool", freq_mhz=200)


def test_no_linter_has_anything_to_say(written: RuntimeWritten):
    assert packaged_verilator.lint("--top-module", "pool", written.verilog) == ""


def test_the_json_states_maxima_ports_and_registers(written: RuntimeWritten):
    about = json.loads(written.about.read_text())
    assert about["maxima"] == json.loads(json.dumps(asdict(CORE)))
    assert about["ports"]["s_axis_tdata"] == ["input", 24]
    assert about["ports"]["s_axil_awaddr"] == ["input", about["address_bits"]]
    assert about["latency_cycles"] == RuntimePoolCore(CORE).latency
    named = {each["name"]: each for each in about["registers"]}
    assert named["control_id"]["address"] == 4 * CONTROL_BASE
    assert named["rows_word"]["count"] == 8 and named["core_arm"]["access"] == "w"


def test_no_two_registers_overlap_and_none_leaves_its_block():
    for maxima in (CORE, Maxima(), Maxima(max_words=256, max_partials=12), EVERY):
        taken: set[int] = set()
        for place in places(maxima):
            here = set(range(place.address, place.end))
            assert not here & taken
            assert {at // BLOCK for at in here} == {place.address // BLOCK}
            taken |= here
            for field in place.register.fields:
                assert field.low + field.bits <= 32
        for block, registers in RegisterMap(maxima).blocks.items():
            for register in registers:
                at = RegisterMap(maxima).address(block, register.address)
                assert (at in taken) == (register.bits > 0)


def test_every_write_of_a_job_is_on_the_map():
    rng, maxima = random.Random(0), replace(EVERY, max_partials=4, max_kinds=4)
    taken = {at for place in places(maxima) for at in range(place.address, place.end)}
    seen: set[int] = set()
    for _ in range(200):
        written = {address for address, _ in random_job(rng, maxima).writes}
        assert written <= taken
        seen |= written
    assert {place.block for place in places(maxima) if place.address in seen} == {
        *("core", "columns", "rows", "finish")
    }


def test_every_maximum_fits_into_the_field_that_states_it():
    most = Maxima(4096, 32, ("max", "min"), 12, 1 << 14, 1 << 14, 256, 1 << 16)
    fixed = constants(most)
    fields = {f.name: f for place in places(most) for f in place.register.fields}
    assert fixed["operations"] == 3 and fixed["max_kinds"] == 4 and fixed["id"] == ID
    assert all(value < 1 << fields[name].bits for name, value in fixed.items())


def test_the_header_compiles_and_says_the_same(written: RuntimeWritten, tmp_path: Path):
    names = re.findall(r"#define (POOL_\w+) ", written.header.read_text())
    values = [name for name in names if name != "POOL_H"]
    lines = "".join(f'    printf("{n} %lu\\n", (unsigned long)({n}));\n' for n in values)
    source = tmp_path / "said.c"
    source.write_text(
        f'#include <stdio.h>\n#include "pool.h"\nint main(void) {{\n{lines}    return 0;\n}}\n'
    )
    how = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", f"-I{written.header.parent}"]
    subprocess.run(["cc", *how, source, "-o", tmp_path / "said"], check=True)
    done = subprocess.run([tmp_path / "said"], check=True, capture_output=True, text=True)
    said = {name: int(value) for name, value in map(str.split, done.stdout.splitlines())}
    assert said["POOL_LANES"] == 3 and said["POOL_ID"] == ID
    for place in places(CORE):
        name = f"POOL_{place.name.upper()}"
        assert said[name] == place.byte
        assert said.get(f"{name}_MANY", 1) == place.register.many
        for field in place.register.fields:
            if field.bits:
                mask = (1 << field.bits) - 1 << field.low
                assert said[f"{name}_{field.name.upper()}_MASK"] == mask
                assert said[f"{name}_{field.name.upper()}_AT"] == field.low


class Registers:
    """What a driver in C reaches in the place of a core: `status` is what it reads there."""

    def __init__(self) -> None:
        self.at = {place.name: place.byte for place in places(CORE)}
        self.words = {self.at["control_id"]: ID, self.at["control_version"]: MAP_VERSION << 24}
        self.written: list[tuple[int, int]] = []

    def read(self, at: int) -> int:
        return self.words.get(at, 0)

    def write(self, at: int, word: int) -> None:
        self.written.append((at, word))


@pytest.fixture(scope="module")
def driver(written: RuntimeWritten, tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    folder = tmp_path_factory.mktemp("driver")
    source = folder / "driver.c"
    source.write_text(
        "#include <stdint.h>\n"
        "static uint32_t (*reads)(uint32_t);\nstatic void (*writes)(uint32_t, uint32_t);\n"
        "#define POOL_READ(core, at) ((void)(core), reads(at))\n"
        "#define POOL_WRITE(core, at, word) ((void)(core), writes(at, word))\n"
        '#include "pool_driver.h"\n'
        "void use(uint32_t (*r)(uint32_t), void (*w)(uint32_t, uint32_t))"
        " { reads = r; writes = w; }\n"
        "int do_open(void) { return pool_open(0); }\n"
        "int do_arm(const uint32_t *blob, size_t n, uint32_t tag)"
        " { return pool_arm(0, blob, n, tag); }\n"
        "void do_others(void) { pool_reset(0); pool_interrupt(0, 3); }\n"
        "unsigned do_counts(void) { return pool_begun(0) + pool_done(0) + pool_at_work(0); }\n"
    )
    how = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-shared", "-fPIC"]
    library = folder / "driver.so"
    subprocess.run(["cc", *how, f"-I{written.header.parent}", source, "-o", library], check=True)
    return ctypes.CDLL(str(library))


def test_the_driver_writes_a_job_as_python_does(driver: ctypes.CDLL):
    core, number = Registers(), ctypes.c_uint32
    reads = ctypes.CFUNCTYPE(number, number)(core.read)
    writes = ctypes.CFUNCTYPE(None, number, number)(core.write)
    driver.use(reads, writes)
    assert driver.do_open() == 0
    job = RuntimeJob(PoolSpec("min", 3, 2, dtype="int5"), (6, 9, 9), CORE)
    blob = (number * (2 * len(job.writes))).from_buffer_copy(job.blob())
    assert driver.do_arm(blob, len(blob), 7) == 0
    bad = 1 << [f.name for f in _fields("control_status")].index("bad")
    assert core.written[0] == (core.at["control_status"], bad)
    assert core.written[1] == (core.at["control_tag"], 7)
    assert core.written[2:] == [(4 * address, word) for address, word in job.writes]
    core.words[core.at["control_status"]] = bad
    assert driver.do_arm(blob, len(blob), 8) == 3
    core.words[core.at["control_status"]] = 1
    before = len(core.written)
    assert driver.do_arm(blob, len(blob), 9) == 2 and len(core.written) == before
    driver.do_others()
    reset, interrupt = core.at["core_reset"], core.at["control_interrupt"]
    assert core.written[before:] == [(reset, 1), (interrupt, 3)]
    core.words |= {core.at[f"control_{name}"]: 5 for name in ("begun", "done", "at_work")}
    assert driver.do_counts() == 15
    for name in ("control_id", "control_version"):
        core.words[core.at[name]] += 1 << 24
        assert driver.do_open() == 1
        core.words[core.at[name]] -= 1 << 24


def _fields(name: str) -> tuple[Field, ...]:
    [found] = [place.register.fields for place in places(CORE) if place.name == name]
    return found


def test_system_rdl_is_read_by_its_compiler(written: RuntimeWritten):
    systemrdl = pytest.importorskip("systemrdl", reason="the dev extra brings systemrdl-compiler")
    compiler = systemrdl.RDLCompiler()
    compiler.compile_file(str(written.registers))
    top = compiler.elaborate().top
    found = {}
    for register in top.descendants(unroll=False):
        if isinstance(register, systemrdl.node.RegNode):
            name = "_".join(register.get_path_segments()[1:]).removesuffix("[]")
            found[name] = (
                register.raw_absolute_address,
                register.array_dimensions[0] if register.is_array else 1,
                {
                    field.inst_name: (field.low, field.width, field.is_sw_readable)
                    for field in register.fields()
                },
            )
    assert found == {
        place.name: (
            place.byte,
            place.register.many,
            {
                field.name: (field.low, field.bits, "r" in place.register.access)
                for field in place.register.fields
                if field.bits
            },
        )
        for place in places(CORE)
    }


def test_ip_xact_has_a_memory_map(written: RuntimeWritten):
    checks, read = schema(), etree.parse(str(written.component))
    assert checks.validate(read), checks.error_log
    component = Component()
    component.load(str(written.component))
    interfaces = {each.name: each for each in component.busInterfaces.busInterface}
    assert {"s_axis", "m_axis", "s_axil", "aclk", "aresetn"} == {*interfaces}
    maps = {m.logicalPort.name for m in interfaces["s_axil"].portMaps.portMap}
    assert {"AWADDR", "WSTRB", "BRESP", "ARREADY", "RDATA"} <= maps and len(maps) == 19
    [block] = component.memoryMaps.memoryMap[0].addressBlock
    assert int(block.range) == 4 * (1 << 12)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("wire", "a Verilog keyword"),
        ("s_axil_awaddr", "one of the module's ports"),
        ("irq", "port"),
    ],
)
def test_names_that_cannot_be_are_refused(name: str, said: str, tmp_path: Path):
    with pytest.raises(SpecError, match=said):
        write_runtime_verilog(CORE, tmp_path, name)
    assert not [*tmp_path.iterdir()]


def test_options_that_no_core_takes_are_refused(tmp_path: Path):
    with pytest.raises(SpecError, match="nonsense"):
        write_runtime_verilog(CORE, tmp_path, nonsense=3)
    assert not [*tmp_path.iterdir()]
