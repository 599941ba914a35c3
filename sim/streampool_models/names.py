"""Names for what is called more often than once."""

from collections.abc import Iterable


class Names:
    """Names that are given once: the next of the same name ends in ``_1``, as fx has it."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._own, self._given = set(taken), set[str]()

    def __call__(self, name: str) -> str:
        """Return a name that was not given yet, that of a module only for the module itself."""
        made, number = name, 0
        while made in self._given or (number and made in self._own):
            number += 1
            made = f"{name}_{number}"
        self._given.add(made)
        return made
