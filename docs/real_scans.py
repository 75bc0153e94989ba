"""Makes the pictures of real scans in docs/images: what the quality dock says beside their own pixels.

Run: xvfb-run -s "-screen 0 1600x900x24" python docs/real_scans.py --data ../shared/data
"""

import argparse
from pathlib import Path

import napari
from screenshots import settle, take, wait_until

from napari_tiqa.jobs.process.client import shared_model_process
from napari_tiqa.volumes.open import open_volume

SCANS = {
    "coal": "coal_methane_hydrate/tomo_00102_stable.tif",
    "nmc": "nmc_cathode_txm/tomo_00086_nmc_sparse_202proj.tif",
    "leaf": "leaf_gridrec_vs_paganin/slice0440_gridrec.tif",
    "soft_tissue": "rings_aps2bm/tomo_00076_soft_tissue_whitebeam.tif",
}


def take_scan(name: str, path: Path) -> None:
    """Open a scan, score its middle slice, and look at the middle of it, one pixel to one of the screen."""
    viewer = napari.Viewer(title="napari-tiqa")
    viewer.window.resize(1600, 900)
    volume = open_volume(path).tomogram()
    viewer.add_image(volume.data, name=name, scale=volume.voxel_size)
    panel = _quality_dock(viewer)
    if not panel.score_this_slice():
        raise SystemExit(panel.controls.message.text())
    wait_until(lambda: not panel.job.state.busy)
    layer = viewer.layers[name]
    viewer.scene.camera.zoom = 1 / float(layer.scale[-1])
    take(viewer, f"real_{name}")
    viewer.close()
    settle()


def _quality_dock(viewer: napari.Viewer):  # type: ignore[no-untyped-def]
    dock = viewer.window.add_plugin_dock_widget("napari-tiqa", "Slice quality")[1]
    wait_until(lambda: dock.panel is not None and bool(shared_model_process().device))
    return dock.panel


def main() -> None:
    """Make all pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    options = parser.parse_args()
    for name, path in SCANS.items():
        take_scan(name, options.data / path)


if __name__ == "__main__":
    main()
