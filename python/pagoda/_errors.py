"""What Pagoda raises. The words are those of the command line: the thing, the place and the remedy."""


class Error(Exception):
    """The base of all errors. ``field`` names what of a call is wrong, such as ``filter``, or is empty."""

    def __init__(self, message: str = "", field: str = ""):
        super().__init__(message)
        self.field = field


class UsageError(Error, ValueError):
    """A wrong call or config: an unknown key, a k of 0."""


class InputError(Error, ValueError):
    """The data itself is wrong: a missing column, a NaN in a vector."""


class FailedError(Error, RuntimeError):
    """The operation failed: a full disk, a damaged bundle."""


class Interrupted(Error, RuntimeError):
    """A callback asked for the end. Ctrl-C raises KeyboardInterrupt."""
