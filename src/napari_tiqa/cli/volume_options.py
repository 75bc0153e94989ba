"""The options that say which tomogram, labels, axis, slices, window and model: the same for every command."""

import argparse
from typing import TYPE_CHECKING

from napari_tiqa.errors import VolumeError
from napari_tiqa.volumes.slice_grammar import SLICES_HELP, check_slices

if TYPE_CHECKING:
    from napari_tiqa.volumes.volume import Volume


def add_volume_options(parser: argparse.ArgumentParser, *, window: bool = True) -> None:
    """Add INPUT and the options that go with it."""
    parser.add_argument(
        "input", metavar="INPUT", help="TIFF file or folder of TIFFs, HDF5, Zarr, .npy or .mrc"
    )
    parser.add_argument(
        "--axis", type=_axis, default=0, metavar="N", help="axis to go along: z (0, default), y (1) or x (2)"
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
    if window:
        parser.add_argument(
            "--window",
            type=float,
            nargs=2,
            metavar=("LOW", "HIGH"),
            help="intensity window in the volume's grey values; default: estimated from the volume",
        )


def add_model_option(
    parser: argparse.ArgumentParser,
    meaning: str = "model bundle (.tiqa)",
    *,
    option: str = "--model",
    bundled: str = "the bundled one",
) -> None:
    """Add ``--model``; the model in the options is None for the bundled one."""
    parser.add_argument(option, type=bundle, metavar="MODEL", help=f"{meaning}; default: {bundled}")


def bundle(text: str) -> str | None:
    """Read the path of a bundle; "default" is the bundled one, None."""
    return None if text == "default" else text


def add_slices_option(parser: argparse.ArgumentParser, meaning: str) -> None:
    """Add ``--slices``; `meaning` begins its help: "score only these"."""
    parser.add_argument("--slices", type=_slices, metavar="SLICES", help=f"{meaning}: {SLICES_HELP}")


def add_region_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--region``."""
    parser.add_argument(
        "--region",
        metavar="circle|FILE",
        help="where the pixels lie that count: circle, that of the reconstruction, or a label image of the "
        "shape of INPUT or of a slice, nonzero inside; default: whole slices",
    )


def add_aim_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--aim``."""
    from napari_tiqa.jobs.filtering.objective import AIMS, FIDELITY

    parser.add_argument(
        "--aim",
        choices=AIMS,
        default=FIDELITY,
        help="what filtered slices are compared by: fidelity, the estimated nearness to a perfect scan "
        "(default), or score, what people would say",
    )


def add_labels_options(parser: argparse.ArgumentParser) -> None:
    """Add LABELS and the options that go with it."""
    parser.add_argument("labels", metavar="LABELS", help="label image: one integer class per pixel of INPUT")
    parser.add_argument(
        "--labels-dataset", metavar="NAME", help="dataset of LABELS inside an HDF5 or Zarr file"
    )
    parser.add_argument(
        "--unlabelled",
        type=_label,
        default=0,
        metavar="N",
        help="label value that means not labelled (default 0); none where every pixel is labelled",
    )


def chosen_volume(options: argparse.Namespace) -> "Volume":
    """Open the tomogram that the options name; raises VolumeError, as ``open_volume``."""
    from napari_tiqa.volumes.open import open_volume

    volume = open_volume(options.input, options.dataset)
    # Without --at, the command itself asks for a choice if there is one.
    return volume.tomogram(**dict(options.at)) if options.at else volume


def chosen_labels(options: argparse.Namespace) -> "Volume":
    """Open the labels that the options name; raises VolumeError, as ``open_volume``."""
    from napari_tiqa.volumes.open import open_volume

    return open_volume(options.labels, options.labels_dataset)


def add_scheduler_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--scheduler``: the cluster that does the work."""
    parser.add_argument(
        "--scheduler",
        dest="client",
        metavar="ADDRESS",
        help="do the work on a dask.distributed cluster, such as tcp://10.0.0.1:8786; its workers have to "
        "see the files of volume and model (needs napari-tiqa[cluster])",
    )


def chosen_window(options: argparse.Namespace) -> tuple[float, float] | None:
    """Return the window that the options give, None for the volume's own."""
    return tuple(options.window) if options.window else None


def _slices(text: str) -> str:
    try:
        check_slices(text)
    except VolumeError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def _axis(text: str) -> int | str:
    """Read an axis; whether the volume has it is said once it is open."""
    return int(text) if text.strip().isdecimal() else text.strip()


def _place(text: str) -> tuple[str, int]:
    axis, _, index = text.partition("=")
    try:
        return axis, int(index)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not AXIS=INDEX, such as t=3") from None


def _label(text: str) -> int | None:
    if text == "none":
        return None
    if not text.strip().isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is neither a label value nor none")
    return int(text)
