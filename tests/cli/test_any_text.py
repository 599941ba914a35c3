"""Any text on the command line and in JSON is refused in one sentence or followed: no traceback."""

import contextlib
import io
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streampool_golden import PoolSpec, SpecError
from streampool_sim import cli
from streampool_sim.cli.registry import command_of, verbs
from streampool_sim.refusals import Refused

NUMBERS = st.integers(-3, 12).map(str)
WORDS = st.one_of(
    NUMBERS,
    st.lists(NUMBERS, min_size=1, max_size=4).map("x".join),
    st.text(max_size=6),
    st.sampled_from(["max", "avg", "same", "0:1x0:1", "1/3", "0:6", "int4", "global", "plane"]),
    st.sampled_from(
        ["-", "--", "=", "map.npy", ".", "", "nan", "-inf", "1e9", "\0", "\udc80", "½"]
    ),
)


@contextlib.contextmanager
def refusing() -> Iterator[list[str]]:
    """Put what a refusal says into the list that is yielded; other errors go on."""
    said = []
    try:
        yield said
    except (Refused, SpecError) as refused:
        said.append(str(refused))


@st.composite
def typed(draw: st.DrawFn, verb: str) -> list[str]:
    """Draw what might be typed after a verb: its options, half of them with values, and words."""
    params = [each for each in command_of(verb).params if isinstance(each, click.Option)]
    flags = ["--help", *(flag for each in params for flag in (*each.opts, *each.secondary_opts))]
    one = st.one_of(
        WORDS.map(lambda word: [word]),
        st.sampled_from(flags).map(lambda flag: [flag]),
        st.tuples(st.sampled_from(flags), WORDS).map(list),
        st.tuples(st.sampled_from(flags), WORDS).map(lambda both: ["=".join(both)]),
    )
    return [word for words in draw(st.lists(one, max_size=5)) for word in words]


@pytest.mark.parametrize("verb", verbs())
@given(data=st.data())
@settings(max_examples=40)
def test_options_take_any_text_or_refuse_it(verb: str, data: st.DataObject):
    words = data.draw(typed(verb))
    help_shown = contextlib.suppress(click.exceptions.Exit)
    with refusing() as said, help_shown, contextlib.redirect_stdout(io.StringIO()):
        command_of(verb).make_context(verb, words)
    assert "\n" not in "".join(said)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield a current folder with an array in it."""
    folder = tmp_path_factory.mktemp("work")
    np.save(folder / "map.npy", np.arange(12, dtype=np.int8).reshape(3, 4))
    with contextlib.chdir(folder):
        yield folder


@given(words=typed("explain"))
@settings(max_examples=60)
@pytest.mark.usefixtures("work")
def test_explain_ends_well_whatever_is_typed(words: list[str]):
    ends_well("explain", *words)


@given(words=typed("run"))
@settings(max_examples=60)
def test_run_ends_well_whatever_is_typed(work: Path, words: list[str]):
    def simulate(*_: object, **__: object) -> None:
        raise Refused("nothing is simulated here")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("streampool_sim.cli.run.simulate", simulate)
        ends_well("run", "map.npy", *words)
    assert [path.name for path in work.iterdir()] == ["map.npy"]


def ends_well(*words: str) -> None:
    """Run a command line, which is refused in one sentence or says nothing but warnings."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = cli.main(words)
        except SystemExit as help_shown:
            status = help_shown.code
    said = err.getvalue()
    assert all(line.startswith("streampool: ") for line in said.splitlines()), said
    if status == 2:
        assert said.endswith(".\n") and not out.getvalue()
    else:
        assert status == 0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=8,
)
FIELDS = PoolSpec("avg", 2).to_json()


@st.composite
def descriptions(draw: st.DrawFn) -> Any:
    """Draw JSON of a specification, of which some fields are anything; or any JSON."""
    if draw(st.integers(0, 4)) == 0:
        return draw(JSON)
    changed = draw(st.dictionaries(st.sampled_from([*FIELDS, "kernal", ""]), JSON, max_size=3))
    missing = draw(st.sets(st.sampled_from([*FIELDS]), max_size=2))
    return {name: each for name, each in (FIELDS | changed).items() if name not in missing}


@given(data=descriptions(), as_text=st.booleans())
def test_json_is_a_specification_or_refused(data: Any, as_text: bool):
    spec = None
    with refusing() as said, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spec = PoolSpec.from_json(json.dumps(data) if as_text else data)
    if spec is None:
        assert said[0].endswith(".") and "\n" not in said[0]
    else:
        assert PoolSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


@given(text=st.text(max_size=30))
def test_text_that_is_no_json_is_refused(text: str):
    with pytest.raises(SpecError) as refused:
        PoolSpec.from_json(text)
    assert "\n" not in str(refused.value)
