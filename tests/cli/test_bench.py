"""The verb bench: a table, JSON, and what is refused before anything is measured."""

import json

import pytest
from commands import Command
from streampool_bench import command as benching

SMALL = "bench --op avg --kernel 2 --shape 4x6x6 --runtimes numpy"


def test_a_layer_of_ones_own(command: Command, folder):
    done = command(*SMALL.split(), "--json", "here.json", "--device", "ice40-hx8k", "--freq", 50)
    assert done.status == 0
    results = json.loads((folder / "here.json").read_text())
    assert [row["shape"] for row in results["layers"]] == [[4, 6, 6]]
    assert {row["runtime"] for row in results["software"]} == {"NumPy"}
    assert results["settings"]["assumed_mhz"] == 50
    assert done.out.startswith("ice40-hx8k, one frame at a time")
    assert "avg 2x2 /2, 4x6x6" in done.out
    assert done.err.startswith("streampool: 1/2 avg 2x2 /2, 4x6x6\n")
    assert [path.name for path in folder.iterdir()] == ["here.json"]


@pytest.mark.parametrize("words", ["--kernel global", "--adaptive 2x3"])
def test_sizes_that_the_frame_decides(words: str, command: Command, folder):
    words = f"bench --op avg {words} --shape 4x6x6 --json here.json"
    assert command(*words.split()).status == 0
    results = json.loads((folder / "here.json").read_text())
    [layer] = results["layers"]
    sizes = ([6, 6], "6x6 /6") if "global" in words else ([3, 2], "3x2 /3x2")
    assert (layer["kernel"], layer["title"]) == (sizes[0], f"avg {sizes[1]}, 4x6x6")
    assert all(row["correct"] for row in results["software"])
    assert {row["runtime"] for row in results["software"]} >= {"NumPy", "ONNX Runtime"}


def test_windows_of_two_lengths_are_no_layer_to_measure(refused: Command):
    words = "bench --op avg --adaptive 4x3 --shape 4x6x6 --json here.json"
    done = refused(*words.split())
    assert "adaptive (4, 3) has windows of two lengths on (6, 6)" in done.err


def test_what_was_kept_goes_when_all_is_written(command: Command, folder):
    words = [*SMALL.split(), "--folder", "kept", "--json", "here.json"]
    assert command(*words).status == 0
    assert (folder / "here.json").is_file()
    assert list((folder / "kept").iterdir()) == []


def test_a_device_without_room_is_refused(refused: Command):
    words = "bench --shape 64x112x112 --kernel 13 --stride 1 --padding 6 --device ice40-hx1k"
    assert "ice40-hx1k has no room" in refused(*words.split(), "--runtimes", "numpy").err


def test_json_on_standard_output(command: Command):
    done = command(*SMALL.split(), "--json", "-")
    assert done.status == 0
    assert json.loads(done.out)["schema"] == "streampool-bench-3"
    assert "one frame at a time" in done.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("--kernel 2", "use --shape CxHxW"),
        ("--net lenet", "--net 'lenet' is not known, did you mean lenet5"),
        ("--quick --shape 4x6x6", "--shape gives your own layer and --quick chooses others"),
        ("--net vgg16 --shape 4x6x6", "--shape gives your own layer and --net chooses others"),
        ("--shape 4x6x6 --dtype int16", "--dtype int16 is not compared with software"),
        ("--shape 4x1x1 --kernel 5", "kernel 5 gives no output"),
        ("--rounds 3", "'3' is too few for a median; use 15 or more"),
        (
            "--runtimes numpy,jax",
            "--runtimes 'jax' is not known; use one of NumPy, PyTorch, ONNX Runtime",
        ),
        ("--device ecp5-99k-6", "device must be one of ecp5-25k-6, "),
        ("--device ice40-lp1k", "--device ice40-lp1k has no placed core; use one of ecp5-85k-6, "),
        ("--json here.txt", "--json here.txt would write JSON; use FILE.json or -"),
        ("--json no/here.json", "no"),
        ("--html here.json", "--html here.json would write HTML; use FILE.html"),
        ("--freq 0", "--freq '0' is not possible"),
        ("--op avg", "--op says what is pooled, but not on what; use --shape CxHxW too"),
        ("--stride 2 --quick", "--stride says what is pooled"),
        ("--net lenet5 --quick", "--quick has no layer of lenet5; use one of the two options"),
        ("--shape 4x6x6 --op avg --rounding floor", "--rounding is not compared with software"),
        ("--shape 4x6x6 --op sum --saturate", "--saturate is not compared with software"),
        ("--shape 4x6x6 --clamp 0:6", "--clamp is not compared with software"),
        ("--shape 4x6x6 --op avg --scale 3/4", "--scale is not compared with software"),
        ("--shape 4x6x6 --index-base plane", "--index-base is not compared with software"),
        ("--shape 4x6x6 --folder /dev/null/x", "--folder /dev/null/x cannot be: /dev/null is a"),
    ],
)
def test_refusals(words: str, says: str, refused: Command, monkeypatch):
    def measured(*_: object) -> None:
        raise AssertionError("something was measured")

    monkeypatch.setattr(benching, "make", measured)
    assert says in refused("bench", *words.split()).err
