"""What makes the models that the package ships; not in the wheel.

A command each, run in the project's root: ``python -m models.default DATA -o FILE``, likewise
``models.fidelity`` and ``models.electrode``.
"""

import os

from napari_tiqa.scoring.keras_configuration import BACKEND

# Here, since modules of this package import Keras before a command can configure it.
os.environ.setdefault("KERAS_BACKEND", BACKEND)
