"""Versions of this installation and of the libraries it computes with."""

from importlib.metadata import PackageNotFoundError, version


def version_of(package: str) -> str:
    """Return a package's version; a source tree, or a build of another name, has no metadata."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


__version__ = version_of("napari-tiqa")
