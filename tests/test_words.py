"""Words in other languages: every template of the source has its translation, and no word on a page escapes."""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, reject, settings

from convanim.animation import Animation
from convanim.errors import ConvanimError
from convanim.language.words import Catalogue, Said, both, join, parts_of, plural, rejoin, say, translate
from convanim.layers import AvgPool, Conv, ConvTranspose, LpPool, MaxPool, MaxUnpool, PixelShuffle, Upsample
from convanim.page import faces, fonts, glyphs, layout
from convanim.scene import VIEWS, Scene, Shown, compared, scene
from convanim.scene.spoken import Spoken, catalogue, languages, names, read
from convanim.scene.window.unpool import UnpoolScene
from support.needs import need_wide_font
from support.operations import OF
from support.pages import check_apart
from support.scenes import any_scene, coloured, compared_traces, pairs, shown, some_frames

ROOT = Path(__file__).resolve().parent.parent
OTHERS = [lang for lang in languages() if lang != "en"]
#: Those whose letters the usual font lacks.
WIDE = {"ja", "zh"}


# --- the source and the catalogues ------------------------------------------------------------------------------------


def templates(source: str) -> Iterator[str]:
    """Every template that a module says, if it takes its words from `convanim.language.words`."""
    tree = ast.parse(source)
    ours = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "convanim.language.words"
        for alias in node.names
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id not in ours:
            continue
        for given_text in node.args[: {"say": 1, "plural": 2}.get(node.func.id, 0)]:
            assert isinstance(given_text, ast.Constant), f"line {node.lineno}: a template is a literal"
            yield given_text.value


SAID = sorted(
    {text for file in (ROOT / "convanim").rglob("*.py") for text in templates(file.read_text(encoding="utf-8"))}
    | set(templates((ROOT / "convanim" / "language" / "words.py").read_text(encoding="utf-8")))
    | {"{a} and {b}"}  # said by the module of words itself, which imports it from nowhere
)


def test_the_source_is_read_and_only_literals_are_let_through() -> None:
    assert len(SAID) > 200
    assert {"{n} zero", "{n} zeros", "output", "{subject} {one} in {a} and {two} in {b}"} <= set(SAID)
    assert list(templates("from convanim.cli.shell import say\nsay(message)")) == []
    with pytest.raises(AssertionError, match="a template is a literal"):
        list(templates("from convanim.language.words import say\nsay('one ' + 'two')"))


@pytest.mark.parametrize("lang", OTHERS)
def test_a_catalogue_has_what_the_source_says_and_nothing_else(lang: str) -> None:
    words = catalogue(lang).words
    assert set(SAID) - set(words) == set()
    assert set(words) - set(SAID) == set()
    for template, translation in words.items():
        assert names(template) == names(translation), template
        assert translation.strip() == translation != "", template
        # A title is parted from its sizes by three spaces, and a separator should not look like that.
        assert "  " not in translation, template


@pytest.mark.parametrize("lang", OTHERS)
def test_a_catalogue_is_not_english(lang: str) -> None:
    """What is the same in both is a term that both have; most is not."""
    words = catalogue(lang).words
    long = {t: w for t, w in words.items() if len(re.findall("[a-z]{2,}", re.sub(r"\{\w+\}", "", t))) > 2}
    assert len(long) > 100
    assert {t for t, w in long.items() if t == w} == set()


def test_there_are_the_six_languages() -> None:
    assert {"de", "en", "es", "fr", "ja", "zh"} <= set(languages())
    assert catalogue("en") is None
    assert len({catalogue(lang).name for lang in OTHERS}) == len(OTHERS)


