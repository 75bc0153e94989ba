"""The model process: its client, its worker, what they say to each other, and what every job needs."""
