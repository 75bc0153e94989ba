"""What the Train tab says: what there is to learn from, what speaks against it, what came out."""

from collections.abc import Mapping
from typing import Any

from napari_tiqa.segmentation.classes import Classes
from napari_tiqa.widgets.segmentation.train.label_count import LabelCount

_FEW = 50  # labelled pixels of a class


def learned_in_words(count: LabelCount, axis: int, axis_name: str, unlabelled: int | None) -> str:
    """Say which slices are learned from.

    Parameters
    ----------
    count : LabelCount
        With a label.
    axis : int
        That the slices lie along.
    axis_name : str
        Its name, for people.
    unlabelled : int or None
        The label value that means "not labelled".
    """
    if len(count.shape) < 3:
        return "Learns from the image."
    slices = count.learned_slices(axis, unlabelled)
    return f"Learns from {slices} slice{'s' * (slices > 1)} along {axis_name}."


def label_warnings(count: LabelCount, found: Classes, axis: int) -> list[str]:
    """Return sentences on what may spoil a training."""
    warnings = [
        f"Only {count.pixels[value]} pixels of '{name}' are labelled: paint some more of it."
        for value, name in zip(found.values, found.names, strict=True)
        if count.pixels[value] < _FEW
    ]
    if found.unlabelled is None and len(count.shape) > 2:
        slices = count.shape[axis]
        empty = slices - count.labelled[axis]
        if empty:
            warnings.append(
                f"{empty} of {slices} slices hold nothing but 0, and are learned from as such: if nobody has "
                "labelled them, choose that 0 means 'not labelled'."
            )
    return warnings


def agreement_in_words(card: Mapping[str, Any]) -> str:
    """Say how good a model is, from its card."""
    best, rows = card["training"]["best"], card["evaluation"]
    if not isinstance(rows, list):
        if best["iou"] is None:
            return "Nothing was left out, so it has not been validated."
        return f"On labelled pixels left out of training: mean IoU {best['iou']:.3f}."
    *classes, mean = rows
    known = [f"{row['class']} {row['f1']:.3f}" for row in classes if row["f1"] is not None]
    pixels = f"{mean['pixels']:.0f} labelled pixels left out of training"
    return f"On {pixels}: F1 {', '.join(known)}; mean IoU {mean['iou']:.3f}."
