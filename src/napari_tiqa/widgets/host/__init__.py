"""What docks ask of napari itself: its task manager, its shortcuts, its preferences; what docks remember."""
