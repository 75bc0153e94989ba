"""What image quality does to a segmentation."""
