"""The scale of all labels: what damage costs, found once on the paper's distortions of 17 specimens.

    python -m models.label_scale DATA

writes ``label_scale.json``. It is kept, so that labels made years apart mean the same.
"""

import json
import sys
from functools import lru_cache
from pathlib import Path

import numpy as np

from models.default_recipe import paper_groups
from napari_tiqa.learning.images.labels import LabelProjection
from napari_tiqa.whole_file import write_text

LABEL_SCALE = Path(__file__).with_name("label_scale.json")


@lru_cache
def label_scale(path: Path = LABEL_SCALE) -> LabelProjection:
    """Read the scale of the labels."""
    curves = json.loads(path.read_text(encoding="utf-8"))
    return LabelProjection(
        {kind: [(np.array(knots), np.array(scores)) for knots, scores in one] for kind, one in curves.items()}
    )


def write_label_scale(projection: LabelProjection, path: Path = LABEL_SCALE) -> None:
    """Keep a scale: for each distortion and observer the damage and the score that it leaves."""
    curves = {
        kind: [(knots.tolist(), scores.tolist()) for knots, scores in one]
        for kind, one in projection.curves.items()
    }
    write_text(path, json.dumps(curves, indent=1) + "\n")


if __name__ == "__main__":
    write_label_scale(paper_groups(Path(sys.argv[1]))[1])
