"""The plugin's page in napari's Preferences: model and scales that docks open with, device, batch size.

napari keeps them from version 0.9 on, in a file beside its own settings; older ones have no such page, and
docks then go by what was chosen last. napari.yaml describes them.
"""

import threading
from dataclasses import dataclass
from typing import Any

from napari_tiqa.jobs.process.client import (
    ModelProcess,
    ProcessState,
    set_process_environment,
    shared_model_process,
)

PLUGIN = "napari-tiqa"
AS_LAST_USED = "as last used"
_IDLE = (ProcessState.READY, ProcessState.STARTING)
_NO_GPU = {"CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu"}


@dataclass(frozen=True)
class Preferences:
    """What the user prefers.

    Attributes
    ----------
    model : str
        Path of the bundle that docks open with; empty for the one used last.
    scales : str
        What Slice quality looks at, in its own words, or "as last used".
    device : str
        "automatic", a GPU wherever Keras finds one, or "CPU".
    batch_size : int
        Tiles that the network takes at once, at most.
    """

    model: str = ""
    scales: str = AS_LAST_USED
    device: str = "automatic"
    batch_size: int = 32


def preferences() -> Preferences:
    """Return what is set in napari's Preferences now; the defaults where napari has none."""
    kept = _kept()
    if kept is None:
        return Preferences()
    return Preferences(kept.model.strip(), kept.scales, kept.device, kept.batch_size)


def preference_events() -> Any:
    """Return napari's emitters ``model`` and ``scales``; None where napari has no preferences of plugins."""
    kept = _kept()
    if kept is None:
        return None
    # Once for all docks: connecting the same function again does nothing.
    kept.events.device.connect(apply_to_processes)
    kept.events.batch_size.connect(apply_to_processes)
    return kept.events


def apply_to_processes(_event: object = None) -> None:
    """Have model processes work as preferred: those started from now on, and an idle one at once."""
    chosen = preferences()
    environment = dict(_NO_GPU) if chosen.device == "CPU" else {}
    if chosen.batch_size != Preferences.batch_size:
        environment["NAPARI_TIQA_BATCH_SIZE"] = str(chosen.batch_size)
    if set_process_environment(environment) and (process := shared_model_process()).state in _IDLE:
        # In a thread: the end of a process is waited for.
        threading.Thread(target=_start_anew, args=(process,), daemon=True).start()


def _start_anew(process: ModelProcess) -> None:
    process.close()
    process.start()


def _kept() -> Any:
    try:
        from napari.settings import get_plugin_settings

        return get_plugin_settings(PLUGIN).scoring
    except (ImportError, KeyError, AttributeError):
        return None