# --- faults -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("dee", "did you mean de"),
        ("zh-CN", "did you mean zh"),
        ("DE", "did you mean de"),
        ("klingon", f"use one of {', '.join(languages())}"),
        ("", f"use one of {', '.join(languages())}"),
        ("../themes/dark", "is not known"),
        (7, "is not a name"),
        (["de"], "is not a name"),
    ],
)
def test_an_unknown_language_is_refused_with_those_there_are(lang: Any, said: str) -> None:
    with pytest.raises(ConvanimError, match=re.escape(said)):
        Animation(Conv(2).trace([1, 2, 3], [1, 1]), lang=lang)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'[words]\n"rows" = "Zeilen"', "missing required field 'name'"),
        (b'name = "x"\nword = 1\n[words]', "unknown field 'word'"),
        (b'name = "x"\n[words]\n"rows" = 3', r"'\$.words\[...\]'"),
        (
            b'name = "x"\n[words]\n"{n} rows" = "Zeilen"',
            r"'\{n\} rows' = 'Zeilen' has different values from its key; use",
        ),
        (b'name = "x"\n[words]\n"rows" = "{n} Zeilen"', "use no"),
        (b'name = "x"\n[words]\n"{n} rows" = "{n Zeilen"', "'{n Zeilen'"),
        (b'name = "x"\n[words]\n"{n} rows" = "{n.real} Zeilen"', "is not a plain name"),
        (b'name = "x"\n[words]\n"{n} rows" = "{n:>999999999} Zeilen"', "is not a plain name"),
        (b'name = "x"\nseparators = 3\n[words]', r"'\$.separators'"),
        (b'name = "x"\n[words]\n[separators]\n" - " = "/"', "' - ' in .separators. is not a separator; use ', '"),
        (b'name = "x"\n[words]\n[separators]\n", " = " "', "', ' = ' ' in .separators. is not a sign"),
        (b'name = "x"\n[words]\n[separators]\n", " = "   "', "is not a sign"),
        (b'name = "x"\n[words]\n[separators]\n", " = ",\\n"', "is not a sign"),
        (b'name = "x"\n[words]\n[separators]\n", " = " and "', "is not a sign"),
        (b"name = 'x", "lang/xx.toml"),
        (b"\xff\xfe", "lang/xx.toml"),
    ],
)
def test_a_fault_in_a_catalogue_names_the_file_and_the_key(text: bytes, said: str) -> None:
    with pytest.raises(ConvanimError, match=said) as refusal:
        read("xx", text)
    assert "lang/xx.toml" in str(refusal.value)


@pytest.mark.parametrize("lang", OTHERS)
def test_what_a_catalogue_says_is_parted_by_its_own_signs(lang: str) -> None:
    """Where a language has signs of its own, its phrases have them, too: none is English by half."""
    found = catalogue(lang)
    for sign, own in found.separators.items():
        for template, translation in found.words.items():
            said_so = translation.replace(own, "").replace(own.rstrip(), "")
            assert sign not in said_so, template
            assert not said_so.endswith(sign.strip()), template


def test_separators_are_those_of_the_language_and_otherwise_english() -> None:
    words = Catalogue("xx", "X", {"a": "A"}, {": ": " : "})
    assert translate(join(": ", [say("a"), join(", ", [say("a"), "b"])]), words) == "A : A, b"
    assert translate(join(" × ", ["1", "2"]), words) == "1 × 2"
    assert {lang for lang in OTHERS if catalogue(lang).separators} == {"fr", "ja", "zh"}


def test_words_that_a_catalogue_lacks_are_named() -> None:
    with pytest.raises(ConvanimError, match="the language xx has no words for 'output'; add them to"):
        translate(say("output"), Catalogue("xx", "X", {}))


# --- templates --------------------------------------------------------------------------------------------------------


def test_what_is_said_reads_as_english_and_is_translated_from_the_inside_out() -> None:
    words = Catalogue("xx", "X", {"{n} row": "R{n}", "{n} rows": "RR{n}", "{a} and {b}": "{b}&{a}", "left": "L"})
    rows = plural("{n} row", "{n} rows")
    text = join("; ", [both([rows(1), rows(2), say("left")]), "3×3"])
    assert text == "1 row and 2 rows and left; 3×3"
    assert isinstance(text, Said)
    assert translate(text, words) == "L&RR2&R1; 3×3"
    assert translate(text, None) is text
    assert translate("output", words) == "output"  # nobody said it: it is a name, or a number


def test_parts_stay_apart_until_they_are_joined_anew() -> None:
    inner = join("   ", [say("kernel {n}", n=3), say("stride {n}", n=2)])
    outer = join("   ", [inner, "reflect"])
    assert parts_of(outer) == ("kernel 3", "stride 2", "reflect")
    assert rejoin(outer, ", ") == "kernel 3, stride 2, reflect"
    assert parts_of(join(", ", [inner])) == (inner,)
    assert translate(rejoin(outer, ", "), catalogue("de")) == "Kern 3, Schrittweite 2, reflect"


