"""The face: every verb in ``napari_tiqa``, lazily, by one rule; the shell calls the same things the same."""

import argparse
import ast
import inspect
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import napari_tiqa
from napari_tiqa.cli import COMMANDS, Command
from tests.places import ROOT

# What each verb works on, which may be given by position; everything else is given by name.
SUBJECTS = {
    "score_image": ("image",),
    "score_volume": ("volume",),
    "score_map": ("volume", "index"),
    "measure_volume": ("volume",),
    "filter_volume": ("volume", "pipeline"),
    "tune": ("volume", "pipeline", "parameters"),
    "compare": ("volume", "pipelines"),
    "export": ("volume", "pipeline", "output"),
    "segment": ("volume",),
    "train_segmenter": ("volume", "labels", "output"),
    "study_segmentation": ("volume", "labels"),
    "train": ("recipe", "output"),
    "evaluate": ("dataset",),
}
SHARED = ("slices", "axis", "model", "window")
LAST = ("progress", "cancel")
OPTION = {"client": "scheduler"}  # in a shell there is nothing of it but its address
VERB_OF_COMMAND = {
    "score": "score_volume",
    "map": "score_map",
    "measure": "measure_volume",
    "tune": "tune",
    "compare": "compare",
    "export": "export",
    "segment.train": "train_segmenter",
    "segment.predict": "segment",
    "segment.study": "study_segmentation",
    "train": "train",
    "evaluate": "evaluate",
}


def keyword_only(verb: str) -> list[str]:
    parameters = inspect.signature(getattr(napari_tiqa, verb)).parameters
    return [name for name, parameter in parameters.items() if parameter.kind is parameter.KEYWORD_ONLY]


def test_every_public_name_resolves_and_completes() -> None:
    assert dir(napari_tiqa) == sorted(napari_tiqa.__all__)
    for name in napari_tiqa.__all__:
        assert getattr(napari_tiqa, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'scor'"):
        _ = napari_tiqa.scor
    assert Path(napari_tiqa.__file__).with_name("py.typed").exists()


def test_type_checkers_see_the_names_that_are_imported_on_first_use() -> None:
    tree = ast.parse(Path(napari_tiqa.__file__).read_text())
    (block,) = (
        node for node in tree.body if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
    )
    seen = {}
    for node in block.body:
        assert isinstance(node, ast.ImportFrom)
        assert node.module
        for alias in node.names:
            assert alias.asname == alias.name  # otherwise it is not exported
            seen[alias.name] = node.module.removeprefix("napari_tiqa.")
    assert seen == napari_tiqa._HOME


def test_the_verbs_are_those_of_the_face() -> None:
    functions = {name for name in napari_tiqa.__all__ if inspect.isfunction(getattr(napari_tiqa, name))}
    openers = {name for name in functions if name.startswith(("open_", "read_", "write_"))}
    assert functions - openers - {"estimate_window", "find_ring_centre"} == set(SUBJECTS)


@pytest.mark.parametrize("verb", SUBJECTS)
def test_after_its_subject_a_verb_takes_names_in_one_order(verb: str) -> None:
    names = keyword_only(verb)
    parameters = inspect.signature(getattr(napari_tiqa, verb)).parameters
    assert tuple(parameters) == (*SUBJECTS[verb], *names)
    assert [name for name in names if name in SHARED] == [name for name in SHARED if name in names]
    assert not set(LAST) & set(names) or tuple(names[-2:]) == LAST


def homes(commands: tuple[Command, ...]) -> Iterator[str]:
    for command in commands:
        yield from [command.home] if isinstance(command.home, str) else homes(command.home)


@pytest.mark.parametrize("home", tuple(homes(COMMANDS)))
def test_the_shell_has_each_keyword_as_an_option(home: str) -> None:
    parser = argparse.ArgumentParser()
    import_module(f"napari_tiqa.cli.{home}").add_options(parser)
    options = {action.dest: action for action in parser._actions}
    assert all(action.help for action in options.values())
    if verb := VERB_OF_COMMAND.get(home):
        keywords = set(keyword_only(verb))
        assert keywords - {*LAST, "recipe"} <= set(options)  # a recipe's settings are options of their own
        for name in keywords & set(options):
            assert f"--{OPTION.get(name, name).replace('_', '-')}" in options[name].option_strings


def test_a_source_tree_without_metadata_or_libraries_has_a_face_and_help() -> None:
    # -S leaves out site-packages, and with it this package's metadata and everything that is slow to import.
    python = [sys.executable, "-S", "-c"]
    path = f"import sys; sys.path.insert(0, {str(ROOT / 'src')!r}); "
    done = subprocess.run(
        [*python, path + "import napari_tiqa as t; print(t.__version__, 'tune' in dir(t))"],
        capture_output=True,
        text=True,
    )
    assert done.stdout.split()[1:] == ["True"], done.stderr
    for words in (["--help"], ["--version"], ["segment", "--help"]):
        code = path + "from napari_tiqa.cli import main; main(sys.argv[1:])"
        done = subprocess.run([*python, code, *words], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "napari-tiqa" in done.stdout


def test_the_help_of_scoring_and_segmenting_imports_nothing_heavy() -> None:
    code = (
        "import sys; from napari_tiqa.cli import main\n"
        "for words in (['score'], ['segment', 'predict']):\n"
        "    try: main([*words, '--help'])\n"
        "    except SystemExit: pass\n"
        "heavy = {'keras', 'tensorflow', 'napari', 'numpy', 'pandas', 'scipy', 'dask', 'cv2'}\n"
        "print(heavy & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.endswith("set()\n")
