"""Scenes that show two scenes side by side, in lockstep."""
