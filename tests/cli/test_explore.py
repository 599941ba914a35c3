"""The verb that explores: what it says, and what it refuses."""

import json
import re

import pytest
from commands import Command

pytest.importorskip("sklearn")

from made_up_placements import DEVICE, Truth
from streampool_explore import command as verb

OF_LAYER = ("--op", "avg", "--kernel", "2", "--shape", "6x12x12", "--device", DEVICE)


def test_the_verb_says_what_it_predicts_and_how_it_knows(command: Command, folder):
    done = command(
        "explore", *OF_LAYER, "--fps", 400000, "--no-place", "--json", "a.json", "--html", "a.html"
    )
    assert done.status == 0, done.err
    assert "the smallest that holds 400000 frames per second" in done.out
    assert "Of" in done.out and "0 were placed" in done.out and "predicted" in done.out
    found = json.loads((folder / "a.json").read_text())
    chosen = found["chosen"]
    assert chosen["frames_per_second"] >= 400000
    assert [each["cells"] for each in found["front"]] == sorted(
        each["cells"] for each in found["front"]
    )
    assert chosen in [{**each, "cores": chosen["cores"]} for each in found["front"]]
    [core] = chosen["cores"]
    assert core["ff"][1] < core["ff"][0] < core["ff"][2] and not core["placed"]
    page = (folder / "a.html").read_text()
    assert "<svg" in page and "400000 frames per second" in page
    assert not re.search(r"(src|href)=\"http", page)


def test_what_cannot_be_held_is_said_and_is_status_1(command: Command):
    done = command("explore", *OF_LAYER, "--fps", 1e9, "--no-place")
    assert done.status == 1
    assert "No design that fits holds 1e+09 frames per second: the fastest has" in done.out
    done = command("explore", *OF_LAYER, "--luts", 1, "--no-place")
    assert done.status == 1 and "No design fits" in done.out


def test_the_verb_places_the_choice_and_says_both(command: Command, monkeypatch):
    truth = Truth()

    def placed(_, __, jobs, **___):
        return truth(jobs)

    monkeypatch.setattr(verb, "placed", placed)
    done = command("explore", *OF_LAYER, "--fps", 400000, "--placements", 2, "--store", "kept")
    assert done.status == 0, done.err
    chosen = next(line for line in done.out.splitlines() if line.startswith("6x12x12"))
    assert chosen.endswith("placed") and "predicted" in chosen


def test_a_file_of_layers_is_read(command: Command, folder):
    one = {"spec": {"op": "max", "kernel": 2}, "shape": [4, 16, 16]}
    for content in (one, [one, one], {"layers": [one]}):
        (folder / "a.json").write_text(json.dumps(content))
        done = command("explore", "--spec", "a.json", "--device", DEVICE, "--no-place")
        assert done.status == 0, done.err
    assert "4x16x16" in done.out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "use one of --net, --model, --spec and --shape"),
        (("--net", "lenet5", "--shape", "1x8x8"), "--net has no meaning with --shape"),
        (("--net", "lenet5", "--kernel", "3"), "--kernel has no meaning with --net"),
        (("--net", "lenet"), "did you mean lenet5"),
        (("--net", "lenet5", "--input-shape", "1x1x8x8"), "has no meaning without --model"),
        (("--net", "lenet5", "--fps", "0"), "--fps"),
        (("--spec", "none.json"), "none.json"),
        (("--spec", "list.json"), "has no layers"),
        (("--spec", "bare.json"), "without a spec"),
        (("--net", "lenet5", "--workers", "2", "--scheduler", "tcp://a:1"), "no meaning with"),
        (("--model", "none.onnx"), "none.onnx is not there"),
    ],
)
def test_bad_words_are_refused(command: Command, folder, words, says):
    (folder / "list.json").write_text("[]")
    (folder / "bare.json").write_text("[{}]")
    done = command("explore", "--device", DEVICE, "--no-place", *words)
    assert done.status == 2 and says in done.err
    assert done.err.count("\n") == 1


def test_a_device_that_is_not_fitted_is_refused(command: Command):
    done = command("explore", "--net", "lenet5", "--device", "gowin-gw2a18", "--no-place")
    assert done.status == 2 and "use one of" in done.err and "ice40-hx8k" in done.err
