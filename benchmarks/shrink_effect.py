"""Print how much shrinking to 224 px changes the score of large real slices (the paper's Fig. S1).

    python benchmarks/shrink_effect.py --data ../shared/data -o shrink.png

scores the middle slice of each scan over 224 px a side, shrunk and by native-resolution tiles, with the
default model, which has seen these scans in training, mostly shrunk.
"""

import argparse
from pathlib import Path

from tqdm import tqdm

from models.specimens import FIRST as SCANS
from napari_tiqa.learning.evaluation.figures import shrink_figure
from napari_tiqa.learning.evaluation.shrink import shrink_effect, spread_slices
from napari_tiqa.scoring.bundle import DEFAULT_MODEL


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("-o", "--output", type=Path, help="draw the figure into this PNG file")
    options = parser.parse_args()
    slices = [one for scan in SCANS for one in spread_slices(options.data / scan.path, 1)]
    with tqdm(total=1.0, bar_format="{percentage:3.0f}%|{bar}|") as bar:
        table = shrink_effect(str(DEFAULT_MODEL), slices, lambda share: bar.update(share - bar.n))
    print(table.sort_values("difference").round(2).to_string(index=False))
    difference = table["difference"]
    low, high = difference.min(), difference.max()
    print(f"native minus shrunk: mean {difference.mean():+.2f}, {low:+.2f} to {high:+.2f}")
    print(f"correlation of both: {table['native'].corr(table['shrunk']):.2f}")
    if options.output:
        shrink_figure(table).savefig(options.output, dpi=150)


if __name__ == "__main__":
    main()
