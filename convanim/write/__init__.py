"""File formats: the writer of each, and files that are written completely or not at all."""
