"""Scenes in which a window slides over planes."""
