"""The model processes that tests have started."""

import psutil

from napari_tiqa.jobs.process.client import shared_model_process


def model_processes() -> list[psutil.Process]:
    """Return those of this process, the last started last, without the one that all tests share."""
    children = psutil.Process().children(recursive=True)
    workers = [child for child in children if "napari_tiqa.jobs.process.worker" in child.cmdline()]
    others = [worker for worker in workers if worker.pid != shared_model_process().pid]
    return sorted(others, key=lambda worker: worker.create_time())
