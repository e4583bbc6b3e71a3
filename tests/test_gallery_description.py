"""Descriptions: typed, with errors that name file, line and key, and each equal to its command."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convanim.cli.commands import main
from convanim.commands import COMMANDS
from convanim.errors import ConvanimError
from convanim.gallery import check, read_folder
from convanim.gallery.description import FIELDS, Entry, asked, check_name, command, files_of, options_of
from convanim.gallery.work import Task, animate, work
from convanim.layers import parse
from convanim.look import Look
from convanim.template.settings import settle
from support.galleries import TEXT, everything, here, put
from support.weighted import FIELD

ROOT = Path(__file__).resolve().parent.parent


def wrong(folder: Path, text: str, **others: str) -> str:
    """The error of an entry called a."""
    described = read_folder(put(folder, a=text, **others))
    if "a" in described.broken:
        return described.broken["a"]
    return here(folder, "a").failed["a"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "a.toml has no layer; write layer ="),
        ('layer = "Conv(2)"\n', "a.toml has no input; write input ="),
        (TEXT + "widht = 3\n", "a.toml line 5: 'widht' is not a key; did you mean width?"),
        (TEXT.replace("640", '"x"'), "a.toml line 3: width needs int, got str"),
        (TEXT + "[more]\n", "a.toml line 5: 'more' is not a key"),
        (TEXT + "formats = 1\n", "is not TOML"),
        ('layer = "Conv(2)"\ninput = "3x3"\nformats = []\n', "a.toml line 3: formats [] are empty"),
        ('layer = "Conv(2)"\ninput = "3x3"\nformats = ["../x"]\n', "a.toml line 3: formats has '../x'"),
        ('layer = "Conv(2)"\ninput = "3x3"\nformats = ["gfi"]\n', "format 'gfi' is not known"),
        (TEXT + 'stem = "../../etc/x"\n', "a.toml line 5: stem '../../etc/x' is not a valid name"),
        (TEXT + 'stem = "aux.x"\n', "reserved by Windows"),
        (TEXT + 'extends = "b"\n', "a.toml line 5: extends 'b', which does not exist"),
        (TEXT + 'extends = "a"\n', "a.toml line 5: a extends a, which is circular"),
        (TEXT + "extends = 3\n", "a.toml line 5: extends is not a name or a list of names"),
        ('layer = "Cnv(2)"\ninput = "3x3"\n', "'Cnv' in 'Cnv(2)' is not a known layer; did you mean Conv"),
        ('layer = "Conv(9)"\ninput = "3x3"\n', "a.toml"),
        ('layer = "Conv(2)"\n\ninput = "nowhere.csv"\n', "a.toml line 3: input 'nowhere.csv' cannot be read"),
        ('layer = "Conv(2)"\ninput = "/etc/x.csv"\n', "a.toml line 2: input '/etc/x.csv' lies outside"),
        ('layer = "Conv(2)"\ninput = "../x.csv"\n', "a.toml line 2: input '../x.csv' lies outside"),
        ('layer = "Conv(2)"\ninput = "-"\n', "a.toml reads from standard input"),
        ('layer = "Conv(2)"\ninput = [[1, "x"]]\n', "a.toml line 2: "),
        (
            'layer = "MaxPool(2)"\ninput = "4x4"\nkernel = "3"\n',
            "a.toml line 3: kernel cannot be combined with MaxPool(2)",
        ),
        (
            'layer = "Conv(2)"\ninput = "4x4"\nkernel = "3x3"\n',
            "kernel has the size 3, but Conv(kernel_size=2) has the size 2",
        ),
        (
            TEXT + 'view = "slidng"\n',
            "a.toml line 5: view 'slidng' is not known for a convolution; did you mean sliding",
        ),
        (TEXT + 'theme = "drak"\n', "a.toml line 5: theme 'drak' is not known; did you mean dark"),
        (TEXT + "seed = -1\n", "a.toml line 5: seed -1 is negative"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    said = wrong(tmp_path, text)
    assert told in said
    assert said.startswith("a.toml")
    assert said.endswith((".", "?"))
    assert "\n" not in said


def test_a_circle_of_several_is_found(tmp_path: Path) -> None:
    said = wrong(tmp_path, 'extends = "b"\n', b='extends = ["c", "d"]\n', c="", d='extends = "a"\n')
    assert "a extends b extends d extends a, which is circular" in said
    many = {f"n{i}": f'extends = "n{i + 1}"\n' for i in range(40)} | {"n40": TEXT}
    assert "extend one another" in read_folder(put(tmp_path / "many", **many)).broken["n0"]


def test_what_comes_later_wins(tmp_path: Path) -> None:
    put(
        tmp_path,
        gallery='[defaults]\nwidth = 500\ntheme = "dark"\nplays = 2\n',
        _x=TEXT,
        _y='view = "matrix"\nseed = 1\n',
    )
    put(tmp_path, a='extends = ["_x", "_y"]\nseed = 2\n')
    entry = read_folder(tmp_path).entries["a"]
    assert (entry.width, entry.theme, entry.view, entry.seed, entry.plays) == (640, "dark", "matrix", 2, 2)
    assert list(read_folder(tmp_path).entries) == ["a"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[defaults]\nwidht = 1\n", "gallery.toml line 2: 'widht' is not a key of an entry; did you mean width"),
        ("titel = 'x'\n", "gallery.toml line 1: 'titel' is not a key; did you mean title"),
        ('root = "/etc"\n', "gallery.toml line 1: root '/etc' is absolute"),
        ("title = ", "gallery.toml is not TOML"),
        ('title = "x"\n[[sections]]\nabout = "y"\n', "gallery.toml line 2 has no title; write title ="),
        ('title = "x"\npair = {sufix = "-x"}\n', "gallery.toml line 2: 'sufix' is not a key; did you mean suffix"),
    ],
)
def test_settings_that_are_wrong_stop_it(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConvanimError, match=re.escape(told)):
        read_folder(put(tmp_path, gallery=text))


def test_files_that_are_no_descriptions(tmp_path: Path) -> None:
    put(tmp_path, good=TEXT)
    (tmp_path / "latin.toml").write_bytes('title = "é"'.encode("latin-1"))
    with (tmp_path / "large.toml").open("wb") as file:
        file.truncate(50 << 20)
    (tmp_path / "deep.toml").write_text(f"layer = {'[' * 5000}")
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "gone.toml").symlink_to("nowhere")
    (tmp_path / "zero.toml").write_bytes(b"\0")
    described = read_folder(tmp_path)
    assert list(described.entries) == ["good"]
    told = described.broken
    assert set(told) == {"latin", "large", "deep", "folder", "gone", "zero"}
    assert "not UTF-8 at byte 9" in told["latin"]
    assert "has more than 1,048,576 bytes; put arrays into" in told["large"]
    report = here(tmp_path)
    assert (report.made, set(report.failed)) == (["good"], set(told))


@pytest.mark.parametrize(
    "name", ["con", "NUL", "com1.x", "lpt9", "a b", "é", "readme", "Index", "manifest", ".x", "-x", "x."]
)
def test_names_that_are_none_everywhere(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConvanimError):
        check_name(name)
    if name not in (".x",):
        assert list(read_folder(put(tmp_path, **{name: TEXT})).broken) == [name]


def test_two_entries_with_one_file(tmp_path: Path) -> None:
    put(tmp_path, a=TEXT, A=TEXT, b=TEXT + 'stem = "c"\n', c=TEXT)
    described = read_folder(tmp_path)
    if len(list(tmp_path.glob("*.toml"))) == 4:  # a case-sensitive disk
        assert "its file a.txt is also that of A.toml" in described.broken["a"]
    assert "its file c.txt is also that of b.toml" in described.broken["c"]


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ConvanimError, match="is not a folder"):
        read_folder(tmp_path / "none")


KEYS = st.sampled_from([*FIELDS, "extends", "defaults", "x"])
PLAIN = st.one_of(
    st.text(max_size=12),
    st.integers(-3, 2**70),
    st.floats(),
    st.booleans(),
    st.lists(st.integers(-2, 9), max_size=3),
    st.sampled_from(["Conv(2)", "3x3", "a", "b", "../a", "gif", "light", "overlap", "x.csv", "1e999", "9999x9999"]),
)


def toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return "".join(c if c.isalnum() or c in " .()/" else f"\\U{ord(c):08X}" for c in value).join('""')
    return f"[{', '.join(map(toml, value))}]" if isinstance(value, list) else str(value)


@settings(max_examples=60)
@given(st.dictionaries(KEYS, PLAIN, max_size=5), st.text(max_size=30), st.binary(max_size=30), st.booleans())
def test_broken_descriptions_never_cost_a_good_file(
    tmp_path_factory: pytest.TempPathFactory, table: dict[str, object], text: str, data: bytes, typed: bool
) -> None:
    folder = put(tmp_path_factory.mktemp("g"), good=TEXT)
    here(folder)
    good = {name: everything(folder)[name] for name in ("good.txt", "good.toml")}
    usual = {"formats": ["txt"], **({"layer": "Conv(2)", "input": "3x3"} if typed else {})}
    lines = [f"{key} = {toml(value)}" for key, value in (usual | table).items() if value is not None]
    put(folder, a="\n".join(lines))
    (folder / "b.toml").write_bytes(text.encode("utf-8", "surrogatepass"))
    (folder / "c.toml").write_bytes(data)
    for row in check(folder, jobs=1):
        assert "\n" not in row.told
    report = here(folder)
    assert "good" in report.kept
    for sentence in report.failed.values():
        assert sentence.endswith((".", "?"))
        assert "this is a fault of convanim" not in sentence
    assert {name: everything(folder)[name] for name in good} == good


# An entry and its command.


ENTRIES = {
    "conv": Entry(layer="Conv((3, 2), stride=(2, 1), padding=((1, 0), (0, 1)))", input="5x5", fill="ones", bias=0.5),
    "same": Entry(layer="Conv(3, 2, padding='same', convention='keras')", input="6x6", symbols=True),
    "reflect": Entry(
        layer="Conv(3, padding=1, padding_mode='reflect', dilation=2)", input="6x6", caption=False, numbers=False
    ),
    "backward": Entry(layer="Conv(2)", input="4x4", grad=[[1, 2, 3], [4, 5, 6], [7, 8, 9]], backward=True),
    "transposed": Entry(layer="ConvTranspose(3, stride=2, output_padding=1)", input="2x2", view="both"),
    "deep": Entry(layer="ConvTranspose(2)", input="2x2x2", kernel="2x2", out_channels=2, seed=1, fill="random"),
    "mean": Entry(layer="AvgPool(2, stride=1, padding=1, count_include_pad=False)", input="3x3", select=2),
    "norm": Entry(layer="LpPool(2, norm_type=1, ceil_mode=True)", input="3x3"),
    "max": Entry(layer="MaxPool(2, dilation=2, stride=1)", input="4x4", drawn_title="It's a 'title'"),
    "unpool": Entry(layer="MaxUnpool(2)", input="4x4", hold_first=2.5, hold_last=1.5),
    "up": Entry(layer="Upsample(scale_factor=(2, 3))", input="2x2", seconds_per_step=0.5, plays=1),
    "bilinear": Entry(layer="Upsample(size=5, mode='bilinear', coordinates='asymmetric')", input="2x2"),
    "shuffle": Entry(layer="PixelShuffle(3, order='DCR')", input="9x2x2"),
    "unshuffle": Entry(layer="PixelUnshuffle(2, convention='onnx')", input="1x4x4"),
    "line": Entry(layer="torch.nn.Conv2d(1, 1, 3, padding=1)", input="3x3", theme="dark"),
    "compare": Entry(layer="Conv(3)", compare="Conv(3, padding=1)", input="4x4"),
}


@pytest.mark.parametrize("name", ENTRIES)
def test_its_command_makes_the_same_file(name: str, tmp_path: Path) -> None:
    entry = ENTRIES[name]
    made = work(Task(name, entry, {}))
    assert not made.error
    words = shlex.split(command(name, entry))
    subprocess.run([sys.executable, "-m", *words, "--quiet"], check=True, cwd=tmp_path)
    assert (tmp_path / f"{name}.gif").read_bytes() == made.files[f"{name}.gif"]


@pytest.mark.parametrize("kind", [*COMMANDS, "layer", "compare"])
def test_an_entry_can_have_every_option_of_its_command(kind: str) -> None:
    drawn = {"input" if p.name == "x" else str(p.name) for p in main.commands[kind].params}
    lines = {"notation", "first", "second", "as_json"}
    files = {"output", "format", "sheet", "open_it", "quiet", "script", "animated", "tex"}  # an entry has `formats`
    assert {name.rstrip("_") for name in drawn - lines - files} == set(options_of(kind))  # as_ is the key as


@pytest.mark.parametrize(("name", "notation", "size", "output"), FIELD)
def test_the_field_s_figures_are_there_under_their_names(name: str, notation: str, size: int, output: int) -> None:
    folder = read_folder(ROOT / "gallery")
    entry = folder.entries[name]
    assert entry.replaces == name
    assert files_of(name, entry)[0] == f"{name}.gif"
    trace = animate(entry).trace
    assert trace.axes == parse(notation).axes((size, size))
    assert trace.output.shape == (output, output)
    placed = [tuple(step.writes[0][-2:]) for step in trace.by_output()]
    assert placed == [(y, x) for y in range(output) for x in range(output)]  # row by row, as in the figure


def test_every_row_of_the_figures_is_there() -> None:
    stands = {e.replaces: (e.layer, e.input) for e in read_folder(ROOT / "gallery").entries.values() if e.replaces}
    for s, p, count in ((1, 0, 9), (1, 1, 25), (2, 0, 4), (2, 1, 9), (2, 3, 25), (3, 2, 9)):
        layer, size = stands[f"conv_S{s}P{p}"]
        assert parse(layer).axes((5, 5)) == parse(f"Conv(3, {s}, padding={p})").axes((5, 5))
        assert size == "5x5"
        assert parse(layer).axes((5, 5))[0].output ** 2 == count
    for s, p, i in ((1, 0, 3), (1, 1, 5), (2, 0, 2), (2, 1, 3)):
        layer, size = stands[f"transposed_conv_S{s}P{p}"]
        assert (size, parse(layer).axes((i, i))[0].output) == (f"{i}x{i}", 5)
    others = ("numerical_no_padding_no_strides", "numerical_padding_strides", "numerical_average_pooling")
    letters = ("alphabet_conv", "alphabet_conv_s2", "alphabet_conv_transposed", "alphabet_conv_s2_transposed")
    assert {*others, *letters, "numerical_max_pooling", "pixel_shuffle", "pixel_unshuffle"} < set(stands)


def test_what_replaces_a_figure_looks_like_it() -> None:
    folder = read_folder(ROOT / "gallery")
    for name, entry in folder.entries.items():
        if entry.replaces:
            assert entry.theme == "solarized", name
            template = str(entry.template)
            shown = settle(Look(template=ROOT / template if template.endswith(".toml") else template)).template.show
            assert shown.numbers == (name.split("_")[0] in ("numerical", "alphabet")), name
            words = (shown.title, shown.detail, shown.phases, shown.panel_titles, shown.captions, shown.counter)
            assert not any(words), name


def test_the_gallery_is_small_and_whole() -> None:
    made = [path for path in (ROOT / "gallery").rglob("*") if path.is_file()]
    folder = read_folder(ROOT / "gallery")
    assert sum(path.stat().st_size for path in made) < 112e3 * len(folder.entries)
    for name, entry in folder.entries.items():
        assert entry.title, name
        assert entry.alt, name
        assert entry.tags, name
        assert all((folder.path / file).exists() for file in files_of(name, entry))
    assert check(ROOT / "gallery", jobs=1, quick=True) == []


def test_a_picture_of_its_own_is_read_from_the_root(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("1,2\n3,4\n")
    put(tmp_path / "g", gallery='root = ".."\n', a='layer = "Conv(2)"\ninput = "x.csv"\nformats = ["json"]\n')
    assert here(tmp_path / "g").made == ["a"]
    entry = read_folder(tmp_path / "g").entries["a"]
    assert asked(entry)[1]["input"] == "x.csv"
    assert animate(entry, {"x.csv": str(tmp_path / "x.csv")}).trace.output.tolist() == [[1 * 2 + 2 * 3 + 3 * 1 + 4 * 2]]
    file = BytesIO()
    animate(entry, {"x.csv": str(tmp_path / "x.csv")}).save(file, "gif")
    assert b"--input x.csv" in file.getvalue()
    assert str(tmp_path).encode() not in file.getvalue()


def test_a_file_may_be_named_in_every_way_that_leads_into_the_root(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("1,2\n3,4\n")
    names = ("x.csv", "./x.csv", "g/../x.csv", f"../{tmp_path.name}/x.csv", str(tmp_path / "x.csv"))
    text = 'layer = "Conv(2)"\ninput = "{}"\nformats = ["txt"]\n'
    folder = put(tmp_path / "g", gallery='root = ".."\n', **{f"e{i}": text.format(n) for i, n in enumerate(names)})
    report = here(folder)
    assert (len(report.made), report.failed) == (len(names), {})
    assert len({(folder / f"e{i}.txt").read_bytes() for i in range(len(names))}) == 1


def test_an_entry_may_have_a_file_and_a_list(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("1,2\n3,4\n")
    put(tmp_path, a='layer = "Conv(2)"\ninput = "x.csv"\nkernel = [[1, 0], [0, 2]]\nformats = ["txt"]\n')
    assert here(tmp_path).made == ["a"]
    entry, files = read_folder(tmp_path).entries["a"], {"x.csv": str(tmp_path / "x.csv")}
    assert animate(entry, files).trace.output.tolist() == [[9]]
    assert command("a", entry).startswith("convanim conv --input x.csv --kernel '[[1,0],[0,2]]'")
