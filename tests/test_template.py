"""Templates: built-in and own files, inheritance, and messages for errors."""

import json
import re
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

import convanim as ca
from convanim.assets import templates as folder
from convanim.cli.commands import main
from convanim.errors import ConvanimError
from convanim.look import Look
from convanim.page import USUAL, Style
from convanim.system.inputfile import line_of
from convanim.template import Template, described, read, schema, settle, templates
from convanim.template.keys import PageTable
from convanim.trace import Trace

ROOT = Path(__file__).resolve().parent.parent
ALL = templates()


def trace() -> Trace:
    return ca.ConvTranspose(3, stride=2, padding=1).trace(np.arange(9).reshape(3, 3), np.arange(9).reshape(3, 3))


def test_the_templates_that_are_promised_come_along() -> None:
    assert {"default", "slide", "readme", "square", "paper", "minimal", "solarized"} <= set(ALL)


@pytest.mark.parametrize("name", ALL)
def test_each_names_itself_and_draws_a_frame(name: str) -> None:
    template = read(name)
    assert template.about
    for view in ("zero-insertion", "overlap-add"):
        pixels = trace().animate(template=name, view=view, select="last").pixels(0)
        assert pixels.shape == (template.page.height, template.page.width, 3)
        assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 5


@pytest.mark.parametrize("name", ALL)
def test_editors_find_the_schema(name: str) -> None:
    first = (folder() / f"{name}.toml").read_text(encoding="utf-8").splitlines()[0]
    assert first == "#:schema ./template.schema.json"


def test_the_schema_is_not_stale() -> None:
    written = (folder() / "template.schema.json").read_bytes()
    assert written == schema(), "the keys of templates have changed: run `make schema`"
    made = json.loads(written)
    keys = {f"{t}.{k}" for t, d in made["$defs"].items() for k in d["properties"]}
    assert len(keys) + len(made["properties"]) - len(made["$defs"]) == len(described())


def test_the_default_is_the_usual_page() -> None:
    own = read("default")
    assert own.style == USUAL == Style() == Template().style
    assert settle().style == settle(Look(template="default")).style
    text = (folder() / "default.toml").read_text(encoding="utf-8")
    unset = {
        "extends",
        "max_size",
        "pace.seconds_per_step",
        "pace.hold_first",
        "pace.hold_last",
    }  # keys without a default value
    assert {k for k, _, _ in described() if not re.search(rf"^{k.rpartition('.')[2]} = ", text, re.M)} == unset


def test_the_usual_gif_is_the_same_with_and_without_it(tmp_path: Path) -> None:
    for name, options in (("a.gif", {}), ("b.gif", {"template": "default"}), ("c.gif", {"template": read("default")})):
        trace().animate(select="0,4,last", width=480, **options).save(tmp_path / name)
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


def test_the_page_about_templates_has_every_key() -> None:
    page = (ROOT / "docs" / "templates.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `([\w.]+)` \| (.*?) \| (.*?) \|$", page, re.M)
    assert told == [(name, values.replace("|", "\\|"), why) for name, values, why in described()]
    named = re.findall(r"^\| `(\w+)` \| ([^|]*) \|$", page, re.M)
    assert {name for name, _ in named} == set(ALL)


def test_the_help_names_every_template() -> None:
    commands = main.commands.values()
    told = {option.help for each in commands for option in each.params if option.name == "template"}
    assert told
    for text in told:
        listed = re.search(r"Page template: (.*?), or your own file", text)
        assert listed
        assert set(listed[1].split(", ")) == set(ALL)


# --- options take the place of keys --------------------------------------------------------------------------------


def test_options_take_the_place_of_keys() -> None:
    own = settle(Look(template="square", width=540, theme="dark", hold_last=1, caption=False))
    assert (*own.size, own.theme, own.look.hold_last) == (540, 540, "dark", 1)
    assert (own.style.captions, own.style.counter, own.style.title) == (False, False, True)
    assert settle(Look(template="square", height=300)).size == (300, 300)
    assert settle(Look(template="square", width=640, height=300)).size == (640, 300)


