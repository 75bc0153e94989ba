"""Convert BRISQUE's trained regressor to the small file that learning/evaluation/brisque.py reads.

    pip download brisque==0.2.0 --no-deps -d /tmp/brisque
    python tools/convert_brisque.py /tmp/brisque/brisque-0.2.0-py3-none-any.whl

The package (Apache-2.0) has it as models/svm.txt, a libsvm model, with the features' ranges beside it. It is
the regressor that A. Mittal, A. K. Moorthy and A. C. Bovik released with their paper ("BRISQUE Software
Release", The University of Texas at Austin, 2011), trained on LIVE release 2.

    python tools/convert_brisque.py WHEEL --check FOLDER

also compares our score with one computed by the package's own functions and libsvm (pip install --no-deps
--target FOLDER brisque==0.2.0 libsvm-official requests) on scikit-image's photographs and distorted versions.
Both are given the same half-size image: the package halves without a filter against aliasing, which the
authors' release has, and rates noise milder for it.
"""

import argparse
import pickle
import sys
import warnings
import zipfile
from pathlib import Path

import numpy as np
import skimage.data
from scipy.ndimage import gaussian_filter

from napari_tiqa.learning.evaluation.brisque import TRAINED, brisque, half_size


class _OnlyData(pickle.Unpickler):
    """Reads a pickle of plain lists; one that would run code is refused."""

    def find_class(self, module: str, name: str) -> object:
        raise pickle.UnpicklingError(f"{module}.{name} is no plain data")


def convert(wheel: Path) -> None:
    """Write the file."""
    with zipfile.ZipFile(wheel) as archive:
        head, _, vectors = archive.read("brisque/models/svm.txt").decode().partition("SV\n")
        with archive.open("brisque/models/normalize.pickle") as file:
            ranges = _OnlyData(file).load()
    settings = dict(line.split(" ", 1) for line in head.strip().splitlines())
    assert (settings["svm_type"], settings["kernel_type"]) == ("epsilon_svr", "rbf"), settings
    rows = [line.split() for line in vectors.strip().splitlines()]
    table = np.zeros((len(rows), 36))
    for number, (_, *entries) in enumerate(rows):  # libsvm leaves zeros out
        for entry in entries:
            index, value = entry.split(":")
            table[number, int(index) - 1] = float(value)
    assert len(table) == int(settings["total_sv"])
    np.savez_compressed(
        TRAINED,
        vectors=table.astype(np.float32),  # written with six digits
        coefficients=np.array([float(row[0]) for row in rows]),
        gamma=float(settings["gamma"]),
        rho=float(settings["rho"]),
        low=np.array(ranges["min_"], float),
        high=np.array(ranges["max_"], float),
    )
    print(f"{TRAINED}: {len(table)} support vectors, {TRAINED.stat().st_size // 1024} KiB")


def check(folder: Path) -> None:
    """Print both scores of each image, the package's in brackets."""
    sys.path.insert(0, str(folder))
    warnings.simplefilter("ignore")  # brisque imports a module that SciPy has renamed
    from brisque import BRISQUE

    package = BRISQUE()

    def packaged(image: np.ndarray) -> float:
        # Its own score() fails with NumPy 2, since its features are arrays of one number.
        features = [
            package.calculate_brisque_features(one / 255, 7, 7 / 6) for one in (image, half_size(image))
        ]
        return package.calculate_image_quality_score([np.ravel(f)[0] for f in np.concatenate(features)])

    rng = np.random.default_rng(0)
    differences = []
    for name in ("camera", "brick", "grass", "gravel", "moon", "coins", "page", "text"):
        original = getattr(skimage.data, name)().astype(float)
        versions = [original]
        versions += [gaussian_filter(original, sigma) for sigma in (0.7, 1.5, 4)]
        versions += [np.clip(original + rng.normal(0, sd, original.shape), 0, 255) for sd in (5, 15, 50)]
        pairs = [(brisque(version), packaged(version)) for version in versions]
        print(f"{name:8}", " ".join(f"{ours:6.1f} ({theirs:6.1f})" for ours, theirs in pairs))
        differences += [abs(ours - theirs) for ours, theirs in pairs]
    print(f"ours (package's): median difference {np.median(differences):.2f}, largest {max(differences):.1f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--check", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    convert(options.wheel)
    if options.check:
        check(options.check)
