"""Segmentation of slices into phases by D-LinkNet: its training, uncertainty, agreement with labels.

``segment``, ``train_segmenter`` and ``study_segmentation``, which work through the model process, are names
of ``napari_tiqa`` itself.
"""
