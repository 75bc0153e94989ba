"""The options that say which tomogram, axis, slices, window and model: the same for all who score."""

import argparse

from napari_tiqa.jobs.filtering.objective import AIMS, FIDELITY
from napari_tiqa.volumes.open import open_volume
from napari_tiqa.volumes.volume import Volume


def add_volume_options(parser: argparse.ArgumentParser, *, model: bool = True) -> None:
    """Add INPUT and the options that go with it; the model only where something is scored."""
    parser.add_argument(
        "input", metavar="INPUT", help="TIFF file or folder of TIFFs, HDF5, Zarr, .npy or .mrc"
    )
    parser.add_argument(
        "--axis", type=int, default=0, metavar="N", help="axis to go along: 0 (z, default), 1 (y) or 2 (x)"
    )
    parser.add_argument("--dataset", metavar="NAME", help="dataset inside an HDF5 or Zarr file")
    parser.add_argument(
        "--at",
        type=_place,
        action="append",
        default=[],
        metavar="AXIS=INDEX",
        help="which time or channel of a larger file, such as t=3; may be repeated",
    )
    parser.add_argument(
        "--window",
        type=float,
        nargs=2,
        metavar=("LOW", "HIGH"),
        help="intensity window in the volume's grey values; default: estimated from the volume",
    )
    if model:
        parser.add_argument("--model", metavar="PATH", help="model bundle (.tiqa); default: the bundled one")


def add_slices_option(parser: argparse.ArgumentParser, meaning: str) -> None:
    """Add ``--slices``; `meaning` begins its help: "score only these"."""
    parser.add_argument(
        "--slices",
        type=_slices,
        metavar="A:B:STEP",
        help=f"{meaning}, as in Python: 100:200, ::10, -5:, or indices: 12 or 12,40,77",
    )


def add_aim_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--aim``."""
    parser.add_argument(
        "--aim",
        choices=AIMS,
        default=FIDELITY,
        help="what filtered slices are compared by: fidelity, the estimated nearness to a perfect scan "
        "(default), or score, what people would say",
    )


def chosen_volume(options: argparse.Namespace) -> Volume:
    """Open the tomogram that the options name.

    Raises
    ------
    VolumeError
        As ``open_volume`` and ``Volume.tomogram``.
    """
    volume = open_volume(options.input, options.dataset)
    # Where nothing was said, what scores it asks for a choice if there is one.
    return volume.tomogram(**dict(options.at)) if options.at else volume


def chosen_window(options: argparse.Namespace) -> tuple[float, float] | None:
    """Return the window that the options give, None for the volume's own."""
    return tuple(options.window) if options.window else None


def _slices(text: str) -> slice | list[int]:
    try:
        if ":" not in text:
            return [int(index) for index in text.split(",")]
        parts = [int(part) if part.strip() else None for part in text.split(":")]
    except ValueError:
        parts = []
    match parts:
        case [_, _] | [_, _, None]:
            return slice(*parts)
        case [_, _, int(step)] if step:
            return slice(*parts)
    raise argparse.ArgumentTypeError(f"{text!r} is not A:B, A:B:STEP, an index or several with commas")


def _place(text: str) -> tuple[str, int]:
    axis, _, index = text.partition("=")
    try:
        return axis, int(index)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not AXIS=INDEX, such as t=3") from None
