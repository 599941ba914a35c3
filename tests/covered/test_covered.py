"""The quick share of what `run` does: the Verilog of one small core, and the bins' names."""

import packaged_verilator
import pytest
from mutants.cores import CORES
from streampool_golden import PoolJob, PoolSpec
from streampool_golden.fields import ROUNDINGS
from streampool_hw import PoolCore

from covered import bins, seen, unreachable, verilated
from covered.listed import LISTED
from covered.verilated import KINDS, Point

# of cores that are only looked at
pytestmark = pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")

NAME = "two lengths"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> verilated.Bench:
    if packaged_verilator.PACKAGED not in packaged_verilator.found():
        pytest.skip("the packaged Verilator is not here")
    folder = tmp_path_factory.mktemp("covered")
    return verilated.Bench(CORES[NAME], folder, folder / "runtime")


def test_frames_reach_all_of_a_core_that_can_be_reached(bench: verilated.Bench):
    points = bench.reached(24)
    assert {point.kind for point in points} == set(KINDS)
    left = [point for point in points if not point.times]
    never = set(unreachable.proved(left, bench.folder))
    assert never
    for point in left:
        assert point in never or any(each.holds(NAME, point) for each in LISTED), str(point)
    # what frames reach again and again, a proof must not call out of reach
    often = [point for point in points if point.times > 8]
    assert unreachable.proved(often[:: len(often) // 50], bench.folder) == []


def test_wrong_values_count_for_nothing(bench: verilated.Bench, monkeypatch: pytest.MonkeyPatch):
    other = PoolJob(PoolSpec("sum", adaptive=29, ndim=1, dtype="int3", clamp=(-3, 3)), (1, 97), 1)
    monkeypatch.setattr(bench, "job", other)
    with pytest.raises(verilated.Failure, match="and not"):
        bench.reached(2)


def test_the_kinds_of_points_are_told_apart():
    verilog = "module core;\n  wire \\$3 ;\n  assign b = a & \\$3 ;\n  if (more) begin\n"
    keys = "l\x02{}\x01page\x02v_{}/m\x01o\x02{}\x01h\x02TOP.core.core.part"
    record = f"C '\x01f\x02core.v\x01{keys}' {{}}"
    records = [(2, "toggle", "__0243:0->1", 4), (3, "expr", "(a==1 && $3==0) => 0", 0)]
    records.append((4, "branch", "else", 7))
    text = "\n".join(["# SystemC::Coverage-3", *(record.format(*each) for each in records)])
    points = verilated.points(text, verilog)
    assert points[0] == Point("toggle", "core.part", "__0243:0->1", "wire \\$3 ;", 4)
    bits = [unreachable.needs(point, verilog, {}) for point in points]
    path = "core.part"
    assert bits == [
        [(f"{path}.$3", 0, 1, True)],
        [(f"{path}.a", 0, 1, False), (f"{path}.$3", 0, 0, False)],
        [(f"{path}.more", 0, 0, False)],
    ]


def test_every_bin_has_a_name_of_its_own():
    groups = bins.every(PoolCore(job) for job in seen.jobs().values() if isinstance(job, PoolJob))
    names = [name for group in groups.values() for name in group]
    assert len(set(names)) == len(names)
    for rounding in ROUNDINGS:
        assert sum(name.startswith(f"{rounding}: ") for name in groups["ties"]) == 4 + 2 * 3


@pytest.mark.parametrize("name", ["core: max k2 s2", "core: grows"])
def test_a_small_core_hits_every_bin_of_its_stages(name: str):
    job = seen.jobs()[name]
    due = {
        each for _, stage in bins.stages(PoolCore(job)) for each in bins.of_form(bins.form(stage))
    }
    assert seen.hit(name, job, due) >= due


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_quotients_come_to_every_tie(rounding: str):
    due = {each for each in bins.ties() if each.startswith(f"{rounding}: ") and "root" not in each}
    name = f"{seen.TIES}avg, {rounding}"
    assert seen.hit(name, seen.jobs()[name], due) >= due
