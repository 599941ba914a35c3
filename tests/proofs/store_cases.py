"""What is proved of stores in block RAM."""

from collections.abc import Iterator
from typing import Any

from streampool_golden import PoolJob
from streampool_golden.networks import networks
from streampool_hw import PoolCore
from streampool_hw.asked import asked
from streampool_hw.reduce.columns import ColumnStage
from streampool_hw.reduce.stage import AxisStage
from streampool_hw.schedule.plan import AxisPlan
from streampool_hw.vendor.block_store import BlockStore
from streampool_hw.vendor.ecp5 import Ecp5Store
from streampool_hw.vendor.ice40 import Ice40Store

from . import columns, path, stores
from .cases import Case, of_columns, of_core
from .harness import Theorem
from .models import Model

GROUP = "stores"
FAMILIES: dict[str, type[BlockStore]] = {"ECP5": Ecp5Store, "iCE40": Ice40Store}


def cases() -> Iterator[Theorem]:
    """Yield what stages ask of stores, what stores of each form owe, and the models of cells."""
    yield from _asks()
    for family, kind in FAMILIES.items():
        least = AxisStage.DEPTH
        for rows, bits in kind.ROWS.items():
            for width, depth in ((max(bits - 1, 1), least), (bits + 1, rows), (7 * bits, least)):
                for restarts in (False, True):
                    yield Case(
                        f"owes: {family}, {depth} x {width}{', restarts' * restarts}",
                        GROUP,
                        stores.DEPTH,
                        lambda a=(kind, width, depth, restarts): stores.Owes(*a),
                    )
            least = rows + 1
    for family, kind in FAMILIES.items():
        for rows, bits in kind.ROWS.items():
            yield Model(f"model: {family}, {rows} x {bits}", kind, rows)


def _asks() -> Iterator[Case]:
    """Yield lemma "asks" of the layers' stages: of each form the one of the fewest rows."""
    found: dict[str, list[tuple[int, str, PoolJob, int]]] = {}
    for layer in networks():
        for wide in (1, 4):
            job = PoolJob(layer.spec, layer.shape, columns=wide)
            title = f"{layer.name}, {'x'.join(map(str, job.shape))}, {wide} columns"
            for axis, stage in asked(PoolCore(job)).stages.items():
                plan: Any = getattr(stage, "plan", None)
                if isinstance(stage, AxisStage) and isinstance(plan, AxisPlan) and stage._in_ram:
                    how = (plan.partials, plan.always_shifts, bool(plan.drain), stage._marks)
                    form = (*how, stage._banks, bool(job.operation.selects))
                    found.setdefault(repr(form), []).append((stage.m, title, job, axis))
                elif isinstance(stage, ColumnStage) and getattr(stage, "_in_ram", False):
                    form = (job.lanes, plan.partials, bool(job.operation.selects))
                    found.setdefault(repr(form), []).append((stage.m, title, job, -1))
    for stages in found.values():
        rows, title, job, axis = min(stages, key=lambda each: each[0])
        if axis < 0:
            yield Case(
                f"asks: {title}, {rows} rows",
                GROUP,
                columns.DEPTH,
                lambda job=job: of_columns(job, stores.AsksColumns),
            )
            continue
        yield Case(
            f"asks: axis {axis} of {title}, {rows} rows",
            GROUP,
            path.DEPTH,
            lambda job=job, axis=axis: of_core(job, axis, stores.Asks, 0),
        )
