"""How long what runs a mutant may take."""

import signal


def begin(most: int) -> None:
    """Have this process killed in so many seconds of its own."""
    signal.setitimer(signal.ITIMER_VIRTUAL, most)
