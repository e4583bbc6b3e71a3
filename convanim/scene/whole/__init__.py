"""Scenes that show a whole layer at once, such as its matrix."""
