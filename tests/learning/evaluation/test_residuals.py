"""Residuals of an evaluation: what is off, by how much, for which specimen and artefact."""

import numpy as np
import pandas as pd
import pytest

from napari_tiqa.learning.evaluation.residuals import residual_sentence, residual_table


def rows() -> pd.DataFrame:
    """Return scores that are right but for the noise of coal, .9 too high, and all of wood, .2 too low."""
    rows = pd.DataFrame(
        [
            (specimen, family, label)
            for specimen in ("coal", "wood")
            for family in ("", "noise", "noise", "blur")
            for label in (2.0, 3.0, np.nan)
        ],
        columns=["specimen", "family", "label"],
    )
    rows["score"] = rows["label"].fillna(1.0) + np.where(rows["specimen"] == "wood", -0.2, 0)
    rows["score"] += np.where((rows["specimen"] == "coal") & (rows["family"] == "noise"), 0.9, 0)
    return rows


def test_the_largest_residual_comes_first() -> None:
    table = residual_table(rows())
    assert table.columns.tolist() == ["specimen", "family", "images", "residual", "deviation"]
    assert table.iloc[0][["specimen", "family", "images"]].tolist() == ["coal", "noise", 4]
    assert table["residual"][0] == pytest.approx(0.9)
    wood = table[table["specimen"] == "wood"]
    assert set(wood["family"]) == {"original", "noise", "blur"}
    np.testing.assert_allclose(wood["residual"], -0.2)
    np.testing.assert_allclose(table["deviation"], 0, atol=1e-12)


def test_the_sentence_says_what_is_off() -> None:
    typical = np.sqrt((0.9**2 + 3 * 0.2**2) / 6)
    sentence = residual_sentence(residual_table(rows()))
    assert f"root mean square {typical:.2f} points over 6" in sentence
    assert sentence.endswith("largest +0.90 (coal, noise).")
    assert residual_sentence(residual_table(rows().assign(label=np.nan))) == ""
