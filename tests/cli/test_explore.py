"""The verb that explores: what it says, and what it refuses."""

import json
import re

import pytest
from commands import Command

pytest.importorskip("sklearn")

from made_up_placements import DEVICE, Truth
from streampool_explore import command as verb
from streampool_explore import model, rows

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


def test_a_limit_that_nothing_meets_is_named(command: Command, folder):
    files = ("--json", "a.json", "--html", "a.html")
    done = command("explore", *OF_LAYER, "--luts", 1, "--no-place", "--fps", 30, *files)
    assert done.status == 1 and done.err == ""
    assert re.search(r"No design fits ecp5-25k-6: .* LUTs, and --luts allows 1\.", done.out)
    found = json.loads((folder / "a.json").read_text())
    assert found["chosen"] is None and found["reason"] in done.out
    page = (folder / "a.html").read_text()
    assert "--luts allows 1" in page and "<svg" not in page
    done = command("explore", *OF_LAYER, "--freq", 900, "--no-place")
    assert done.status == 1 and "and --freq asks for 900." in done.out


def test_the_reason_why_a_layer_has_no_core_is_printed(command: Command):
    words = ("--op", "max", "--kernel", "2", "--shape", "4x8x8", "--dtype", "float32")
    done = command("explore", *words, "--device", "ice40-hx8k", "--no-place")
    assert done.status == 1
    assert re.search(r"No core of 4x8x8 is like .*float32: its .* are outside what", done.out)


def test_the_verb_places_the_choice_and_says_both(command: Command, monkeypatch):
    truth = Truth()

    def placed(_, __, jobs, **___):
        assert not {*jobs} & {*truth.placed}, "nothing is placed twice"
        return truth(jobs)

    monkeypatch.setattr(verb, "placed", placed)
    done = command("explore", *OF_LAYER, "--fps", 400000, "--placements", 2, "--store", "kept")
    assert done.status == 0, done.err
    chosen = next(line for line in done.out.splitlines() if line.startswith("6x12x12"))
    assert chosen.endswith("placed") and "predicted" in chosen
    assert f" {len(truth.placed)} were placed for this" in done.out


@pytest.mark.parametrize(
    ("module", "name", "cache"),
    [
        (rows, "DATA", rows.shipped),
        (model, "FIT", model.settings),
        (model, "FIT", model.errors),
    ],
)
@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"settings": {}, "rows": [{}], "errors": 1}'])
def test_damaged_data_is_refused_in_a_sentence(
    command: Command, folder, monkeypatch, module, name, cache, text
):
    damaged = folder / "data.json"
    damaged.write_text(text)
    monkeypatch.setattr(module, name, damaged)
    cache.cache_clear()
    try:
        done = command("explore", *OF_LAYER, "--no-place")
    finally:
        cache.cache_clear()
    assert done.status == 2 and "data.json is damaged" in done.err
    assert done.err.count("\n") == 1


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
        (("--spec", "small.json"), "kernel 9 gives no output on 4 padded rows"),
        (("--spec", "below.json"), "positive integers, the channels first"),
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
    for name, kernel, shape in (("small", 9, [1, 4, 4]), ("below", 2, [1, -4, 4])):
        one = {"spec": {"op": "max", "kernel": kernel}, "shape": shape}
        (folder / f"{name}.json").write_text(json.dumps(one))
    done = command("explore", "--device", DEVICE, "--no-place", *words)
    assert done.status == 2 and says in done.err
    assert done.err.count("\n") == 1


def test_a_device_that_is_not_fitted_is_refused(command: Command):
    done = command("explore", "--net", "lenet5", "--device", "gowin-gw2a18", "--no-place")
    assert done.status == 2 and "use one of" in done.err and "ice40-hx8k" in done.err