def test_layout_motion_and_size_are_handed_on() -> None:
    assert (settle().look.layout, settle().look.motion, settle().look.max_size) == (None, "auto", None)
    assert settle(Look(template="readme")).look.max_size == "1MB"
    own = settle(Look(template="readme", layout="flat", motion="smooth", max_size="300KB")).look
    assert (own.layout, own.motion, own.max_size) == ("flat", "smooth", "300KB")


def test_a_template_made_in_python_is_looked_at() -> None:
    assert settle(Look(template=Template(page=PageTable(width=640, height=640)))).size[1] == 640
    with pytest.raises(ConvanimError, match=r"`\$.page.width`"):
        settle(Look(template=Template(page=PageTable(width=6))))


def test_the_readme_template_gives_small_files() -> None:
    for view in ("zero-insertion", "overlap-add", "both"):
        assert trace().animate(template="readme", view=view).save(BytesIO(), "gif").size < 1_000_000
    large = ca.Conv(5).trace(np.arange(784).reshape(28, 28), np.ones((5, 5), int))
    assert large.animate(template="readme").save(BytesIO(), "gif").size < 1_000_000


def test_the_size_of_a_template_does_not_keep_a_trace_from_being_saved(tmp_path: Path) -> None:
    trace().animate(template="readme").save(tmp_path / "up.json")
    with pytest.raises(ConvanimError, match=r"cannot be combined with \.json"):
        trace().animate(template="readme", max_size="1MB").save(tmp_path / "down.json")
    assert [path.name for path in tmp_path.iterdir()] == ["up.json"]


def test_a_title_that_is_given_is_shown() -> None:
    assert not settle(Look(template="minimal")).style.title
    assert settle(Look(template="minimal", title="Blur")).style.title


def test_numbers_are_shown_or_not_whatever_the_template() -> None:
    assert not settle(Look(numbers=False)).style.numbers
    assert settle(Look(template="minimal", numbers=True)).style.numbers


def test_the_pace_of_a_template_holds(tmp_path: Path) -> None:
    own = tmp_path / "quick.toml"
    own.write_text('extends = "readme"\n[pace]\nseconds_per_step = 0.1\nhold_last = 1.5\nhold_first = 2\n')
    quick = trace().animate(template=own)
    assert quick.plan.shots[0].milliseconds == 2000
    assert trace().animate(template=own, hold_first=4).plan.shots[0].milliseconds == 4000
    assert quick.plan.shots[-1].milliseconds == 1500
    assert trace().animate(template=own, seconds_per_step=0.4).plan.seconds > quick.plan.seconds
    own.write_text("[pace]\nlongest = 12\n")
    large = ca.Conv(3).trace(np.ones((30, 30), int), np.ones((3, 3), int))
    assert large.animate(template=own).plan.seconds <= 12 < large.animate().plan.seconds <= 30


def test_a_page_of_an_odd_shape_is_refused_before_it_is_drawn(tmp_path: Path) -> None:
    own = tmp_path / "wide.toml"
    own.write_text("[page]\nwidth = 4000\nheight = 130\n")
    with pytest.raises(ConvanimError, match=r"400 px width is 13 px high; give height, too"):
        settle(Look(template=own, width=400))
    with pytest.raises(ConvanimError, match=r"200 px height is 6154 px wide; give width, too"):
        settle(Look(template=own, height=200))


# --- what appears ---------------------------------------------------------------------------------------------------


def test_the_minimal_page_has_no_text_at_all() -> None:
    for view in ("zero-insertion", "overlap-add", "both", "matrix", "overlap"):
        page = trace().animate(template="minimal", view=view).page
        texts = [page.title, page.detail, *page.signs, *(tab.idle for tab in page.tabs)]
        texts += [slot.text for slot in page.captions]
        assert not [text for text in texts if text.text or text in page.captions]
        assert not page.counts
        for place in page.places.values():
            assert (place.number, place.note, place.panel.titles, place.scale) == (0, 0, (), None)
            assert not place.shaded
    assert list(trace().animate(template="minimal").page.places) == ["stage", "output"]
    assert list(trace().animate(template="minimal", view="overlap-add").page.places) == ["input", "canvas"]


def test_cells_without_numbers_have_the_colour_of_their_role() -> None:
    one = trace().animate(template="minimal", select="last")
    other = ca.ConvTranspose(3, stride=2, padding=1).trace(np.full((3, 3), 7), np.full((3, 3), -5))
    assert (one.pixels(0) == other.animate(template="minimal", select="last").pixels(0)).all()


