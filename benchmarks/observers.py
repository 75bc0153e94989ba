"""Print the time that the paper's five full-reference observers take per image, beside a bare SSIM.

    python benchmarks/observers.py

compares the sixteen versions of simulated specimens with their originals, 224 x 224, as the generation of
labelled images does. scikit-image's SSIM in double precision is the naive rate to compare with.
"""

import argparse
import time

from skimage.metrics import structural_similarity

from napari_tiqa.learning.images.groups import distortion_group
from napari_tiqa.learning.images.labels import observe
from napari_tiqa.volumes.simulation.microstructures import microstructure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    groups = [
        distortion_group(kind, 0.1 + 0.8 * microstructure(kind, (224, 224), seed=1), seed=1)
        for kind in ("grains", "foam", "fibres")
    ]
    observe(groups[0])  # makes the filters, once in a process
    images = options.repeats * sum(len(group.images) for group in groups)

    cpu, wall = time.process_time(), time.perf_counter()
    for group in options.repeats * groups:
        observe(group)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(f"five observers: {1000 * cpu / images:.1f} ms of CPU, {1000 * wall / images:.1f} ms per image")

    naive = time.process_time()
    for group in options.repeats * groups:
        for image in group.images:
            structural_similarity(
                group.images[0], image, gaussian_weights=True, use_sample_covariance=False, data_range=255
            )
    naive = time.process_time() - naive
    print(f"scikit-image's SSIM alone: {1000 * naive / images:.1f} ms; the five take {cpu / naive:.1f} x")


if __name__ == "__main__":
    main()
