"""``napari-tiqa segment``: the verbs of segmentation, a file each."""
