"""What people said of images."""
