"""Cores whose job is written to registers, as Verilog, on the command line."""

import json
from pathlib import Path

import pytest
from commands import Command


def test_maxima_in_place_of_a_shape(command: Command, folder: Path):
    done = command(
        *("verilog", "--runtime", "--lanes", 2, "--max-partials", 3, "--max-row", 70),
        *("--max-words", 8, "--operations", "max,min", "--bits", 6, "--name", "pool"),
    )
    assert done.status == 0
    files = ["pool.v", "pool.json", "pool.core", "pool_inst.vh", "pool.sdc", "pool.xml"]
    files += ["pool.h", "pool_driver.h", "pool_plan.h", "pool.rdl"]
    assert [line.partition(":")[0] for line in done.out.splitlines()] == files
    assert "pool.v: max and min as a host says, 2 lanes of 6 bits" in done.out
    maxima = json.loads((folder / "pool.json").read_text())["maxima"]
    assert (maxima["max_partials"], maxima["max_row"], maxima["max_fold"]) == (3, 70, 256)
    assert "#define POOL_MAX_ROW 70u" in " ".join((folder / "pool.h").read_text().split())
    assert (folder / "pool.rdl").read_text().startswith("addrmap pool {")


def test_marks_that_are_followed(command: Command, folder: Path):
    sizes = ("--lanes", 1, "--max-fold", 8, "--max-row", 16, "--max-length", 16)
    for more, marked in ((("--tuser",), True), ((), False)):
        done = command("verilog", "--runtime", *sizes, "--resync", *more)
        assert done.status == 0
        about = json.loads((folder / "streampool_runtime.json").read_text())
        assert about["resync"] is True and ("m_axis_tuser" in about["ports"]) == marked


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "--shape is missing; use --shape CxHxW"),
        ("--runtime --shape 3x4x4", "--shape has no meaning with --runtime; leave it out"),
        ("--runtime --kernel 3", "--kernel has no meaning with --runtime; leave it out"),
        ("--runtime --tuser", "--tuser has no meaning with --runtime; leave it out"),
        ("--runtime --max-row 99999", "max-row must be an integer from 9 to 16384, not 99999"),
        ("--runtime --max-words 12", "max-words 12 is no power of two; use one, as 16"),
        ("--runtime --operations max,l2", "--operations 'l2' is not known; use one of max, min"),
        ("--runtime --bits 33", "bits must"),
        ("--runtime --lanes 0", "--lanes '0' is not possible"),
        ("--runtime --name wire", "name 'wire' is a Verilog keyword"),
        ("--runtime -o nowhere", "directory 'nowhere' is not there"),
        ("--shape 3x4x4 --bits 7", "--bits has no meaning without --runtime; leave it out"),
        ("--shape 3x4x4 --max-row 9", "--max-row has no meaning without --runtime; leave it out"),
    ],
)
def test_refusals(refused: Command, words: str, said: str):
    assert said in refused("verilog", *words.split()).err
