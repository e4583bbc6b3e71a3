"""The baseline: the reference scene as it is usually scripted, with FuncAnimation and PillowWriter.

A transposed convolution (3x3 input, 3x3 kernel, stride 2, padding 1) as zero insertion and a sliding window: 25
placements on 1000 x 500 px. Every frame clears both axes and draws them again, with a number in each cell, as in the
usual recipes. REPEATS repeats the placements: the slope is the cost of one more frame.

Usage: python bench/funcanimation.py OUT.gif [REPEATS]
"""

import sys

import matplotlib as mpl

mpl.use("Agg")

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.animation import FuncAnimation, PillowWriter
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

SIDE, KERNEL, STRIDE, PADDING = 3, 3, 2, 1
OUTPUT = (SIDE - 1) * STRIDE + KERNEL - 2 * PADDING


def stage() -> np.ndarray:
    """The input with zeros between and around its cells, for a kernel that slides with stride 1."""
    ring = KERNEL - 1 - PADDING
    spread = np.zeros((OUTPUT + KERNEL - 1,) * 2)
    spread[ring : len(spread) - ring : STRIDE, ring : len(spread) - ring : STRIDE] = np.arange(1, 10).reshape(3, 3)
    return spread


def panel(axes: Axes, title: str, grid: np.ndarray, corner: tuple[int, int], size: int) -> None:
    """Draw one grid from scratch: shades, numbers, and the window as an outline of `size` cells."""
    axes.clear()
    axes.set(title=title)
    axes.imshow(grid, cmap="Blues")
    axes.set(xticks=[], yticks=[])
    for row, values in enumerate(grid):
        for column, value in enumerate(values):
            axes.text(column, row, f"{value:g}", horizontalalignment="center", verticalalignment="center")
    top, left = corner
    axes.add_patch(Rectangle((left - 0.5, top - 0.5), size, size, edgecolor="orange", linewidth=3, fill=False))


def animate(path: str, repeats: int = 1) -> int:
    """Write the animation, and return the number of its frames."""
    wide, result = stage(), np.zeros((OUTPUT, OUTPUT))
    slid = np.arange(1.0, 10).reshape(KERNEL, KERNEL)[::-1, ::-1]
    figure, (left, right) = plt.subplots(ncols=2, figsize=(10, 5), dpi=100)

    def show(number: int) -> None:
        corner = divmod(number % result.size, OUTPUT)
        if corner == (0, 0):
            result.fill(0)
        window = wide[corner[0] :, corner[1] :][:KERNEL, :KERNEL]
        result[corner] = np.sum(window * slid)
        panel(left, "Input", wide, corner, KERNEL)
        panel(right, "Output", result, corner, 1)

    frames = repeats * result.size
    FuncAnimation(figure, show, frames=frames).save(path, writer=PillowWriter(fps=1))
    plt.close(figure)
    return frames


if __name__ == "__main__":
    animate(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1)
