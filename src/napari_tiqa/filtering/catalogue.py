"""All filters by name."""

from reprlib import repr as shortened

from napari_tiqa.errors import FilterError
from napari_tiqa.filtering import contrast, deblur, denoise, ring_removal, wavelet_fourier
from napari_tiqa.filtering.filter import Filter

FILTERS: dict[str, Filter] = {
    item.name: item
    for module in (ring_removal, wavelet_fourier, denoise, deblur, contrast)
    for item in module.FILTERS
}
"""Every filter by its name, in the order in which it is offered."""


def filter_named(name: str) -> Filter:
    """Return a filter; raises FilterError where none has that name."""
    if name not in FILTERS:
        raise FilterError(f"There is no filter {shortened(name)}: choose one of {', '.join(FILTERS)}.")
    return FILTERS[name]
