"""Counting lines of code, on a text small enough to count by hand."""

from tests.house.code_lines import code_lines, function_lengths, parameter_counts

TEXT = '''"""A module.

Of three lines."""

import sys  # counts, the comment beside it does not

# A comment.


class Thing:
    """A class."""

    name = "x"

    def method(
        self, a: int, *rest: int, b: int = 1, **more: int
    ) -> str:
        """A docstring

        of three lines."""

        def inner(x):
            return x

        # A comment within.
        return """a value

of three lines"""


def outer(cls, self): return sys
'''


def test_blanks_comments_and_docstrings_do_not_count() -> None:
    assert code_lines(TEXT) == 1 + 2 + 3 + 2 + 3 + 1
    assert code_lines("") == 0
    assert code_lines('"""Only words."""\n') == 0


def test_a_string_that_is_a_value_counts_line_by_line() -> None:
    assert code_lines('x = """a\n\nb"""\n') == 3
    assert code_lines("x = 1\n'''words in the middle'''\n") == 2


def test_a_function_counts_all_but_its_docstring() -> None:
    assert function_lengths(TEXT) == {"Thing.method": 3 + 1 + 2 + 2 + 3, "Thing.method.inner": 2, "outer": 1}


def test_self_is_no_parameter() -> None:
    assert parameter_counts(TEXT) == {"Thing.method": 4, "Thing.method.inner": 1, "outer": 1}
