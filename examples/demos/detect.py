"""Faces and characters found in photographs, with all pooling of the detectors in cores.

``make demo-detect`` runs it. MTCNN looks for faces: three nets, the first of which sees the picture
at ten sizes, with six maxima in ceil mode. ddddocr's detector looks for characters: it pools with
windows of 5, 9 and 13. Exit: 0 if every output of the nets has the same bits as without cores, and
every box is the same, 1 if one is not.
"""

import importlib
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from ending import all_in_cores, check_there, folder, packaged, say, write
from pictures import boxed
from PIL import Image
from streampool_models import read_model
from streampool_models.listing import ran
from streampool_models.running import ModelRun, run_model

SHOWN = 300
"""Rows of the portrait that are shown."""


class Session:
    """A session of onnxruntime, as ddddocr takes it, whose pooling goes through cores.

    Attributes
    ----------
    runs : list of ModelRun
        What came of each run.
    good : bool
        Whether every layer went through a core that was right, at its limit of cycles.
    """

    def __init__(self, path: Path, own: Any) -> None:
        self._model, self._own = read_model(str(path)), own
        self.runs: list[ModelRun] = []
        self.good = True

    def get_inputs(self) -> Any:
        """Return what the model takes."""
        return self._own.get_inputs()

    def run(self, _: Any, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        """Return the model's outputs."""
        run = run_model(self._model, list(inputs.values()))
        self.good = self.good and all_in_cores(self._model, run)
        self.runs.append(run)
        return [output.through.copy() for output in run.outputs]  # ddddocr works on it in place


def joined(runs: Sequence[ModelRun]) -> ModelRun:
    """Return several runs as one."""
    return ModelRun(
        [layer for run in runs for layer in run.layers],
        [output for run in runs for output in run.outputs],
        {name: sum(run.seconds[name] for run in runs) for name in runs[0].seconds},
    )


def main() -> int:
    """Run the demonstration."""
    packages = ("torch", "onnx", "onnxruntime", "facenet_pytorch", "requests", "tqdm", "ddddocr")
    check_there("demo-detect", *packages, "cv2", "skimage")
    from detect_faces import InCores, Mtcnn

    out = folder("detect")
    portrait = np.array(Image.open(packaged("skimage", "data/astronaut.png")).convert("RGB"))
    say("looking for faces")
    mtcnn = Mtcnn()
    alone = mtcnn.faces(portrait)
    nets = [InCores(net) for net in mtcnn.nets]
    say("and again with every pooling layer in a core, each of which is compiled, in minutes")
    faces = mtcnn.faces(portrait, nets)
    say("looking for characters, alone and with every pooling layer in a core")
    page = packaged("skimage", "data/page.png")
    reader = importlib.import_module("ddddocr").DdddOcr(det=True, show_ad=False)
    before = reader.detection(page.read_bytes())
    engine = reader.detection_engine
    engine.session = Session(packaged("ddddocr", "common_det.onnx"), engine.session)
    after = reader.detection(page.read_bytes())

    in_cores = (*nets, engine.session)
    run = joined([run for each in in_cores for run in each.runs])
    differing = sum(output.differing for output in run.outputs)
    boxes, points = faces
    changed = not all(map(np.array_equal, alone, faces)), before != after
    print(ran(replace(run, outputs=[])))
    print(
        f"{differing} of {sum(output.through.size for output in run.outputs):,} outputs differ\n"
        f"{len(boxes)} face{'s' * (len(boxes) != 1)}, {'CHANGED' if changed[0] else 'the same'};"
        f" {len(after)} characters, {'CHANGED' if changed[1] else 'the same'}"
    )
    picture = out / "boxes.png"
    text = np.array(Image.open(page).convert("RGB"))
    boxed(
        picture,
        ["without cores", "all pooling in cores"],
        [
            [(portrait[:SHOWN], box[:, :4], at.reshape(-1, 2)) for box, at in (alone, faces)],
            [(text, found, ()) for found in (before, after)],
        ],
    )
    write(out / "result.json", run, faces=boxes.tolist(), points=points.tolist(), characters=after)
    print(picture)
    good = all(each.good for each in in_cores) and not differing and len(boxes) and after
    return 0 if good and not any(changed) else 1


if __name__ == "__main__":
    sys.exit(main())
