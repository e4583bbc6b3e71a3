"""Theme files: valid ones are read exactly, and each error is a sentence with the file, the key and a hint."""

import contextlib
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convanim.assets import templates
from convanim.draw import theme, themefile
from convanim.draw.theme import load, themes
from convanim.errors import ConvanimError
from support.commands import SMALL, run

LIGHT = (templates() / "themes" / "light.toml").read_text(encoding="utf-8")


def edited(pattern: str, by: str) -> str:
    """The light theme with a replacement in one place."""
    text, count = re.subn(pattern, by, LIGHT, count=1, flags=re.M)
    assert count == 1
    return text


def refused(path: Path, text: str | bytes) -> ConvanimError:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ConvanimError) as refusal:
        themefile.read(path)
    assert str(path) in refusal.value.message
    assert "\n" not in str(refusal.value)
    return refusal.value


SLIPS = {
    "a colour too short": (edited("^page = .*", 'page = "#fff"'), "page = '#fff' is not a colour", '"#0b63b8"'),
    "a word": (edited("^page = .*", 'page = "white"'), "page = 'white' is not a colour", '"#0b63b8"'),
    "a number": (edited("^page = .*", "page = 16777215"), "page = 16777215 is not a colour", '"#0b63b8"'),
    "nothing": (edited("^page = .*", "page = "), "is not TOML", 'page = "#ffffff"'),
    "an unknown key": (edited("^page = .*", 'pgae = "#ffffff"'), "the key 'pgae' is not known", "did you mean page"),
    "an odd key": (edited("^page = .*", 'zzz = "#ffffff"'), "the key 'zzz' is not known", "use page, text"),
    "an unknown section": (edited(r"^\[overlap\]", "[overlaps]"), "'overlaps' is not known", "did you mean overlap"),
    "an unknown inner key": (
        edited("^factor = ", "factors = "),
        "'kernel.factors' is not known",
        "did you mean factor",
    ),
    "a ramp misspelt": (edited("^heat_low", "heat_lo"), "'shade.heat_lo' is not known", "did you mean heat_low"),
    "a missing colour": (edited("^text = .*\n", ""), "text is missing", "at the top"),
    "a missing inner colour": (edited("^hatch = .*\n", ""), "cropped.hatch is missing", "below [cropped]"),
    "a section missing": (edited(r"^\[pending\].*\nfill = .*\n", ""), "pending.fill is missing", "below [pending]"),
    "a section as a colour": (
        edited(r"^\[pending\].*\nfill = ", "[unknown]\na = "),
        "'unknown' is not known",
        "use page",
    ),
    "a colour as a section": (edited("^page = .*", "page = {fill = '#ffffff'}"), "page = ", 'write page = "#0b63b8"'),
    "a section as a key": ('data = "#ffffff"\n', "data = '#ffffff' is in the wrong place", "[data]"),
    "a list": (edited("^page = .*", "page = [255, 255, 255]"), "page = [255, 255, 255] is not a colour", "#0b63b8"),
    "twice": (edited("^page = .*", 'page = "#ffffff"\npage = "#ffffff"'), "is not TOML", "write lines like"),
    "empty": ("", "page is missing", 'write page = "#0b63b8"'),
    "other bytes": (b"\xff\xfe\x00page", "is not TOML", "write lines like"),
    "large": ("# long\n" * 200_000, "has more than 1,048,576 bytes", "name an existing file"),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_told_with_its_place_and_a_cure(slip: str, tmp_path: Path) -> None:
    text, message, hint = SLIPS[slip]
    told = refused(tmp_path / "mine.toml", text)
    assert message in told.message
    assert hint in told.hint


@settings(max_examples=60)
@given(st.data())
def test_no_file_ends_in_anything_but_a_theme_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    lines = LIGHT.splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(lines) - 1))
        lines[at : at + 1] = data.draw(st.lists(st.text(max_size=12) | st.sampled_from(lines), max_size=2))
    path.write_text("\n".join(lines), encoding="utf-8")
    with contextlib.suppress(ConvanimError):
        found, all_keys = (set(themefile.read(one)) for one in (path, templates() / "themes" / "light.toml"))
        assert {key for key in found ^ all_keys if key.rpartition(".")[2] not in themefile.OPTIONAL} == set()


def test_capital_letters_are_colours_too(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(edited("^page = .*", 'page = "#ABCDEF"'), encoding="utf-8")
    assert themefile.read(tmp_path / "a.toml")["page"] == (0xAB, 0xCD, 0xEF)


# --- a file instead of a name ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mine.toml", "./mine", "folder/mine", "MINE.TOML"])
def test_what_looks_like_a_file_is_one(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    Path(name).write_text(edited("^page = .*", 'page = "#010203"'), encoding="utf-8")
    assert load(name).colour("page") == load(Path(name)).colour("page") == (1, 2, 3)
    Path(name).write_text(edited("^page = .*", 'page = "#040506"'), encoding="utf-8")
    assert load(name).colour("page") == (4, 5, 6)  # a file is read again, as it may be edited


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("light.toml", "did you mean light"),
        ("themes/drak", "did you mean dark"),
        ("nowhere.toml", "name an existing file"),
        ("a\0b.toml", "name an existing file"),
        ("a" * 3000 + ".toml", "name an existing file"),
    ],
)
def test_a_file_that_is_not_there_suggests_the_near_name(typed: str, hint: str) -> None:
    with pytest.raises(ConvanimError, match="does not exist") as refusal:
        load(typed)
    assert refusal.value.hint == hint


def test_a_folder_is_no_theme(tmp_path: Path) -> None:
    with pytest.raises(ConvanimError, match="cannot be read: is a directory; name an existing file"):
        load(tmp_path)


def test_the_command_line_takes_a_file(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text(LIGHT, encoding="utf-8")
    for name, look in (("a.png", mine), ("b.png", "light")):
        assert run(*SMALL, "--select", "last", "--theme", look, "-o", tmp_path / name).code == 0
    a, b = (tmp_path / name for name in ("a.png", "b.png"))
    assert len(a.read_bytes()) != 0 != len(b.read_bytes())
    mine.write_text(LIGHT.replace("[kernel]", "[kernle]"), encoding="utf-8")
    done = run(*SMALL, "--theme", mine, "-o", tmp_path / "c.png")
    assert (done.code, done.err) == (2, f"Error: theme {mine}: the key 'kernle' is not known; did you mean kernel?\n")
    assert not (tmp_path / "c.png").exists()


def test_the_help_names_every_theme() -> None:
    told = " ".join(run("conv", "--help").out.split()).replace("- ", "-")  # lines break after hyphens
    (said,) = re.findall(r"--theme NAME (.*?\.) \[default", told)
    assert all(name in said for name in (*themes(), theme.AUTO, "mine.toml"))
