"""An export whose file operations fail, or that is killed at one: it is resumed, or says why it is not."""

import sys

import pytest

from benchmarks.reliability.failing_operations import FAIL, FORMATS, KILL, operations, outcomes, specimen

pytestmark = [
    pytest.mark.skipif(not hasattr(sys, "addaudithook") or sys.platform == "win32", reason="needs fork"),
    # The child only exports, and ends without a farewell.
    pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning"),
]


@pytest.mark.parametrize("how", [FAIL, KILL])
@pytest.mark.parametrize("name", FORMATS)
def test_an_export_that_is_disturbed_anywhere_is_resumed(name: str, how: str) -> None:
    count = operations(specimen(), name)
    assert count >= 10
    disturbed = [1, 4, *range(6, count, count // 3), count - 1]
    found = outcomes(name, how, disturbed)
    assert {number: one for number, one in found.items() if not one.good} == {}
    assert [one.second for one in found.values()].count("whole") >= len(found) - 3
    assert {one.first for one in found.values()} <= ({"killed"} if how == KILL else {"a sentence", "done"})
