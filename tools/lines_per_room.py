"""Lines of code per room, and files: how large the house is.

Run:  python tools/lines_per_room.py [REVISION]     (a git revision; the working tree where omitted)
"""

import subprocess
import sys
from collections import Counter
from pathlib import PurePosixPath


def main() -> None:
    """Print the table."""
    revision = sys.argv[1] if len(sys.argv) > 1 else None
    lines: Counter[str] = Counter()
    files: Counter[str] = Counter()
    for path, text in sources(revision):
        room = str(PurePosixPath(path).parent)
        lines[room] += text.count("\n")
        files[room] += 1
    for room in sorted(lines):
        print(f"{lines[room]:7,} lines {files[room]:4} files  {room}")
    for top in ("src", "models", "tests", "benchmarks"):
        total = sum(count for room, count in lines.items() if room.split("/")[0] == top)
        print(f"{total:7,} lines in {top}/")


def sources(revision: str | None) -> list[tuple[str, str]]:
    """Return path and text of every Python file that git knows."""
    listed = ["ls-files", "*.py"] if revision is None else ["ls-tree", "-r", "--name-only", revision]
    paths = [path for path in git(*listed).splitlines() if path.endswith(".py")]
    if revision is not None:
        return [(path, git("show", f"{revision}:{path}")) for path in paths]
    return [(path, open(path, encoding="utf-8").read()) for path in paths]


def git(*arguments: str) -> str:
    """Return what git prints."""
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    main()
