"""matplotlib's compiled modules, loaded with and without the package around them, each in a process of its own."""

import subprocess
import sys

import pytest

from convanim.system import compiled

DRAW = """
import sys
from convanim import Conv
Conv(kernel_size=3).trace([[1] * 4] * 4, [[1] * 3] * 3).animate(layout="isometric").save(sys.argv[1])
"""
PLOT = """
import matplotlib
matplotlib.use("agg")
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
FigureCanvasAgg(Figure()).figure.text(0.5, 0.5, "a word").figure.savefig(sys.argv[2])
"""
SAME = """
import matplotlib.backends.backend_agg
import matplotlib.ft2font
from convanim.system import compiled
assert compiled.load("ft2font").FT2Font is matplotlib.ft2font.FT2Font
assert compiled.load("backends._backend_agg").RendererAgg is matplotlib.backends._backend_agg.RendererAgg
"""


def python(code: str, *arguments: object) -> str:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_animation_is_drawn_without_importing_matplotlib(tmp_path) -> None:
    loaded = python(
        f"{DRAW}\nprint(*(name for name in sys.modules if name.split('.')[0] == 'matplotlib'))", tmp_path / "a.gif"
    )
    assert loaded.strip() == ""


def test_matplotlib_works_whether_it_is_imported_before_or_after(tmp_path) -> None:
    python(DRAW + PLOT + SAME, tmp_path / "a.gif", tmp_path / "a.png")
    python("import sys\n" + PLOT + DRAW + SAME, tmp_path / "b.gif", tmp_path / "b.png")
    assert (tmp_path / "a.gif").read_bytes() == (tmp_path / "b.gif").read_bytes()
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_the_folder_is_matplotlibs_own() -> None:
    import matplotlib as mpl

    assert str(compiled.folder() / "mpl-data") == mpl.get_data_path()


@pytest.mark.parametrize("before", ["", "import matplotlib"])
def test_a_module_that_is_not_there_is_an_import_error(before: str) -> None:
    python(f"""{before}
from convanim.system import compiled
try:
    compiled.load("_no_such_module")
except ImportError as error:
    assert "_no_such_module" in str(error)
else:
    raise SystemExit(1)
""")
