"""The options of an animation: one record for editors, type checkers, `help` and the interpreter."""

import inspect
import pydoc
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import convanim as ca
from convanim.cli.commands import main
from convanim.gallery.description import FIELDS
from convanim.look import COMMON, OPTIONS, Look

TRACE = ca.Conv(kernel_size=2).trace([[1, 2, 3], [4, 5, 6]], [[1, 1], [1, 1]])


@pytest.mark.parametrize("call", ["ca.Conv(2).trace([[1, 2]], [[1]]).animate(", "ca.Animation(trace, "])
def test_an_editor_completes_every_option(call: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    jedi = pytest.importorskip("jedi", reason="completes names as editors do; a part of '.[dev]'")
    monkeypatch.setattr(jedi.settings, "cache_directory", tmp_path)
    found = jedi.Script(f"import convanim as ca\n{call}").complete(2, len(call))
    assert set(OPTIONS) <= {name.name.rstrip("=") for name in found}


def test_a_type_checker_knows_the_types(tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="checks types; a part of '.[dev]'")
    used = tmp_path / "used.py"
    used.write_text(
        "import convanim as ca\n"
        "trace = ca.Conv(2).trace([[1, 2]], [[1]])\n"
        "trace.animate(view='overlap-add', width=640).save('a.gif')\n"
        "ca.Animation(trace, theme='dark')\n"
        "trace.animate(width='640')\n"
        "trace.animate(wdith=640)\n"
        "ca.Animation(trace, lang=3)\n"
        "trace.animate()[0].grids, trace.animate()[0:2][0].grids, trace[0].terms, trace[0:2][0].terms\n"
    )
    words = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), "--no-error-summary", str(used)]
    root = Path(ca.__file__).parent.parent
    ran = subprocess.run(words, capture_output=True, text=True, check=False, cwd=root, timeout=300)
    lines = [line for line in ran.stdout.splitlines() if ": error:" in line]
    assert [line.split(":")[1] for line in lines] == ["5", "6", "7"], ran.stdout + ran.stderr


@pytest.mark.parametrize("method", [ca.Trace.animate, ca.Animation, ca.Animation.__init__])
def test_help_shows_each_option_with_its_type_and_default(method: object) -> None:
    shown = inspect.signature(method).parameters  # type: ignore[arg-type]
    assert [shown[name] for name in OPTIONS] == list(inspect.signature(Look).parameters.values())
    told = pydoc.render_doc(method, renderer=pydoc.plaintext)
    assert "layout: 'str | None' = None" in told
    assert "Show indexed letters instead of values" in told


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'wdith'"):
        TRACE.animate(wdith=640)


def test_the_command_line_and_the_gallery_have_the_same_options() -> None:
    """Options that a command or an entry names differently, or derives from its input, are listed here."""
    typed = {option.name for option in main.commands["transposed"].params}
    assert set(COMMON) <= typed
    assert set(OPTIONS) - typed == {"beside", "align", "colours", "grad", "made_by"}
    keys = {one.key for one in OPTIONS.values()}
    assert keys - set(FIELDS) == {"beside", "colours", "made_by", "script", "animated", "tex"}


# --- what a module and an animation are in an interpreter -------------------------------------------------------------


def test_the_package_lists_its_public_names() -> None:
    assert [name for name in dir(ca) if name not in ca.__all__] == ["__version__", "gallery"]
    for name in dir(ca):
        assert getattr(ca, name) is not None


def test_an_animation_is_a_sequence_of_its_frames() -> None:
    shown = TRACE.animate(select="1..5")
    frames = list(shown)
    assert len(frames) == len(shown) == 5
    for a, b in [(shown[3], frames[3]), (shown[-1], frames[4]), (shown[np.int64(1)], frames[1])]:
        assert (a.step, a.captions) == (b.step, b.captions)
        assert all((a.grids[name].values == b.grids[name].values).all() for name in b.grids)
    assert [frame.captions for frame in shown[1:-1:2]] == [frames[1].captions, frames[3].captions]
    assert shown[5:] == []
    for number in (5, -6, 10**30):
        with pytest.raises(IndexError, match=f"there is no frame {number}: they are 0 to 4"):
            shown[number]
        with pytest.raises(IndexError, match="there is no frame"):
            shown.pixels(number)
    with pytest.raises(TypeError, match="the number of a frame is an integer, not str"):
        shown["1"]  # type: ignore[call-overload]


def test_a_slice_of_a_trace_is_its_steps() -> None:
    assert [step.number for step in TRACE[0:2]] == [0, 1]
    assert [step.number for step in TRACE[::-1]] == list(range(len(TRACE)))[::-1]
    assert TRACE[-1:][0].terms.tolist() == TRACE[-1].terms.tolist()
    assert TRACE[9:] == []
    with pytest.raises(TypeError):
        TRACE[0.5:]  # type: ignore[misc]


def test_a_wrong_input_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="theme 'drak' is not known; did you mean dark"):
        TRACE.animate(theme="drak")
