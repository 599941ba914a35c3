"""How the command starts: its verbs, what it imports, and what a shell completes."""

import os
import subprocess
import sys
from importlib import metadata

import pytest
from commands import Command
from streampool_sim.cli import registry
from streampool_sim.cli.app import COMPLETE, streampool

LIBRARIES = ("amaranth", "numpy", "rich", "PIL", "streampool_bench.command", "streampool_sim.sweep")


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["frob"]])
def test_no_library_is_imported_before_a_verb_is_known(words: list[str]):
    script = f"""
import sys
from streampool_sim.cli import main
try:
    main({words!r})
except SystemExit:
    pass
print(*[name for name in {LIBRARIES!r} if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stderr.splitlines()[-1] == ""


def test_every_verb_is_listed_and_has_help(command: Command, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as end:
        command("--help")
    assert end.value.code == 0
    listed = capsys.readouterr().out
    assert set(registry.verbs()) >= {"run", "sweep", "networks", "boards", "fpga", "bench"}
    for name, each in registry.verbs().items():
        assert f"  {name} " in listed
        with pytest.raises(SystemExit) as end:
            command(name, "--help")
        assert end.value.code == 0
        said = capsys.readouterr().out
        assert said.startswith(f"Usage: streampool {name} ")
        assert f"examples:\n  streampool {name}" in said
        assert each.about


def test_a_verb_comes_from_another_package_by_an_entry_point(monkeypatch, command, folder, capsys):
    (folder / "other.py").write_text(
        "from streampool_sim.cli.command import verb\n"
        "from streampool_sim.cli.registry import Verb\n"
        "GREET = Verb('say hello', 'other')\n"
        "command = verb('greet', '')(lambda _: print('hello') or 7)\n"
    )
    points = [
        metadata.EntryPoint("greet", "other:GREET", registry.GROUP),
        metadata.EntryPoint("run", "other:GREET", registry.GROUP),  # ours stays ours
        metadata.EntryPoint("broken", "nowhere:NOTHING", registry.GROUP),
    ]
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr(metadata, "entry_points", lambda group: points)
    registry.verbs.cache_clear()
    try:
        assert registry.verbs()["run"].module == "streampool_sim.cli.run"
        assert command("greet") == (7, "hello\n", "")
        assert "broken" not in registry.verbs()
        assert "did you mean greet" in command("greed").err
        # without metadata there are our own verbs alone
        monkeypatch.setattr(metadata, "entry_points", lambda group: [])
        registry.verbs.cache_clear()
        assert "run" in registry.verbs() and "bench" not in registry.verbs()
    finally:
        registry.verbs.cache_clear()


def test_a_broken_verb_of_another_package_is_refused(monkeypatch, refused, folder, capsys):
    (folder / "odd.py").write_text(
        "from streampool_sim.cli.registry import Verb\n"
        "HALF = Verb('say half', 'odd_half')\nNONE = None\n"
    )
    (folder / "odd_half.py").write_text("import nowhere\n")
    (folder / "odd_bad.py").write_text("1 / 0\n")
    points = metadata.EntryPoints(
        metadata.EntryPoint(name, value, registry.GROUP)
        for name, value in {
            "gone": "nowhere.verbs:GONE",
            "bad": "odd_bad:BAD",
            "none": "odd:NONE",
            "half": "odd:HALF",
        }.items()
    )
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr(metadata, "entry_points", lambda **wanted: points.select(**wanted))
    registry.verbs.cache_clear()
    try:
        for name, package, why in (
            ("gone", "nowhere", "No module named 'nowhere'"),
            ("bad", "odd_bad", "division by zero"),
            ("none", "odd", "odd:NONE is no Verb"),
            ("half", "odd", "No module named 'nowhere'"),
        ):
            for words in ((name,), (name, "--help")):
                said = refused(*words).err
                assert f"verb {name} of the package {package} cannot be loaded: {why};" in said
        with pytest.raises(SystemExit) as end:
            refused("--help")
        assert end.value.code == 0
        listed = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line}
        assert all("cannot be loaded" in listed[name] for name in ("gone", "bad", "none"))
        assert "say half" in listed["half"] and "cannot be loaded" not in listed["run"]
    finally:
        registry.verbs.cache_clear()


def test_help_is_no_verb_and_nothing_is_no_input(refused: Command):
    assert "verb 'help' is not known, did you mean --help" in refused("help").err
    assert "INPUT is empty; use a picture or a .npy" in refused("run", "").err


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("ver", ["verilog"]),
        ("explain --ker", ["--kernel"]),
        ("explain --op a", ["avg"]),
        ("explain --rounding half-e", ["half-even"]),
        ("verilog --family ec", ["ecp5"]),
        ("synth --device gowin-gw5", ["gowin-gw5a25"]),
        ("completion z", ["zsh"]),
    ],
)
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes(typed: str, offered: list[str], shell: str):
    words = ["streampool", *typed.split()]
    asked = {COMPLETE: f"{shell}_complete", "COMP_WORDS": " ".join(words)}
    asked["COMP_CWORD"] = words[-1] if shell == "fish" else str(len(words) - 1)
    done = subprocess.run(
        [sys.executable, "-m", "streampool_sim"],
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        check=True,
    )
    found = [
        word for line in done.stdout.splitlines() for word in line.replace("\t", ",").split(",")
    ]
    assert set(offered) <= set(found)
    assert "sum" not in found and done.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_what_makes_a_shell_complete(shell: str, command: Command):
    done = command("completion", shell)
    assert done.status == 0
    assert f"{COMPLETE}={shell}_complete" in done.out


def test_a_shell_that_is_not_known(refused: Command):
    assert (
        "SHELL 'tcsh' is not known; use one of bash, zsh, fish" in refused("completion", "tcsh").err
    )
    assert "use one of bash, zsh, fish" in refused("completion").err


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("--vers", "option --vers is not known, did you mean --version"),
        ("--hel", "option --hel is not known, did you mean --help"),
        ("rnu", "verb 'rnu' is not known, did you mean run"),
        ("frob", "verb 'frob' is not known; use one of run, verilog"),
        ("", "a verb is missing; use one of run, verilog"),
        ("--", "a verb is missing"),
    ],
)
def test_what_is_nearly_right_is_named(typed: str, says: str, refused: Command):
    assert says in refused(*typed.split()).err


def test_the_command_is_named():
    assert streampool.name == "streampool"
