"""Images to learn from: originals, their distorted versions, observers and labels."""
