"""A simulated board behind a pseudo-terminal, which a host opens like any serial port."""

import os
import select
import threading
import tty
from collections.abc import Callable
from typing import Self


class Terminal:
    """Connect a board to a pseudo-terminal, in a thread, as long as it is entered.

    Parameters
    ----------
    board : callable
        Takes the bytes that the host has sent, and returns those that the board sends.
    spoil, spoil_back : callable, optional
        What happens to bytes on the way to the board, and on the way back.

    Attributes
    ----------
    name : str
        The path of the terminal.
    """

    def __init__(
        self,
        board: Callable[[bytes], bytes],
        spoil: Callable[[bytes], bytes] = bytes,
        spoil_back: Callable[[bytes], bytes] = bytes,
    ):
        self._board, self._spoil, self._spoil_back = board, spoil, spoil_back
        # the far end stays open here, so that a host may come and go
        self._near, self._far = os.openpty()
        tty.setraw(self._far)
        self.name = os.ttyname(self._far)
        self._end, self._ended = os.pipe()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        os.write(self._ended, b"!")
        self._thread.join()
        for each in (self._near, self._far, self._end, self._ended):
            os.close(each)

    def _run(self) -> None:
        while True:
            ready, _, _ = select.select([self._near, self._end], [], [])
            if self._end in ready:
                return
            back = self._spoil_back(self._board(self._spoil(os.read(self._near, 4096))))
            while back:  # nobody may be reading: what does not fit is lost, as on a wire
                _, ready, _ = select.select([], [self._near], [], 1.0)
                if not ready:
                    break
                back = back[os.write(self._near, back[:1024]) :]
