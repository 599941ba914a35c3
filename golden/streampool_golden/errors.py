"""What golden raises and warns with, and how it shows a value that it refuses."""


class SpecError(ValueError):
    """A value that cannot work, refused in one sentence.

    The sentence names the field, the value and what to use.

    Parameters
    ----------
    field : str
        Name of the refused field or argument, e.g. ``"kernel"``.
    message : str
        The sentence.

    Attributes
    ----------
    field : str
        As above, for programs to act on.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field

    def __reduce__(self):  # exceptions pickle by their args, which lack the field
        return type(self), (self.field, str(self))


class SpecWarning(UserWarning):
    """A specification that works but may not do what was meant, e.g. unread inputs."""


def shown(value: object) -> str:
    """Return `value` as a refusal shows it: its repr, cut where it is long."""
    try:
        text = repr(value)
    except ValueError:  # Python refuses to print integers of thousands of digits
        text = "an integer too long to print"
    except RecursionError:
        text = f"a {type(value).__name__} nested too deeply to print"
    return cut(" ".join(text.split()))


def cut(text: str) -> str:
    """Return a text as a refusal shows it, cut where it is long."""
    return text if len(text) <= 60 else text[:57] + "..."
