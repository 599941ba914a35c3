"""A command that does stand-in tasks on a store, and says the front of what they give."""

import sys
from pathlib import Path

from streampool_farm.cluster import Lost
from streampool_farm.farm import Farm
from streampool_farm.task import Task

TASKS = 66


def tasks(folder: Path, seconds: float) -> list[Task]:
    """Return tasks, each with cells and a speed that its number decides."""
    found = []
    for k in range(TASKS):
        cells, speed = 10 + k * 37 % 101, 5 + k * 53 % 89
        stored = folder / "store" / "results" / f"key-{k}.json"
        payload = {
            **{"log": str(folder / "log"), "name": f"t{k}", "seconds": seconds},
            **{"cells": cells, "speed": speed, "stored": str(stored)},
        }
        found.append(Task("stand_in:run", payload, f"key-{k}"))
    return found


def main(folder: Path, seconds: float, scheduler: str | None) -> None:
    """Do what is not done, and print who is beaten by nobody."""
    with Farm(folder / "store", scheduler, 2) as farm:
        found = [result for _, result in farm.run(tasks(folder, seconds))]
    front = sorted(
        (each["cells"], each["speed"], each["name"])
        for each in found
        if not any(
            (other["cells"], -other["speed"]) < (each["cells"], -each["speed"])
            and other["speed"] >= each["speed"]
            for other in found
        )
    )
    print(len(found), front, flush=True)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), float(sys.argv[2]), *(sys.argv[3:] or [None]))
    except Lost as error:
        sys.exit(f"{error}")
