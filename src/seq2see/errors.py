"""One family of exceptions: what was found, what was expected, where, and how to mend it.

Every error that a person can cause and mend derives from `Seq2seeError`; the command line prints it
as one message and exits with 2. Anything else that escapes is a defect of seq2see.

    Seq2seeError
    ├── DataError        a data file or a line of it
    ├── ConfigError      a recipe, a key=value, a command-line option
    ├── BundleError      a saved model
    ├── TrainingError    a run that cannot go on (out of memory, full disk)
    │   └── DivergedError    because a loss, a gradient or a weight is no longer finite
    └── DecodingError    an input or a prefix that cannot be decoded as asked
"""

from __future__ import annotations


class Seq2seeError(Exception):
    """Says what was found, what was expected, where, and how to mend it.

    Args:
        found: what is wrong, as a short clause without a full stop.
        expected: what would have been right; left out where `found` already says it.
        where: the place, as `file`, `file:line`, or the name of a setting.
        mend: one imperative sentence that tells the reader what to do, without a full stop.
    """

    def __init__(self, found: str, *, expected: str = "", where: str = "", mend: str = "") -> None:
        self.found, self.expected, self.where, self.mend = found, expected, where, mend
        super().__init__(str(self))

    def __str__(self) -> str:
        text = f"{self.where}: {self.found}" if self.where else self.found
        text += f"; expected {self.expected}" if self.expected else ""
        if not self.mend:
            return f"{text}."
        return f"{text}. {self.mend}{'' if self.mend.endswith('?') else '.'}"


BEGIN_ANEW = "Begin another run in another folder (--out), or remove this one first"
"""How to mend a run that cannot go on; nothing trained is ever overwritten."""


class DataError(Seq2seeError):
    """A data file, or a line of it, cannot be read as pairs."""


class ConfigError(Seq2seeError):
    """A recipe, a `key=value` or an option is unknown, malformed or contradictory."""


class BundleError(Seq2seeError):
    """A saved model is missing a file, or a file of it is damaged or foreign."""


class TrainingError(Seq2seeError):
    """A training run cannot go on."""


class DivergedError(TrainingError):
    """A loss, a gradient or the weights are no longer finite."""


class DecodingError(Seq2seeError):
    """An input or a prefix cannot be decoded as asked."""


def is_out_of_memory(error: BaseException) -> bool:
    """Tells whether an error of Python or torch says that memory ran out, on a CPU or a GPU."""
    signs = ("out of memory", "allocate memory", "not enough memory")
    return isinstance(error, MemoryError) or any(sign in str(error).lower() for sign in signs)