@pytest.mark.parametrize("key", ["title", "phases", "captions", "panel_titles"])
def test_the_room_of_what_is_left_out_goes_to_the_grids(key: str, tmp_path: Path) -> None:
    own = tmp_path / "less.toml"
    shown = f"{key} = false\n" + {"title": "detail = false\n", "captions": "counter = false\n"}.get(key, "")
    own.write_text(f"[cells]\nlargest = 400\n[show]\n{shown}")
    op = ca.Conv(3, padding=2).trace(np.ones((9, 3), int), np.ones((3, 3), int))
    (usual, less), name = (op.animate(template=t).page.places for t in ("default", own)), "stage"
    assert less[name].pitch > usual[name].pitch


def test_without_motion_colours_the_window_is_only_an_outline(tmp_path: Path) -> None:
    own = tmp_path / "print.toml"
    own.write_text("[show]\nmotion_colours = false\nnotes = false\nkernel = false\n")
    animation = trace().animate(template=own, select="step:8")
    place = animation.page.places["stage"]
    grid = next(iter(animation.frames())).grids["stage"]
    (window,) = grid.outlines
    amber = animation.theme.colour("kernel.fill")
    assert grid.emphasis[window.top + 1, window.left + 1]
    top, left, bottom, right = place.cell(window.top + 1, window.left + 1)
    seen = animation.pixels(0)
    assert not (seen == amber).all(axis=2).any()
    assert (seen == animation.theme.colour("kernel.stroke")).all(axis=2).any()
    assert tuple(seen[top + 3, left + 3]) == animation.theme.colour("inserted.fill")
    assert (bottom - top, right - left) == (place.pitch - place.line,) * 2


def images(data: bytes) -> list[tuple[bytes, int]]:
    """Every image of a GIF as read by Pillow: its pixels, and its duration in ms."""
    with Image.open(BytesIO(data)) as file:
        return [(f.convert("RGB").tobytes(), f.info["duration"]) for f in ImageSequence.Iterator(file)]


@pytest.mark.parametrize("template", ["minimal", "readme", "default"])
@pytest.mark.parametrize("motion", ["step", "smooth"])
def test_as_many_frames_are_told_as_there_are_in_the_file(template: str, motion: str) -> None:
    for look in ({}, {"select": "all"}, {"max_size": 40_000, "width": 480}):
        file = BytesIO()
        saved = trace().animate(template=template, motion=motion, **look).save(file, "gif")
        found = images(file.getvalue())
        assert saved.frames == len(found)
        assert saved.seconds == sum(ms for _, ms in found) / 1000


@pytest.mark.parametrize("template", ["minimal", "default"])
def test_nobody_waits_for_a_kernel_that_turns_unseen(template: str) -> None:
    file, animation = BytesIO(), trace().animate(template=template)
    saved = animation.save(file, "gif")
    found = images(file.getvalue())
    shots, beats = animation.plan.shots, animation.scene.beats
    # The first and last frames and all placements have their planned durations; the others are no longer than a phase.
    assert (found[0][1], found[-1][1]) == (shots[0].milliseconds, shots[-1].milliseconds)
    placed = sum(s.milliseconds for s in shots if 0 <= s.frame - beats.opening < beats.steps * beats.each)
    if template == "minimal":  # there is nothing to read
        assert sum(ms > 1400 for _, ms in found[1:-1]) <= 1  # the first placement takes longer
    left = [pixels for i, (pixels, _) in enumerate(found) if i == 0 or pixels != found[i - 1][0]]
    assert len(left) == len(found)
    assert placed < saved.seconds * 1000
    assert (saved.seconds < animation.plan.seconds) == (template == "minimal")
    ends = {beats.opening + (n + 1) * beats.each - 1 for n in range(beats.steps)}
    opening, closing = set(range(beats.opening)), range(beats.total - beats.closing, beats.total)
    if template == "default":  # reading every caption takes too long: only the last frame of each phase is shown
        phases = [animation.scene.frame(i).phase for i in range(beats.opening)]
        opening = {i for i in opening if i in (0, beats.opening - 1) or phases[i] != phases[i + 1]}
    shown = {shot.frame for shot in shots}  # numbers for --select are unchanged
    assert {i for i in shown if i < beats.opening} == opening
    assert {*ends, *closing} <= shown


