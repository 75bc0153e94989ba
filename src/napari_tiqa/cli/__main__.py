"""``python -m napari_tiqa.cli``."""

import sys

from napari_tiqa.cli import main

sys.exit(main())
