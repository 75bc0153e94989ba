"""The network, what it sees of a slice, its bundle and the table of scores."""