def test_an_end_that_looks_like_what_was_before_is_held_as_the_last_frame_is(tmp_path: Path) -> None:
    own = tmp_path / "quiet.toml"
    own.write_text("[show]\nphases = false\ncaptions = false\ncounter = false\ntitle = false\ndetail = false\n")
    a = ca.Conv(2).trace(np.ones((3, 3), int), np.ones((2, 2), int))
    file = BytesIO()
    a.animate(template=own, hold_last=2).save(file, "gif")
    assert images(file.getvalue())[-1][1] == 2000


def test_the_text_of_a_template_without_captions_has_none(tmp_path: Path) -> None:
    trace().animate(template="minimal").save(tmp_path / "a.txt")
    trace().animate().save(tmp_path / "b.txt")
    less, usual = ((tmp_path / name).read_text(encoding="utf-8") for name in ("a.txt", "b.txt"))
    assert "output[" not in less
    assert "output[" in usual


# --- one's own files, and what they extend --------------------------------------------------------------------------


def test_a_file_extends_a_file_beside_it(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text('extends = "slide"\nabout = "base"\n[type]\ntitle = 50\nsmall = 30\n')
    (tmp_path / "my.toml").write_text('extends = "base.toml"\ntheme = "dark"\n[type]\nsmall = 31\n')
    own = read(tmp_path / "my.toml")
    assert (own.type.title, own.type.small, own.type.caption, own.theme) == (50, 31, read("slide").type.caption, "dark")
    assert own.about is None


def test_a_theme_lies_beside_its_template_wherever_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sub").mkdir()
    dark = (folder() / "themes" / "dark.toml").read_text(encoding="utf-8")
    (tmp_path / "sub" / "near.toml").write_text(dark.replace('page = "', 'page = "#123456" # ', 1))
    (tmp_path / "sub" / "my.toml").write_text('theme = "near.toml"')
    (tmp_path / "sub" / "more.toml").write_text('extends = "my.toml"\n[show]\ntitle = false')
    monkeypatch.chdir(tmp_path)
    for name in ("my", "more"):
        assert trace().animate(template=f"sub/{name}.toml").theme.colour("page") == (0x12, 0x34, 0x56)


def test_a_template_may_be_edited_anywhere_with_a_byte_order_mark_and_dos_lines(tmp_path: Path) -> None:
    own = tmp_path / "my.toml"
    own.write_bytes(b'\xef\xbb\xbf# mine\r\ntheme = "dark"\r\n')
    assert read(str(own)).theme == "dark"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("# my\n\n[page]\nheight = 300\n\n# note\n  widht = 3", 7, "page.widht is not a key; did you mean width"),
        ("page.widht = 3", 1, "page.widht is not a key; did you mean width"),
        ("\npage = { widht = 3 }", 2, "page.widht is not a key; did you mean width"),
        ('[page]\n"wid ht" = 3', 2, "page.'wid ht' is not a key; did you mean width"),
        ("width = 640", 1, "width is not a key; did you mean page.width"),
        ("\n[shwo]\ntitle = false", 2, "shwo is not a key; did you mean show"),
        ("\n[zzz]", 2, "zzz is not a key; use one of extends, about,"),
        ("[page]\nwidth = 'wide'", 2, 'page.width = "wide" is not an integer from 120 to 4096; write width = 1280'),
        ("[page]\nheight = 640\nwidth = 12", 3, "page.width = 12 is not an integer from 120 to 4096"),
        ("[page]\nwidth = 99999999999999999999999", 2, "is not an integer from 120 to 4096"),
        ("[page]\nwidth = true", 2, "page.width = true is not an integer"),
        ("[page]\nwidth = 640.5", 2, "page.width = 640.5 is not an integer"),
        ("[type]\nsmallest = nan", 2, "type.smallest = nan is not a number from 0 to 10"),
        ("[show]\n\ntitle = 1", 3, "show.title = 1 is not true or false; write title = true"),
        ("theme = 3", 1, "theme = 3 is not a string"),
        ("page = 3", 1, "page = 3 is not a table"),
        ("[[page]]\nwidth = 300", 1, "is not a table"),
        ('\nlayout = "falt"', 2, 'layout = "falt" is not one of "auto", "flat", "isometric"; did you mean "flat"'),
        ('motion = "smoth"', 1, 'did you mean "smooth"'),
        ('\n\ntheme = "drak"', 3, "theme 'drak' is not known; did you mean dark"),
        ('about = "x"\nmax_size = "1XB"', 2, "max_size '1XB' is not a size; write it like 1MB"),
        ("[pace]\nhold_first = 9999", 2, "pace.hold_first 9999 is not between 0.02 and 3600 seconds"),
        ("[pace]\nhold_last = 0.001", 2, "pace.hold_last 0.001 is not between 0.02 and 3600 seconds"),
        ("[pace]\nlongest = 1", 2, "pace.longest = 1 is not a number from 5 to 3600"),
        ('extends = "slied"', 1, "template 'slied' is not known; did you mean slide"),
        ('about = "x"\nextends = "../my.toml"', 2, "extends '../my.toml' is not in the folder of my.toml"),
        ('extends = "/etc/my.toml"', 1, "extends '/etc/my.toml' is not in the folder of my.toml"),
        ('\ntheme = "../near.toml"', 2, "theme '../near.toml' is not in the folder of my.toml; put both files"),
        ('theme = "/etc/near.toml"', 1, "theme '/etc/near.toml' is not in the folder of my.toml"),
        ('\ntheme = "near.toml"', 2, "theme 'near.toml' does not exist beside my.toml; name a file"),
        ('theme = "my.toml"', 1, "my.toml: the key 'theme' is not known"),
        ('extends = "other.toml"', 1, "does not exist beside my.toml"),
        ('extends = "my.toml"', 1, "my.toml extends my.toml, which is circular"),
        ("theme = ", 1, "this is not TOML: "),
        ("\n\nthis is prose", 3, "this is not TOML: "),
        ('\nabout = "', 2, "this is not TOML: "),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_line(text: str, line: int, said: str, tmp_path: Path) -> None:
    own = tmp_path / "my.toml"
    own.write_text(text, encoding="utf-8")
    with pytest.raises(ConvanimError) as caught:
        read(own)
    assert str(caught.value).startswith(f"{own}, line {line}: "), caught.value
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_circle_of_files_is_told_where_it_closes(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('extends = "b.toml"')
    (tmp_path / "b.toml").write_text('\nextends = "a.toml"')
    with pytest.raises(ConvanimError, match=r"b.toml, line 2: a.toml extends b.toml extends a.toml, which is circ"):
        read(tmp_path / "a.toml")


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "secret.toml").write_text("")
    (tmp_path / "inner" / "base.toml").symlink_to(tmp_path / "secret.toml")
    (tmp_path / "inner" / "my.toml").write_text('extends = "base.toml"')
    with pytest.raises(ConvanimError, match="is not in the folder"):
        read(tmp_path / "inner" / "my.toml")


def test_what_is_no_template_is_refused(tmp_path: Path) -> None:
    (tmp_path / "large.toml").write_bytes(b"#" * (1 << 20) + b"#")
    (tmp_path / "latin.toml").write_bytes("# \n# größer".encode("latin-1"))
    (tmp_path / "deep.toml").write_text("a = " + "[" * 5000)
    (tmp_path / "folder.toml").mkdir()
    for name, said in {
        "large.toml": "has more than 1,048,576 bytes",
        "latin.toml": "line 2: this is not UTF-8",
        "deep.toml": "is nested too deeply|this is not TOML",
        "folder.toml": "is a folder",
        "none.toml": "cannot be read: no such file",
        "zero\0.toml": "cannot be read",
    }.items():
        with pytest.raises(ConvanimError, match=said):
            read(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("slied", "did you mean slide"),
        ("my", "use one of default, "),
        ("", "use one of"),
        (3, "is not a name or a path"),
    ],
)
def test_an_unknown_template_is_refused(name: str, said: str) -> None:
    with pytest.raises(ConvanimError, match=said):
        read(name)


def test_a_table_is_found_where_its_key_has_no_line() -> None:
    assert line_of("theme = 'x'\n[page]\n", ("page", "width")) == 2
    assert line_of("theme = 'x'\n", ("page", "width")) == 0
