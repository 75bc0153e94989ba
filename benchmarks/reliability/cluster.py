"""How much faster two workers of a dask.distributed cluster score than one, each with a single thread.

    python -m benchmarks.reliability.cluster

Workers are processes on this machine, each with a model process that may use one thread. A volume of noisy
slices is scored once to warm up, then timed; both have to give the same scores to 1e-4. Ends with 1 if
the two are not fast enough.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ONE_THREAD = dict.fromkeys(
    ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"
)
SLICES, SIDE = 160, 720
WANTED = 1.7


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args()
    os.environ |= ONE_THREAD  # for workers and their model processes, which inherit it
    from distributed import Client, LocalCluster

    from napari_tiqa import score_volume

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "scan.npy")
        rng = np.random.default_rng(0)
        y, x = np.mgrid[:SIDE, :SIDE]
        grains = np.sign(np.sin(x / 11) * np.cos(y / 17))
        np.save(path, (grains + rng.normal(0, 0.3, (SLICES, SIDE, SIDE))).astype(np.float32))
        seconds, tables = {}, {}
        for workers in (1, 2):
            with (
                LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster,
                Client(cluster, set_as_default=False) as client,
            ):
                score_volume(path, slices=f":{32 * workers}", client=client)  # starts the model processes
                begun = time.perf_counter()
                tables[workers] = score_volume(path, client=client)
                seconds[workers] = time.perf_counter() - begun
            print(f"{workers} worker{'s' * (workers > 1)}: {SLICES / seconds[workers]:5.1f} slices/s")
    ratio = seconds[1] / seconds[2]
    apart = float((tables[1]["score"] - tables[2]["score"]).abs().max())
    print(f"two over one: {ratio:.2f} times (wanted {WANTED}); scores differ by {apart:.1e} at most")
    return int(ratio < WANTED or apart > 1e-4)


if __name__ == "__main__":
    sys.exit(main())
