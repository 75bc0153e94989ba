"""Rules of the house that no linter holds: small folders, no import cycle, tests that assert."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.places import ROOT

SOURCE = ROOT / "src"
PACKAGES = {"napari_tiqa": SOURCE / "napari_tiqa", "models": ROOT / "models"}
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
LARGEST_FOLDER = 25

Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules() -> dict[str, Path]:
    """Return the file of each module, by its dotted name."""
    found = {}
    for folder in PACKAGES.values():
        for path in folder.rglob("*.py"):
            parts = path.relative_to(folder.parent).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield the imports that can run, those inside functions too; not those for type checkers only."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for other in node.orelse:
                yield from imports(other)
        else:
            yield from imports(node)


def packages_of(name: str) -> set[str]:
    parts = name.split(".")
    return {".".join(parts[:end]) for end in range(1, len(parts))}


def imported(tree: ast.AST, importer: str, known: set[str]) -> set[str]:
    """Return the modules of ours that a module imports; a name imported from a package may be one of them."""
    names: set[str] = set()
    for node in imports(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif node.module:
            parts = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= (parts & known) or {node.module}
    # With a module come the packages that it lies in, unless the importer lies in them too.
    with_packages = names.union(*map(packages_of, names)) - packages_of(f"{importer}.")
    return (with_packages | names) & known


def cycle(graph: dict[str, set[str]]) -> list[str]:
    """Return the modules of one cycle, the first of them again at the end; empty where there is none."""
    done: set[str] = set()
    path: list[str] = []

    def walk(name: str) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done:
            return []
        path.append(name)
        for other in sorted(graph[name]):
            if found := walk(other):
                return found
        done.add(path.pop())
        return []

    return next((found for name in sorted(graph) if (found := walk(name))), [])


def test_no_module_imports_itself_by_way_of_others() -> None:
    files = modules()
    assert len(files) > 100
    graph = {name: imported(ast.parse(path.read_text()), name, set(files)) for name, path in files.items()}
    assert sum(map(len, graph.values())) > 500
    assert cycle(graph) == []


def test_a_cycle_would_be_found() -> None:
    assert cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == ["b", "c", "b"]
    source = "if TYPE_CHECKING:\n    import m.a\ndef f():\n    from m import b\n    from m.c.d import e"
    known = {"m", "m.a", "m.b", "m.c", "m.c.d"}
    assert imported(ast.parse(source), "m.a", known) == {"m.b", "m.c", "m.c.d"}
    assert imported(ast.parse(source), "m.c.a", known) == {"m.b", "m.c.d"}


def test_what_is_named_by_module_and_name_is_there() -> None:
    files = modules()
    names = re.compile(r'"(napari_tiqa[.\w]+:\w+)"')  # tasks of the model process, panels of docks
    found = {name for path in files.values() for name in names.findall(path.read_text())}
    assert len(found) >= 5
    for place in found:
        module, _, name = place.partition(":")
        body = ast.parse(files[module].read_text()).body
        assert name in {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}, place


@pytest.mark.parametrize("root", PACKAGES.values(), ids=PACKAGES)
def test_no_folder_holds_more_files_than_one_looks_through(root: Path) -> None:
    folders = [root, *(path for path in root.rglob("*") if path.is_dir())]
    counts = {str(folder.relative_to(ROOT)): len(list(folder.glob("*.py"))) for folder in folders}
    assert sum(counts.values()) > 3
    assert {folder: count for folder, count in counts.items() if count > LARGEST_FOLDER} == {}


def asserts(function: ast.AST, helpers: dict[str, Function], seen: frozenset[str] = frozenset()) -> bool:
    """Tell whether a test asserts, by itself or in a helper of its file that it calls."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name.startswith("assert") or name in ("raises", "warns", "waitUntil", "waitSignal", "fail"):
                return True
            if name in helpers and name not in seen and asserts(helpers[name], helpers, seen | {name}):
                return True
    return False


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_each_test_asserts(path: Path) -> None:
    tree = ast.parse(path.read_text())
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, Function)}
    tests = {name: node for name, node in functions.items() if name.startswith("test_")}
    assert tests
    assert [name for name, test in tests.items() if not asserts(test, functions)] == []


# When something was made, for people to read; how long something takes is measured by ``time.monotonic``.
DATED = {
    "filtering/applied.py",
    "jobs/process/record.py",
    "learning/ratings/session.py",
    "learning/training/card.py",
    "widgets/rating/form.py",
}
WALL_CLOCK = re.compile(r"\btime\.time(_ns)?\(|\b(datetime|date)\.(now|utcnow|today)\(|from time import")


def test_a_clock_that_goes_backwards_is_noticed_by_nothing() -> None:
    package = PACKAGES["napari_tiqa"]
    reading = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if WALL_CLOCK.search(path.read_text())
    }
    assert reading == DATED
