"""Every command line in the documents and in ``--help`` is one that the shell understands."""

import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from napari_tiqa.cli import COMMANDS, Command, _mark_numbers, parser_for
from tests.places import ROOT

DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))


def command_lines(text: str) -> Iterator[list[str]]:
    """Yield the words of each line that begins with napari-tiqa, less remarks and redirections."""
    for line in text.replace("\\\n", " ").splitlines():
        match = re.fullmatch(r"\s*napari-tiqa (.+?)(\s#.*|\s>.*|\s\|.*|\s{3,}[a-z].*)?", line)
        if match:
            yield shlex.split(match[1])


def helps(commands: tuple[Command, ...]) -> Iterator[tuple[str, str]]:
    for command in commands:
        if isinstance(command.home, str):
            yield command.home, import_module(f"napari_tiqa.cli.{command.home}").EXAMPLES
        else:
            yield from helps(command.home)


def assert_understood(text: str) -> int:
    lines = list(command_lines(text))
    for words in lines:
        arguments = _mark_numbers(words)
        assert callable(parser_for(arguments).parse_args(arguments).run)
    return len(lines)


@pytest.mark.parametrize(("home", "examples"), tuple(helps(COMMANDS)), ids=lambda value: value[:20])
def test_examples_of_help_are_understood(home: str, examples: str) -> None:
    assert assert_understood(examples) >= 2, home


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_command_lines_of_documents_are_understood(document: Path) -> None:
    count = assert_understood(document.read_text())
    assert count >= (8 if document.stem in ("README", "shell") else 0)