# --- no word escapes --------------------------------------------------------------------------------------------------


class Marked(Catalogue):
    """A language in which all words stand between marks."""

    def of(self, template: str) -> str:
        pieces = re.split(r"(\{\w+\})", template)
        return "".join(p if p.startswith("{") or not p.strip() else f"«{p}»" for p in pieces)


MARKS = Marked("marks", "Marks", {})
#: Names, what is typed for an argument, and the signs of arithmetic that have three letters.
LAYERS = "|".join(kind.__name__ for kind in (*OF, MaxUnpool, Upsample))
FREE = re.compile(
    rf"\b({LAYERS})\(|\b\w+(=|…)|'\w+'|max\(|\bmod\b|\b(PyTorch|Keras|JAX|ONNX|CRD|DCR|None|True|False)\b"
    r"|\b(same|valid|full|causal|same_lower|same_upper|notset|reflect|symmetric|replicate|circular|zeros)\b"
    r"|\b(nearest|bilinear|nails|half_pixel|asymmetric|align_corners)\b",
    re.IGNORECASE,
)


def escaped(text: str) -> list[str]:
    """The words of a text that stand outside of the marks."""
    return re.findall("[A-Za-z]{3,}", FREE.sub(" ", re.sub("«[^«»]*»", " ", text)))


def words_on(s: Scene) -> Iterator[str]:
    yield from (s.title, s.detail)
    for phase in s.phases:
        yield from (phase.label, phase.short)
    for panel in s.panels:
        yield from (*panel.titles, panel.notes, panel.sign)
    for frame in some_frames(s):
        for caption in frame.captions:
            yield caption.text()
        for grid in frame.grids.values():
            yield from (grid.title, *grid.notes.values())


def check_marked(s: Scene) -> None:
    marked = Spoken(s, MARKS)
    assert {word: text for text in words_on(marked) for word in escaped(text)} == {}
    for frame in some_frames(marked):
        for panel in marked.panels:
            assert frame.grids[panel.name].title in panel.titles


@settings(max_examples=300)
@given(any_scene())
def test_no_word_of_a_scene_escapes(s: Scene) -> None:
    check_marked(s)


@settings(max_examples=30)
@given(shown() | coloured())
def test_no_word_of_planes_and_pictures_escapes(case: tuple[Any, Scene]) -> None:
    check_marked(case[1])


@settings(max_examples=60)
@given(pairs().map(lambda case: case[:2]) | compared_traces())
def test_no_word_of_a_comparison_escapes(case: tuple[Any, Any]) -> None:
    try:
        s = compared(*case)
    except ConvanimError:
        reject()
    check_marked(s)


def test_an_escaped_word_would_be_noticed() -> None:
    s = scene(Conv(2).trace([1, 2, 3], [1, 1]))
    s.title = f"{s.title} in all"  # an f-string forgets
    with pytest.raises(AssertionError, match="Convolution"):
        check_marked(s)


# --- on the page ------------------------------------------------------------------------------------------------------


def square(n: int) -> Any:
    return np.arange(n * n).reshape(n, n) % 10


def usual() -> dict[str, Scene]:
    """Layers that people look at, in all views."""
    up, down = ConvTranspose(3, 2, 1, output_padding=1).trace(square(3), square(3)), Conv(3, 2, 1)
    conv, pool = down.trace(square(6), square(3)), MaxPool(2).trace(square(4))
    bare = Conv(3, padding="same", convention="keras").trace(square(6), square(3))
    rgb = np.stack([square(4)] * 3)
    stamps = ConvTranspose(2, 1, groups=3).trace(rgb * 20, np.ones((3, 1, 2, 2), int))
    return {
        **{f"transposed {view}": scene(up, view) for view in VIEWS["transposed"]},
        **{f"conv {view}": scene(conv, view) for view in VIEWS["conv"]},
        "line": scene(ConvTranspose(3, 2).trace([1, 2, 3], [1, 2, 1]), "overlap-add"),
        "bias": scene(ConvTranspose(2, padding=1).trace(square(2), square(2), 5), "overlap-add"),
        "reflect": scene(Conv(3, padding=1, padding_mode="reflect").trace(square(4), square(3))),
        "channels": scene(Conv(3, 1, 1).trace(rgb, np.ones((2, 3, 3, 3), int))),
        "max": scene(MaxPool(3, 2, 1, ceil_mode=True).trace(square(6))),
        "mean": scene(AvgPool(2, padding=1).trace(square(4))),
        "norm": scene(LpPool(2, convention="onnx").trace(square(4))),
        "unpool": UnpoolScene(MaxUnpool(2).trace(pool), pool),
        "nearest": scene(Upsample(scale_factor=2).trace(square(2))),
        "bilinear": scene(Upsample(scale_factor=2, mode="bilinear").trace(square(2))),
        "shuffle": scene(PixelShuffle(2).trace(np.stack([square(2)] * 4))),
        "picture": scene(stamps, None, Shown(colours=True)),
        "compared": compared(Conv(3, 1, 1).trace(square(6), square(3)), bare),
    }


