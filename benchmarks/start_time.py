"""How long it takes until the shell shows its help, and until Python has imported the package.

python benchmarks/start_time.py
"""

import statistics
import subprocess
import sys
import time

RUNS = 9
PROCESSES = {
    "python -c pass, for comparison": ["-c", "pass"],
    "import napari_tiqa": ["-c", "import napari_tiqa"],
    "napari-tiqa --help": ["-m", "napari_tiqa.cli", "--help"],
    "napari-tiqa score --help": ["-m", "napari_tiqa.cli", "score", "--help"],
    "napari-tiqa segment predict --help": ["-m", "napari_tiqa.cli", "segment", "predict", "--help"],
}


def seconds(arguments: list[str]) -> float:
    """Return how long a new interpreter takes for `arguments`, from start to end."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    print(f"{'':36} median of {RUNS} runs, s")
    for name, arguments in PROCESSES.items():
        print(f"{name:36} {statistics.median(seconds(arguments) for _ in range(RUNS)):.3f}")


if __name__ == "__main__":
    main()
