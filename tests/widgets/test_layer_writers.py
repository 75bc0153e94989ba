"""What napari saves of an image layer by our writers, read back by our reader."""

from pathlib import Path

import dask.array as da
import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image

from napari_tiqa.errors import TiqaError
from napari_tiqa.scoring.table import ScoredSlice, read_scores
from napari_tiqa.volumes.open import open_volume
from napari_tiqa.widgets.quality.score_run import ScoreRun, save_runs

PLUGIN = "napari-tiqa"
STACK = np.random.default_rng(0).integers(1, 9999, (5, 20, 24), dtype=np.uint16)


def scan(viewer: Viewer, data: object = STACK) -> Image:
    return viewer.add_image(
        data, name="scan", scale=(3.0, 1.5, 1.5), units=("um", "um", "um"), axis_labels=("z", "y", "x")
    )


@pytest.mark.parametrize("name", ["scan.zarr", "scan.tif", "scan.ome.tif"])
def test_a_volume_is_saved_with_its_voxel_size(viewer: Viewer, tmp_path: Path, name: str) -> None:
    read: list[int] = []

    def plane(block: np.ndarray) -> np.ndarray:
        read.append(block.shape[0])
        return block

    lazy = da.from_array(STACK, chunks=(1, 20, 24)).map_blocks(plane, dtype=STACK.dtype)
    layer = scan(viewer, lazy)
    read.clear()
    for _again in range(2):  # the second time in place of the first
        assert viewer.layers.save(str(tmp_path / name), plugin=PLUGIN) == [str(tmp_path / name)]
    assert set(read) == {1}  # slice by slice
    volume = open_volume(tmp_path / name)
    assert np.array_equal(np.asarray(volume.data), STACK)
    assert volume.voxel_size == pytest.approx((3.0, 1.5, 1.5))
    assert volume.unit == "µm"
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert layer.name == "scan"


def test_what_cannot_be_saved_is_refused_in_one_sentence(viewer: Viewer, tmp_path: Path) -> None:
    viewer.add_image(np.zeros((2, 3, 20, 24)), name="series")
    with pytest.raises(TiqaError, match="'series' has 4 dimensions and a volume has three"):
        viewer.layers.save(str(tmp_path / "series.zarr"), plugin=PLUGIN)
    with pytest.raises(TiqaError, match="'series' has no scores yet: score it in Slice quality first"):
        viewer.layers.save(str(tmp_path / "series.csv"), plugin=PLUGIN)
    viewer.layers.clear()
    scan(viewer)
    (tmp_path / "notes.zarr").mkdir()
    (tmp_path / "notes.zarr" / "mine.txt").write_text("kept")
    with pytest.raises(TiqaError, match="is a folder with other files in it"):
        viewer.layers.save(str(tmp_path / "notes.zarr"), plugin=PLUGIN)
    assert (tmp_path / "notes.zarr" / "mine.txt").read_text() == "kept"


def test_scores_are_saved_as_the_shell_writes_them(viewer: Viewer, tmp_path: Path) -> None:
    rows = [ScoredSlice(index, 3.0 * index, score) for index, score in enumerate([4.0, 2.0, 3.0])]
    record = {"volume": "scan", "axis": 0, "unit": "um", "voxel_size": [3.0, 1.5, 1.5]}
    run = ScoreRun("scan, axis z", "z", "um", 3.0, 0, {}, 3, rows, "done", record=record)
    layer = scan(viewer)
    save_runs(layer.metadata, [run])
    viewer.layers.save(str(tmp_path / "scan.csv"), plugin=PLUGIN)
    table = read_scores(tmp_path / "scan.csv")
    assert table["score"].tolist() == [4.0, 2.0, 3.0]
    assert table.attrs["volume"] == "scan"
