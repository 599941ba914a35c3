"""The schedules of several columns a beat, carried out in plain Python against each window's taps.

A value is the set of the columns that it is reduced of, so whatever is masked, doubled or rubbish
shows. ``--long`` goes through tens of thousands of axes.
"""

import random
from math import gcd

import pytest
from streampool_golden import Axis, ColumnAxis, SpecError
from streampool_golden.columns import windows_out
from streampool_hw.schedule.columns import ApartPlan, UniformPlan, _Cut, column_plan
from streampool_hw.schedule.graph import Graph, share

ROWS = 3
JUNK = frozenset(["junk"])


def random_axis(rng: random.Random, longest: int = 40) -> Axis:
    """Draw an axis of any kind: half of those with pads of their own reach or crop oddly."""
    while True:
        length, kernel = rng.randint(1, longest), rng.randint(1, rng.choice([3, 7, 13]))
        stride, dilation = rng.randint(1, rng.choice([2, 5, 9])), rng.choice([1, 1, 1, 2, 3])
        span = (kernel - 1) * dilation + 1
        pad = rng.randint(0, kernel // 2)
        padding = rng.choice(
            [
                *((0, 0), (pad, pad), "same", "same_lower"),
                (rng.randint(0, span - 1), rng.randint(0, span - 1)),
                (rng.randint(-5, span - 1), rng.randint(-5, span - 1)),
            ]
        )
        try:
            return Axis.resolve(length, kernel, stride, padding, dilation, rng.random() < 0.4)
        except SpecError:
            continue


def random_columns(rng: random.Random, longest: int = 40) -> ColumnAxis:
    axis, columns = random_axis(rng, longest), rng.randint(1, 16)
    fewest = columns // gcd(columns, axis.stride)
    wanted = rng.choice([None, None, fewest, fewest * rng.randint(1, 3), axis.outputs])
    return ColumnAxis(axis, columns, windows_out(axis, columns, wanted))


class Session:
    """Rows through a plan, step by step, as the gates take them; `m` positions are interleaved."""

    def __init__(self, plan, m: int, rng: random.Random, share_of_gaps: float):
        self.plan, self.axis, self.m, self.rng = plan, plan.axis, m, rng
        self.gaps = share_of_gaps
        self.out: list[list[frozenset]] = []
        self.steps = self.left = 0

    def beat(self, row: int, slot: int, position: int) -> list[frozenset]:
        """Return the columns of a beat: those that the row does not have are rubbish."""
        columns = range(slot * self.axis.columns, (slot + 1) * self.axis.columns)
        length = self.axis.axis.length
        return [frozenset([(row, x, position)]) if x < length else JUNK for x in columns]

    def run(self, drain: int, overlap: int) -> None:
        """Stream rows with random gaps in front of them, and let the last drain."""
        m = self.m
        for row in range(ROWS):
            least = max(0, self.left - overlap * m)
            late = self.rng.randint(least, self.left) if self.rng.random() < self.gaps else least
            for _ in range(late):
                self.step(None, None)
            for slot in range(self.axis.row_beats):
                for position in range(m):
                    self.step(slot, self.beat(row, slot, position))
            self.left = drain * m
        self.taken = self.steps
        while self.left:
            self.step(None, None)

    def step(self, slot: int | None, beat: list[frozenset] | None) -> None:
        raise NotImplementedError


class UniformSession(Session):
    """A history of beats, and masks as the programs have them."""

    def __init__(self, plan: UniformPlan, *how):
        super().__init__(plan, *how)
        self.words = list(plan.program)
        self.drains = list(plan.drain_program) if plan.drain else []
        self.history = [[JUNK] * self.axis.columns for _ in range(100 * self.m)]

    def step(self, slot, beat) -> None:
        plan, m = self.plan, self.m
        self.steps += 1
        word = self.words[slot] if slot is not None else 0
        ages = len(plan.masked_ages)
        columns = list(beat) if beat else [JUNK] * self.axis.columns
        for bit, column in enumerate(plan.masked_columns, 1 + ages):
            if slot is not None and word >> bit & 1:
                columns[column] = frozenset()
        self.history.insert(0, columns)
        if self.left:
            assert slot is None or not word & 1, "two groups leave at once"
            word = self.drains[(plan.drain * m - self.left) // m]
            self.left -= 1
        if word & 1:
            masked = {age for bit, age in enumerate(plan.masked_ages, 1) if word >> bit & 1}
            self.out.append([self.window(run, masked) for run in plan.runs])

    def window(self, run, masked) -> frozenset:
        found: set = set()
        first, length = run
        for place in range(length):
            age, column = divmod(first + place * self.axis.axis.dilation, self.axis.columns)
            assert not age or (-age, column) in self.plan.kept
            if -age not in masked:
                found |= self.history[-age * self.m][column]
        return frozenset(found)


class ApartSession(Session):
    """Beats reduced by masks, and the queue of partials that `AxisPlan` describes."""

    def __init__(self, plan: ApartPlan, *how):
        super().__init__(plan, *how)
        inner = plan.inner
        self.masks, self.words = list(plan.program), list(inner.program)
        junk = [[JUNK] * self.axis.windows for _ in range(inner.partials)]
        self.store = [list(junk) for _ in range(self.m)]
        self.address = 0

    def step(self, slot, beat) -> None:
        plan, width = self.plan, self.plan.inner.partials + 1
        self.steps += 1
        load, add, shift, own = 0, 0, 1, 0
        x = [frozenset()] * self.axis.windows
        if slot is not None and beat is not None:
            bits = iter(self.masks[slot] >> k & 1 for k in range(sum(map(len, plan.used))))
            word = self.words[slot]
            x = [
                frozenset().union(*(beat[u] for u in used if not next(bits))) for used in plan.used
            ]
            x += [JUNK] * (self.axis.windows - len(x))
            load, add = word % 2**width, word >> width & (2**width - 1)
            shift, own = word >> 2 * width & 1, word >> 2 * width + 1 & 1
        queue = [*self.store[self.address], [frozenset()] * self.axis.windows]
        merged = [
            [
                (frozenset() if load >> j & 1 else old) | (new if add >> j & 1 else frozenset())
                for old, new in zip(queue[j], x, strict=True)
            ]
            for j in range(width)
        ]
        if own or self.left:
            self.out.append(merged[0])
        self.left -= self.left > 0
        self.store[self.address] = merged[1:] if shift else merged[:-1]
        self.address = (self.address + 1) % self.m


def check(plan: UniformPlan | ApartPlan, m: int, rng: random.Random, gaps: float) -> None:
    """Compare what leaves with each window's taps; without gaps the steps with the period, too."""
    axis = plan.axis
    if isinstance(plan, UniformPlan):
        session: Session = UniformSession(plan, m, rng, gaps)
        session.run(plan.drain, plan.overlap)
        period = plan.period
    else:
        session = ApartSession(plan, m, rng, gaps)
        session.run(plan.inner.drain, plan.inner.overlap)
        period = plan.inner.period
    expected = [
        [
            frozenset((row, x, position) for x in axis.axis.taps(i))
            for i in range(first, min(first + axis.windows, axis.axis.outputs))
        ]
        for row in range(ROWS)
        for first in range(0, axis.axis.outputs, axis.windows)
        for position in range(m)
    ]
    out = [group[: len(wanted)] for group, wanted in zip(session.out, expected, strict=True)]
    assert out == expected
    if not gaps:
        assert session.taken == ((ROWS - 1) * period + axis.beats) * m
    assert period == max(axis.beats, axis.groups) + plan.idle
    assert plan.idle <= axis.idle_bound
    assert plan.partials <= plan.limit_partials


def check_limits(plan: UniformPlan) -> None:
    """Compare with the closed forms; the words exactly, where there is an interior."""
    axis, one = plan.axis, plan.axis.axis
    assert plan.partials <= axis.limit_partials
    if axis.groups > 1:
        assert axis.limit_partials == axis.columns * axis.stride - one.stride + one.span - 1
    assert plan.idle == axis.idle_bound
    if axis.stride == 1 or one.outputs <= -(-one.length // one.stride):
        assert plan.idle == 0
    inside = one.length >= 4 * (one.span + axis.columns * axis.stride) and axis.groups > 2
    if one.dilation == 1 and one.kernel >= one.stride and one.before >= 0 and inside:
        assert plan.partials == plan.distance * axis.columns + one.before
    # a drain is over before the next row's own first group leaves
    assert plan.overlap <= plan.leave[0] < axis.beats


def go_through(count: int, seed: int) -> None:
    rng = random.Random(seed)
    apart = 0
    for _ in range(count):
        axis = random_columns(rng)
        m, gaps = rng.choice([1, 1, 2, 3]), rng.choice([0.0, 0.5])
        uniform = UniformPlan(axis)
        check(uniform, m, rng, gaps)
        check_limits(uniform)
        if ApartPlan.serves(axis):
            apart += 1
            plan = ApartPlan(axis)
            if plan.idle <= axis.idle_bound:
                check(plan, m, rng, gaps)
        chosen = column_plan(axis, idempotent=rng.random() < 0.5)
        assert chosen.idle <= axis.idle_bound
    assert apart > count // 10


def test_every_tap_once_and_in_order():
    go_through(1500, 1)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 120))
def test_every_tap_once_and_in_order_of_many_axes(seed):
    go_through(2500, seed)


def test_a_long_axis_has_the_words_of_each_slot():
    rng = random.Random(3)
    cut = 0
    for _ in range(60):
        axis = random_columns(rng, 600)
        cut += _Cut.of(axis).groups > 0
        forms = [UniformPlan, *([ApartPlan] if ApartPlan.serves(axis) else [])]
        for form in forms:
            plan = form(axis)
            if plan.idle <= axis.idle_bound:
                check(plan, 1, rng, 0.0)
    assert cut > 10


@pytest.mark.parametrize("columns", [2, 5, 8])
@pytest.mark.parametrize("rows", [2, 3])
def test_a_global_kernel_takes_every_row(columns, rows):
    axis = ColumnAxis(Axis.resolve(7, 7, 7, "valid"), columns, 1, rows)
    plan = column_plan(axis, idempotent=True)
    assert isinstance(plan, ApartPlan)
    assert plan.inner.axis.length == axis.beats == rows * -(-7 // columns)
    assert (plan.partials, plan.limit_partials, plan.idle, plan.waits) == (1, 1, 0, False)
    masks = list(plan.program)
    assert len(masks) == axis.row_beats
    taken = [u for used in plan.used for u in used]
    assert taken == list(range(min(columns, 7)))
    for slot, mask in enumerate(masks):
        for bit, u in enumerate(taken):
            assert mask >> bit & 1 == (slot * columns + u >= 7)


def evaluate(graph: Graph, dilation: int) -> list[list[int]]:
    """Return the columns of each result, as often as they are in it."""
    value = {}
    for pairs in graph.levels:
        for run, (left, right) in pairs.items():
            value[run] = [x for part in (left, right) for x in value.get(part, [part[0]])]
            assert value[run][0] == run[0], "the earlier part comes first"
    return [value.get(run, [run[0]]) for run in graph.results]


@pytest.mark.parametrize("idempotent", [False, True])
def test_a_graph_makes_every_window_of_its_columns(idempotent):
    rng = random.Random(5)
    for _ in range(400):
        dilation, stride, length = rng.randint(1, 3), rng.randint(1, 5), rng.randint(1, 17)
        first = rng.randint(-20, 5)
        runs = [(first + q * stride, length) for q in range(rng.randint(1, 8))]
        graph = share(runs, dilation, idempotent=idempotent)
        for (start, taps), found in zip(runs, evaluate(graph, dilation), strict=True):
            wanted = [start + k * dilation for k in range(taps)]
            assert (sorted(set(found)) if idempotent else sorted(found)) == wanted
        assert len(graph.levels) == (length - 1).bit_length()
        apart = sum(taps - 1 for _, taps in runs)
        assert graph.operations <= apart
        # a run that is used in a level is there after the one before
        for number, pairs in enumerate(graph.levels):
            there = set(graph.alive(number))
            assert {part for parts in pairs.values() for part in parts} <= there
        assert set(graph.alive(len(graph.levels))) == set(graph.results)


@pytest.mark.parametrize(
    ("axis", "columns", "operations"),
    [
        (Axis.resolve(224, 2, 2, "valid"), 8, 4),
        (Axis.resolve(1920, 3, 1, (1, 1)), 4, 6),
        (Axis.resolve(64, 5, 1, (2, 2)), 8, 20),
        (Axis.resolve(64, 13, 1, (6, 6)), 4, 38),
    ],
)
def test_windows_side_by_side_share_their_pairs(axis, columns, operations):
    plan = column_plan(ColumnAxis(axis, columns, windows_out(axis, columns)), idempotent=True)
    assert isinstance(plan, UniformPlan)
    assert plan.graph(idempotent=True).operations == operations


@pytest.mark.parametrize(
    ("kernel", "stride", "form"),
    [(3, 3, UniformPlan), (2, 2, UniformPlan), (7, 7, ApartPlan), (16, 16, ApartPlan)],
)
def test_the_cheaper_form_is_chosen(kernel, stride, form):
    axis = Axis.resolve(64, kernel, stride, "valid")
    plan = column_plan(ColumnAxis(axis, 4, windows_out(axis, 4)), idempotent=True)
    assert isinstance(plan, form)
