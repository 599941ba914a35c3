"""Read and run the models of the table in docs/models.md: ``make models``.

Each module of `FORMATS` yields rows of its own; in docs/models.json those of formats that are not
asked for stay as they are.
"""

import argparse
import json
import sys
from importlib import import_module
from pathlib import Path

RECORD = Path(__file__).parents[2] / "docs" / "models.json"
FORMATS = {"ONNX": "with_onnx", "PyTorch": "with_torchvision", "TFLite": "with_tflite"}
"""Per format the module that has its `rows`."""


def main() -> int:
    """Write the record, row by row, so that what is done stays where it is stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("formats", nargs="*", help=f"of {', '.join(FORMATS)}; all by default")
    known = {each.lower(): each for each in FORMATS}
    chosen = [known.get(each.lower(), each) for each in parser.parse_args().formats]
    good = True
    for name in chosen or FORMATS:
        if name not in FORMATS:
            parser.error(f"{name} is no format; use one of {', '.join(FORMATS)}")
        for row in import_module(f"zoo.{FORMATS[name]}").rows():
            good &= row["golden"] == row["simulated"]
            _put(row)
    return int(not good)


def _put(row: dict) -> None:
    """Put a row into the record, in place of the same model's."""
    rows = json.loads(RECORD.read_text("utf-8")) if RECORD.is_file() else []
    names = ("format", "source", "model")
    old = [k for k, each in enumerate(rows) if all(each[name] == row[name] for name in names)]
    place = old[0] if old else len(rows)
    rows[place : place + 1] = [row]
    RECORD.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
