"""What a stage's pipeline does in each clock."""

from streampool_hw.reduce.timing import Timing


def work(form: Timing) -> dict[int, list[str]]:
    """Return what a pipeline does by the clock, 1 that of the step."""
    done: dict[int, list[str]] = {}

    def at(clock: int, what: str) -> None:
        done.setdefault(clock, []).append(what)

    oldest = form.ready[0]
    if form.looped:
        at(1, "input and control into registers")
        at(oldest + 1, "combine, select; write back")
    elif form.skewed:
        at(1, "input into a register")
    else:
        for clock, what in enumerate(("the store is read", "its output register"), 1):
            at(clock, what)
        at(oldest + 1, "write back")
        at(oldest + 2, "the word into the RAM")
    if not form.looped:
        partials = len(form.comes) - 1
        for place in reversed(range(partials if form.skewed else 1)):
            which = f" of place {place}" if form.skewed and partials > 1 else ""
            for clock, what in enumerate(
                (f"operands{which}", "compare, or add", "select"), form.comes[place] + 1
            ):
                at(clock, what)
    at(form.depth, "into the FIFO")
    return done
