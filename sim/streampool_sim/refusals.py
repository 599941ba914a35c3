"""What is refused, and how it is said."""

__all__ = ["Refused"]


class Refused(Exception):
    """Something that was asked for cannot be done; the message is one sentence."""
