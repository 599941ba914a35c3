"""The verb `explore`."""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from streampool_farm.farm import Farm
from streampool_farm.task import TaskFailed
from streampool_golden import PoolJob
from streampool_golden.networks import networks
from streampool_hw.export.yosys import ToolError
from streampool_hw.files import write_whole
from streampool_hw.fpga import DEVICES
from streampool_models.command import shapes
from streampool_sim.cli import common, values
from streampool_sim.cli.command import Options, option, under, verb
from streampool_sim.files import check_folder, check_writable
from streampool_sim.progress import Progress
from streampool_sim.refusals import Refused

from . import layers as sources
from .model import OutOfRange
from .placed import placed
from .report import document, said
from .rows import Row
from .search import Goal, Search
from .space import Layer, Point

EXAMPLES = """\
examples:
  streampool explore --net yolov3_tiny --device ecp5-25k-6 --fps 30
  streampool explore --net lenet5 --device ice40-hx8k --html front.html
  streampool explore --model net.onnx --device ecp5-25k-6 --fps 60 --luts 4000 --no-place
  streampool explore --op avg --kernel 2 --shape 16x28x28 --device ecp5-25k-6 --freq 100

Each layer has a core of its own; all run at one clock, the lowest of theirs or --freq. What is
placed is kept in --store, and not placed again. docs/explore.md shows several machines at work.
Needs the extra streampool[explore]. Exit: 0 found, 1 nothing does it, 2 refused.
"""

NETS = tuple(dict.fromkeys(layer.net for layer in networks()))


@verb(
    "explore",
    EXAMPLES,
    *under(
        "the layers",
        option("--net", NETS, "NET", "a known network, one of {}"),
        option("--model", str, "FILE", "a model's file, as `streampool model` reads it"),
        option("--input-shape", shapes, "NxCxHxW", "of the model's input", default=()),
        option("--spec", Path, "FILE", "a JSON file of objects with a spec and a shape"),
        common.shape_option(required=False),
    ),
    *common.spec_options(),
    *under(
        "what is looked for",
        option("--device", DEVICES, "DEVICE", "one of {}", required=True),
        option(
            "--fps",
            values.number(float, "a positive number such as 30", 1e-9, 1e12),
            "N",
            "frames per second that the smallest design has to hold (the fastest that fits)",
        ),
        option("--luts", values.positive, "N", "LUTs that it may take (those of the device)"),
        common.freq_option("clock that it runs at (the lowest of its cores)", None),
    ),
    *under(
        "how it is done",
        option("--no-place", help="place nothing, and say what the cost model predicts"),
        option(
            "--placements",
            values.natural,
            "N",
            "at most, to be sure of the front (a tenth of the cores)",
        ),
        option("--seeds", values.positive, "N", "placements of the choice", default=1),
        option("--json", Path, "FILE", "write it all there"),
        option("--html", Path, "FILE", "write a page with a plot of the front"),
    ),
    *common.farm_options(),
)
def command(options: Options) -> int:
    """Search, place what is chosen, and print it."""
    found = _layers(options)
    for path in filter(None, (options.json, options.html)):
        check_writable(path)
    common.check_workers(options)
    goal = Goal(options.device, options.fps, options.luts, options.freq)
    try:
        search = Search(found, goal)
    except OutOfRange as error:
        raise Refused(str(error)) from None
    predicted: list[Point] = []
    if not options.no_place:
        check_folder("--store", options.store or common.STORE)
        predicted = _placed(options, search)
    design = search.choice()
    points = predicted or (search.points(design) if design else [])
    text = said(search, design, points)
    files, content = {}, document(search, design, points)
    if options.json is not None:
        files[options.json] = json.dumps(content, indent=1) + "\n"
    if options.html is not None:
        from .page import page

        files[options.html] = page(content, text)
    write_whole(files)
    print(text)
    return int(design is None)


def _layers(options: Options) -> list[Layer]:
    """Return the layers that are asked for, in one of the ways that there are."""
    ways = [
        name for name in ("net", "model", "spec", "shape") if getattr(options, name) is not None
    ]
    if len(ways) != 1:
        more = f"--{ways[0]} has no meaning with --{ways[1]}; use one" if ways else "use one"
        raise Refused(f"{more} of --net, --model, --spec and --shape")
    if ways != ["shape"] and (extra := common.given(options)):
        raise Refused(f"{next(iter(extra))} has no meaning with --{ways[0]}; leave it out")
    if options.input_shape and ways != ["model"]:
        raise Refused("--input-shape has no meaning without --model; leave it out")
    if options.net is not None:
        return sources.of_network(options.net)
    if options.model is not None:
        return sources.of_model(options.model, options.input_shape)
    if options.spec is not None:
        return sources.of_file(options.spec)
    return sources.one(common.spec_of(options, options.shape), options.shape)


def _placed(options: Options, search: Search) -> list[Point]:
    """Place what may change the front, then the choice, until it stays; return it as predicted."""
    most = options.placements
    if most is None:
        most = max(len(search.spaces), search.size // 10)
    before: dict[PoolJob, Point] = {}
    done = 0
    try:
        with (
            Farm(options.store or common.STORE, options.scheduler, options.workers) as farm,
            Progress("placing where the model is least sure", "placed") as progress,
        ):

            def place(
                jobs: Sequence[PoolJob], *, seeds: int = 1
            ) -> Iterator[tuple[PoolJob, Row | str]]:
                nonlocal done
                for job in jobs:
                    before.setdefault(job, search.foreseen(job))
                for each in placed(farm, options.device, jobs, seeds=seeds):
                    done += 1
                    progress(done, max(most + len(search.spaces), done))
                    yield each

            confirmed: set[PoolJob] = set()
            for job in search.explore(place, most, lambda: farm.workers):
                if options.seeds == 1:
                    confirmed.add(job)
            while design := search.choice():
                jobs = [point.job for point in search.points(design)]
                todo = [job for job in dict.fromkeys(jobs) if job not in confirmed]
                if not todo:
                    return [before[job] for job in jobs]
                for job, found in place(todo, seeds=options.seeds):
                    search.learn(job, found)
                    confirmed.add(job)
    except TaskFailed as error:
        raise ToolError(str(error)) from None
    except KeyboardInterrupt:
        print("streampool: what was placed is kept; the same command goes on", file=sys.stderr)
        raise
    return []
