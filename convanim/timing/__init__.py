"""Timing: the duration of each frame, the motion between frames, and the reduction to a maximum file size."""
