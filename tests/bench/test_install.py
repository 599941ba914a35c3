"""What is measured against is installed one by one, and what cannot be had is named."""

from streampool_bench import install


def test_the_extras_are_asked_for_one_by_one(capsys):
    asked = []

    def pip(requirement: str) -> str | None:
        asked.append(requirement)
        if requirement.startswith("opencv") or requirement.endswith("+cpu"):
            return "No matching distribution found"
        return None

    assert install.main(pip) == 0
    names = [text.split("=")[0].split(">")[0] for text in asked]
    assert {"onnx", "onnxruntime", "torch", "ai-edge-litert", "matplotlib"} < set(names)
    assert [text for text in asked if text.startswith("torch")] == [
        "torch==2.13.0+cpu",
        "torch==2.13.0",
    ]
    said = capsys.readouterr().err
    assert "opencv-python-headless>=4.8 cannot be installed here and is left out: No match" in said
    assert "torch==2.13.0 cannot" not in said
