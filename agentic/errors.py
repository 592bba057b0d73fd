"""The two exceptions the command line tells apart: the user's mistake and a run that failed."""


class UserError(ValueError):
    """Something the caller can mend (exit code 2): says what was expected, what came and what to do."""


class RunError(RuntimeError):
    """A run that started and failed (exit code 1): what was recorded before stays readable."""