@pytest.fixture(scope="module")
def scenes() -> dict[str, Scene]:
    return usual()


@pytest.mark.parametrize("width", [640, 1280])
@pytest.mark.parametrize("lang", OTHERS)
def test_nothing_overlaps_and_nothing_leaves_the_page_in_any_language(
    lang: str, width: int, scenes: dict[str, Scene]
) -> None:
    if lang in WIDE:
        need_wide_font()
    words = catalogue(lang)
    for s in scenes.values():
        told = Spoken(s, words)
        check_apart(told, layout(told, width, width * 9 // 16, words=words))


@pytest.mark.parametrize("lang", OTHERS)
def test_no_clause_ends_in_an_ellipsis_on_a_large_page(lang: str, scenes: dict[str, Scene]) -> None:
    if lang in WIDE:
        need_wide_font()
    words, cut = catalogue(lang), []
    for name, s in scenes.items():
        told = Spoken(s, words)
        page = layout(told, 1280, 720, words=words)
        for frame in some_frames(told):
            for line, caption in enumerate(frame.captions):
                text = page.lines(line, caption)[-1]
                whole_clauses = text.text.endswith(("; …", ", …"))
                if text.text.endswith("…") and not whole_clauses and not caption.text().endswith("…"):
                    cut.append(f"{name}: {caption.text()}")
    assert cut == []


def test_the_steps_are_counted_in_the_language() -> None:
    animation = Animation(Conv(2).trace([1, 2, 3], [1, 1]), lang="de", select="step:2")
    assert animation.page.counted(2, 2).text == "2 von 2"
    assert animation.scene.title == "Faltung   3 → 2"


def test_text_is_told_in_the_language(tmp_path: Path) -> None:
    Animation(Conv(2).trace([1, 2, 3], [1, 1]), lang="ja", select="step:2").save(tmp_path / "x.txt")
    text = (tmp_path / "x.txt").read_text(encoding="utf-8")
    assert text.splitlines()[:2] == ["畳み込み   3 → 2", "1  スライド"]
    assert "   スライド   2 / 2" in text
    assert "出力[1] = 2·1 + 3·1 = 5" in text


def test_english_is_the_scene_itself() -> None:
    trace = Conv(2).trace([1, 2, 3], [1, 1])
    assert type(Animation(trace).scene) is type(scene(trace))


def test_what_stays_the_same_object_stays_so_in_another_language() -> None:
    trace = Conv(2).trace(square(3), square(2))
    english, german = scene(trace), Spoken(scene(trace), catalogue("de"))
    numbers = range(english.beats.opening, english.beats.total)
    for a, b in pairwise(numbers):
        before, after = english.frame(a).grids, english.frame(b).grids
        kept = {name for name in before if before[name] is after[name]}
        before, after = german.frame(a).grids, german.frame(b).grids
        assert kept == {name for name in before if before[name] is after[name]}


# --- fonts ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def no_fonts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine with the usual font alone."""

    def forget() -> None:
        for cached in (faces.of, faces._open, glyphs._set, glyphs._placed, glyphs._word, glyphs.line):
            cached.cache_clear()
        fonts._installed.cache_clear()

    forget()
    monkeypatch.setattr(fonts, "folders", list)
    monkeypatch.delenv(fonts.ASKED, raising=False)
    yield
    monkeypatch.undo()
    forget()


@pytest.mark.usefixtures("no_fonts")
@pytest.mark.parametrize("lang", sorted(WIDE))
def test_without_a_font_the_one_to_install_is_named_and_nothing_is_written(lang: str, tmp_path: Path) -> None:
    with pytest.raises(ConvanimError, match="install Noto Sans CJK") as refusal:
        Animation(Conv(2).trace([1, 2, 3], [1, 1]), lang=lang).save(tmp_path / "x.gif")
    assert refusal.value.exit_code == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("no_fonts")
@pytest.mark.parametrize("lang", sorted(set(OTHERS) - WIDE))
def test_the_usual_font_has_all_letters_of_the_others(lang: str) -> None:
    for bold in (False, True):
        for translation in catalogue(lang).words.values():
            assert glyphs.width(translation, 12, bold) > 0


@pytest.mark.parametrize("lang", sorted(WIDE))
def test_an_installed_font_has_all_letters(lang: str) -> None:
    need_wide_font()
    for bold in (False, True):
        for translation in catalogue(lang).words.values():
            assert glyphs.line(translation, 12, bold).coverage.any()


def test_a_wide_word_among_others_keeps_their_pixels() -> None:
    need_wide_font()
    alone, among = glyphs.line("= 5", 24), glyphs.line("= 5出力", 24)
    wide = alone.coverage.shape[1]
    top = among.rise - alone.rise
    np.testing.assert_array_equal(among.coverage[top : top + len(alone.coverage), :wide], alone.coverage)
    assert among.coverage[:, wide + 2 :].any()


def test_a_font_without_a_bold_one_is_thickened(monkeypatch: pytest.MonkeyPatch) -> None:
    def stem(size: float) -> float:
        """The width of the vertical stroke of an l, px."""
        return glyphs.line.__wrapped__("l", size, True).coverage.max(axis=0).sum() / 255

    thick = faces.Face(faces.usual(False).file, thicken=True)
    for size in (12, 30, 44):
        monkeypatch.undo()
        glyphs._set.cache_clear()
        glyphs._word.cache_clear()
        regular = glyphs.line.__wrapped__("l", size).coverage.max(axis=0).sum() / 255
        monkeypatch.setattr(faces, "of", lambda *_: thick)
        glyphs._set.cache_clear()
        assert stem(size) - regular == pytest.approx(size / 22, abs=0.1)
    glyphs._set.cache_clear()
    glyphs._word.cache_clear()


@pytest.mark.usefixtures("no_fonts")
def test_a_font_that_is_asked_for_has_to_be_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(fonts.ASKED, str(tmp_path / "none.ttf"))
    with pytest.raises(ConvanimError, match=r"none\.ttf is not a file; give the path of a \.ttf"):
        glyphs.line("出力", 20)
    (tmp_path / "none.ttf").write_bytes(b"no font")
    with pytest.raises(ConvanimError, match=r"none\.ttf is not a readable font"):
        glyphs.line("出力", 20)


@pytest.mark.usefixtures("no_fonts")
def test_an_installation_without_its_font_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    faces.usual.cache_clear()
    monkeypatch.setattr(faces, "templates", lambda: tmp_path)
    for make in (lambda _: None, Path.mkdir, lambda path: path.write_bytes(b"no font")):
        (tmp_path / "fonts").mkdir(exist_ok=True)
        file = tmp_path / "fonts" / "Inter-Regular.ttf"
        if file.is_dir():
            file.rmdir()
        make(file)
        with pytest.raises(ConvanimError, match=r"Inter-Regular\.ttf is not a readable font; reinstall convanim"):
            glyphs.line("1", 20)
    faces.usual.cache_clear()


@pytest.mark.usefixtures("no_fonts")
def test_fonts_are_found_by_name_below_the_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    for name in ("NotoSansCJK-Regular.ttc", "NotoSansCJK-Bold.ttc", "ipaexg.ttf", "other.ttf"):
        (tmp_path / "a" / "b" / name).touch()
    monkeypatch.setattr(fonts, "folders", lambda: [tmp_path, tmp_path / "not there"])
    found = [(regular.name, bold and bold.name) for regular, bold in fonts.candidates()]
    assert found == [("NotoSansCJK-Regular.ttc", "NotoSansCJK-Bold.ttc"), ("ipaexg.ttf", None)]
