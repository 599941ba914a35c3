"""The packages' public names: all there, imported late, and hidden by no module."""

import subprocess
import sys
from importlib import import_module
from pkgutil import iter_modules

import pytest

PACKAGES = ("streampool_golden", "streampool_hw", "streampool_models", "streampool_sim")


@pytest.mark.parametrize("package", PACKAGES)
def test_every_name_is_there_and_none_is_a_module(package: str):
    module = import_module(package)
    names = set(module.__all__)
    modules = {each.name for each in iter_modules(module.__path__)}
    assert names <= set(dir(module))
    assert all(getattr(module, name) is not None for name in names)
    assert not names & modules
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = module.nothing


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_alone_imports_no_library(package: str):
    script = f"import sys, {package}; print('numpy' in sys.modules, 'amaranth' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False False\n"


def test_a_module_that_is_imported_first_hides_no_name():
    script = "import streampool_golden.unpooling as m, streampool_golden as g; print(g.unpool)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert "function unpool" in done.stdout


def test_a_star_gives_the_names_of_all_packages_and_nothing_else():
    names: dict[str, object] = {}
    exec("from streampool import *", names)
    names.pop("__builtins__")
    assert set(names) == {name for each in PACKAGES for name in import_module(each).__all__}
    assert names["PoolSpec"] is import_module("streampool_golden").PoolSpec
    facade = import_module("streampool")
    assert {name for name in vars(facade) if not name.startswith("_")} <= set(names)
