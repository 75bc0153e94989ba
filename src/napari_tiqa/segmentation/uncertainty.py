"""How unsure a segmentation is, pixel by pixel, and whether its errors lie where it is unsure."""

import math
from functools import cache

import numpy as np
from scipy.special import entr


def uncertainty_map(probabilities: np.ndarray) -> np.ndarray:
    """Return the entropy of the class probabilities of each pixel.

    Parameters
    ----------
    probabilities : numpy.ndarray
        Shape (classes, ...), any float type, 0 to 1, adding up to 1 over the classes.

    Returns
    -------
    numpy.ndarray
        Shape (...), float32, nats: 0 where one class is certain, ln(classes) where all are alike; NaN where
        a probability is NaN.

    Notes
    -----
    H = -sum p ln p (Shannon 1948), as in Zhang et al., npj Computational Materials 8 (2022). Each pixel
    stands for itself, so that it may be called block by block with all classes of a block.
    """
    entropy = np.zeros(probabilities.shape[1:], np.float32)
    for probability in probabilities:
        if probability.dtype == np.float16:
            entropy += _entr_of_halves()[probability.view(np.uint16)]
        else:
            entropy += entr(probability.astype(np.float32))
    # Rounding, of float16 above all, can take it a little beyond what there is.
    return np.clip(entropy, 0, np.float32(math.log(len(probabilities))), out=entropy)


@cache
def _entr_of_halves() -> np.ndarray:
    """Return -p ln p of all half floats, by their bits: a look-up takes a quarter of the time."""
    return entr(np.arange(2**16, dtype=np.uint16).view(np.float16).astype(np.float32))


def found_errors(uncertainty: np.ndarray, wrong: np.ndarray, share: float = 0.2) -> float:
    """Return the share of the wrong pixels that is among the most uncertain ones.

    Parameters
    ----------
    uncertainty : numpy.ndarray
        Any shape; pixels that are NaN are left out.
    wrong : numpy.ndarray
        Shape of `uncertainty`, bool: where the segmentation is wrong. Leave out of both what has no truth.
    share : float
        Share of the pixels that counts as the most uncertain, 0 to 1.

    Returns
    -------
    float
        0 to 1; by chance it would be `share`. NaN where no pixel is wrong. Of pixels that are as uncertain
        as the last of those that count, as many count as are needed, with the share of errors of all of them.
    """
    judged = ~np.isnan(uncertainty)
    uncertainty, wrong = uncertainty[judged], wrong[judged]
    errors = int(wrong.sum())
    if not errors:
        return math.nan
    looked_at = round(share * uncertainty.size)
    if not looked_at:
        return 0.0
    least = np.partition(uncertainty, -looked_at)[-looked_at]
    above, level = uncertainty > least, uncertainty == least
    part = (looked_at - above.sum()) / level.sum()
    return float((wrong[above].sum() + part * wrong[level].sum()) / errors)
