"""Serial ports, by pyserial."""

import contextlib
import errno
import os
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from streampool_hw.boards.link.protocol import BAUD, Info

from .host import Host, LinkError

_SLICE = 0.05
"""Seconds that pyserial waits at a time: changing it sets up the port anew."""


def _serial() -> Any:
    try:
        import serial
        import serial.tools.list_ports
    except ModuleNotFoundError:
        raise LinkError(
            "pyserial is not installed; use the extra streampool[link], which has it"
        ) from None
    return serial


class Port:
    """A serial port as a line to a board; this process alone has it."""

    def __init__(self, name: str):
        serial = _serial()
        self.name = name
        try:
            self._port = serial.Serial(name, BAUD, timeout=_SLICE, write_timeout=10, exclusive=True)
        except (serial.SerialException, ValueError, OSError) as error:
            raise LinkError(f"the port {name} cannot be opened: {_why_shut(error)}") from None
        self._broken: tuple[type[Exception], ...] = (serial.SerialException, OSError)
        self._full: type[Exception] = serial.SerialTimeoutException
        # What an adapter has got it hands on within a millisecond, not sixteen, where it can.
        with contextlib.suppress(Exception):
            self._port.set_low_latency_mode(True)
        self._port.reset_input_buffer()

    def write(self, data: bytes) -> None:
        """Send bytes."""
        with self._told():
            self._port.write(data)

    def read(self, seconds: float) -> bytes:
        """Return the bytes that are there, at least one, or none if none comes in time."""
        until = time.monotonic() + seconds
        with self._told():
            while not (first := self._port.read(1)) and time.monotonic() < until:
                pass
            return first + self._port.read(self._port.in_waiting) if first else b""

    def close(self) -> None:
        """Let others have the port."""
        self._port.close()

    def __enter__(self) -> "Port":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except self._full:
            raise LinkError(
                f"the port {self.name} takes no bytes; plug the board in again, and check the port"
            ) from None
        except self._broken as error:
            raise LinkError(
                f"the port {self.name} is gone: {_reason(error)}; plug the board in again"
            ) from None


def _why_shut(error: Exception) -> str:
    """Say why a port cannot be opened, and what to do."""
    number = getattr(error, "errno", None)
    if error.__context__ is not None and error.__context__.args:  # which pyserial puts in a text
        number = number or error.__context__.args[0]
    if number in (errno.EAGAIN, errno.EBUSY):
        return "another program has it; end that one first"
    if number in (errno.EACCES, errno.EPERM):
        return (
            "permission denied; use an account that may, on Linux one in the group that `ls -l`"
            " names for the port"
        )
    what = "it is no serial port" if number in (errno.ENOTTY, errno.EINVAL) else _reason(error)
    return f"{what}; `streampool ports` lists those that are there"


def _reason(error: Exception) -> str:
    """Say in a few words what pyserial says in many."""
    if isinstance(error, OSError) and error.strerror and error.errno:
        return os.strerror(error.errno)
    return " ".join(str(error).split())


class Attached(NamedTuple):
    """A port that is there, and what answers on it."""

    name: str
    about: str
    info: Info | None
    why: str  # why nothing is known of a board


def attached(only: tuple[str, ...] = ()) -> Iterator[Attached]:
    """Ask every serial port, or those that are named, what board is on it."""
    there = {port.device: port.description for port in _serial().tools.list_ports.comports()}
    for name in only or sorted(there):
        about = there.get(name, "n/a")
        try:
            with Port(name) as port:
                info = Host(port, patience=0.2).info(tries=3)
        except LinkError as error:
            yield Attached(name, about, None, str(error))
        else:
            yield Attached(name, about, info, "")
