"""A frame as a matplotlib artist: the same picture as the raster's, on any Axes, and in vector files."""

import re
import subprocess
import xml.etree.ElementTree as ET
from io import BytesIO

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from convanim.draw.axes import Canvas
from convanim.draw.pen import _round
from convanim.errors import ConvanimError
from convanim.layers import Conv, ConvTranspose, MaxPool, PixelShuffle, Upsample
from convanim.timing.motion import moving
from support.needs import need

FIVE = np.arange(25).reshape(5, 5)
CONV = Conv(3, stride=2, padding=1).trace(FIVE, np.ones((3, 3), int))
UP = ConvTranspose(3, stride=2, padding=1).trace(FIVE[:3, :3], np.ones((3, 3), int))
SAME = ((0, 0), (0, 0))

#: Traces and options that cover layouts, themes, shades, heat, symbols, stamps and pictures.
SHOWN = [
    (CONV, {}),
    (CONV, {"theme": "dark", "symbols": True}),
    (CONV, {"layout": "isometric", "theme": "solarized"}),
    (CONV, {"view": "matrix", "theme": "print"}),
    (CONV, {"view": "overlap", "theme": "high-contrast"}),
    (UP, {}),
    (UP, {"view": "overlap-add", "theme": "dark"}),
    (UP, {"view": "overlap-add", "layout": "isometric"}),
    (UP, {"view": "both", "theme": "print"}),
    (MaxPool(2).trace(FIVE[:4, :4]), {"layout": "isometric", "theme": "dark"}),
    (Upsample(scale_factor=2).trace(FIVE[:2, :2]), {"theme": "solarized"}),
    (PixelShuffle(2).trace(np.arange(16).reshape(4, 2, 2)), {"layout": "slices"}),
    (Conv(3).trace(np.arange(9), [1, 2, 1]), {"layout": "row"}),
    (Conv(3).trace(np.arange(900).reshape(30, 30), np.ones((3, 3), int)), {}),
    (ConvTranspose(2, stride=2).trace(FIVE[:3, :3], np.ones((2, 2), int)), {"motion": "smooth"}),
]


def animation(trace=CONV, **look):
    return trace.animate(**{"width": 640, **look})


def canvas_pixels(figure):
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].astype(int)


@pytest.mark.parametrize(("trace", "look"), SHOWN, ids=lambda value: str(value) if isinstance(value, dict) else "")
def test_both_renderers_draw_the_same_picture(trace, look):
    shown = animation(trace, **look)
    raster, canvas = shown.raster(), Canvas(shown.scene, shown.page, shown.theme)
    frames = [frame for frame, _ in moving(shown.scene.frame, shown.plan.shots, shown.tick)]
    slanted = shown.page.links or any(p.tilted or p.panel.magnifies for p in shown.page.places.values())
    for frame in (frames[0], frames[len(frames) // 2], frames[-1]):
        one = raster.palette.colours[raster.draw(frame).pixels].astype(int)
        apart = np.abs(canvas.colours(frame) - one).max(axis=2)
        if not slanted:
            assert not apart.any()
        else:  # the raster has few blend levels, and cuts lines off at whole pixels
            assert (apart > 48).mean() < 0.003
            assert (apart > 16).mean() < 0.009
            assert apart.mean() < 0.5


def test_gif_of_both_renderers_has_the_same_colours():
    files = [BytesIO(), BytesIO()]
    for file, renderer in zip(files, ("raster", "matplotlib"), strict=True):
        animation(select="0,4", renderer=renderer).save(file, "gif")
    one, other = (Image.open(file) for file in files)
    assert one.n_frames == other.n_frames == 2
    assert one.convert("RGB").tobytes() == other.convert("RGB").tobytes()


def test_figure_is_the_picture_to_the_pixel():
    shown = animation()
    np.testing.assert_array_equal(canvas_pixels(shown.figure(3)), shown.pixels(3))


def test_frame_fills_an_axes_and_keeps_its_shape():
    figure = Figure(figsize=(6, 6), dpi=100)
    ax = figure.add_axes((0, 0.5, 1, 0.5))
    frame = animation().draw(ax)
    box = frame.get_window_extent()
    assert (box.width, box.height) == pytest.approx((300 * 16 / 9, 300))
    assert (box.x0 + box.x1, box.y0) == pytest.approx((600, 300))
    assert not ax.axison


def test_frame_lies_in_data_coordinates():
    figure = Figure(figsize=(4, 4), dpi=100)
    ax = figure.add_axes((0, 0, 1, 1), xlim=(0, 10), ylim=(0, 10))
    shown = animation(theme="dark")
    frame = shown.draw(ax, extent=(2, 6, 3, 7))
    box = frame.get_window_extent()
    assert (box.x0, box.x1, box.width / box.height) == pytest.approx((80, 240, 16 / 9))
    assert ax.axison
    pixels = canvas_pixels(figure)
    assert tuple(pixels[201, 82]) == shown.theme.colour("page")


def test_another_frame_makes_it_stale():
    shown = animation()
    frame = shown.draw(figure_ax := Figure(figsize=(640 / 96, 360 / 96), dpi=96).add_axes((0, 0, 1, 1)), 0)
    canvas_pixels(figure_ax.figure)
    assert not frame.stale
    frame.set_frame(4)
    assert frame.stale
    np.testing.assert_array_equal(canvas_pixels(figure_ax.figure), shown.pixels(4))


def test_settings_of_the_user_change_nothing_and_stay():
    wanted = saved("svg")
    with mpl.rc_context({"path.simplify": True, "svg.fonttype": "path", "figure.dpi": 37, "savefig.bbox": "tight"}):
        assert saved("svg") == wanted
        assert canvas_pixels(animation().figure()).shape == (360, 640, 3)
        assert mpl.rcParams["figure.dpi"] == 37


def saved(kind, trace=CONV, **look):
    file = BytesIO()
    animation(trace, **look).save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["svg", "pdf", "pgf"])
@pytest.mark.parametrize("text", ["outlines", "editable"])
def test_vectors_are_the_same_bytes_and_have_no_date_or_version(kind, text):
    data = saved(kind, text=text)
    assert data == saved(kind, text=text)
    assert mpl.__version__.encode() not in data
    assert not re.search(rb"CreationDate|<dc:date|Producer", data)


def test_svg_says_what_it_shows():
    root = ET.fromstring(saved("svg", title='<b> & "c"'))  # noqa: S314 - written here
    name = {"svg": "http://www.w3.org/2000/svg"}
    assert root.findtext("svg:title", namespaces=name) == '<b> & "c"'
    assert "5×5 → 3×3" in root.findtext("svg:desc", namespaces=name)
    assert (root.get("width"), root.get("height")) == ("640", "360")


def test_editable_text_is_text():
    root = ET.fromstring(saved("svg", text="editable"))  # noqa: S314 - written here
    words = ["".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"input", "padded"} <= set(words)
    assert b"<text" not in saved("svg")
    assert rb"100\% \& x\_1" in saved("pgf", text="editable", title="100% & x_1")


def test_pdf_has_a_page_for_each_selected_frame(tmp_path):
    animation(select="0,3,5").save(tmp_path / "a.pdf")
    told = subprocess.run([need("pdfinfo"), tmp_path / "a.pdf"], capture_output=True, text=True, check=True).stdout
    assert re.search(r"Pages: +3\n", told)
    assert re.search(r"Page size: +480 x 270 pts", told)
    assert "Title:           Convolution" in told


@pytest.mark.parametrize("kind", ["svg", "pdf"])
def test_other_programs_show_vectors_as_the_raster_does(kind, tmp_path):
    shown = animation(layout="isometric", select="5")
    shown.save(tmp_path / f"a.{kind}")
    convert = {
        "svg": [need("rsvg-convert"), "a.svg", "-o", "a.png"],
        "pdf": [need("pdftoppm"), "-r", "96", "-png", "-singlefile", "a.pdf", "a"],
    }
    subprocess.run(convert[kind], cwd=tmp_path, check=True)
    seen = np.asarray(Image.open(tmp_path / "a.png").convert("RGB")).astype(int)
    assert seen.shape == (360, 640, 3)
    apart = np.abs(seen - shown.pixels(0)).max(axis=2)
    assert (apart > 128).mean() < 0.01  # the edges of letters


def test_round_corners_are_quarters_of_circles_inside_their_box():
    path = _round((10, 20, 50, 60), 8, 3, 4)
    assert path.get_extents().extents.tolist() == [23, 14, 63, 54]
    points = path.cleaned(curves=False).vertices[:-1]  # the last one ends the path
    corner = points[(points[:, 0] < 31 - 1e-9) & (points[:, 1] < 22 - 1e-9)]
    assert len(corner) > 3
    assert np.allclose(np.hypot(*(corner - (31, 22)).T), 8, atol=0.1)


def test_png_with_more_dots():
    image = Image.open(BytesIO(saved("png", dpi=192)))
    assert image.size == (1280, 720)
    assert image.info["dpi"] == pytest.approx((192, 192), abs=0.1)
    small = np.asarray(image.resize((640, 360), Image.Resampling.BOX)).astype(int)
    assert (np.abs(small - animation().pixels(-1)).max(axis=2) > 128).mean() < 0.01


def test_series_of_vectors(tmp_path):
    animation(select="0,4").save(tmp_path / "a-%02d.svg")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a-00.svg", "a-04.svg"]


@pytest.mark.parametrize(
    ("make", "named", "hinted"),
    [
        (lambda: animation().draw("ax"), "'ax' is not a matplotlib Axes", "subplots"),
        (lambda: animation().draw(Figure()), "is not a matplotlib Axes", "axes[0]"),
        (lambda: animation().figure(99), "frame 99 does not exist", "use 0 to"),
        (lambda: animation().figure(-99), "frame -99 does not exist", "-1"),
        (lambda: animation().figure(1.5), "frame 1.5 is not a whole number", "int"),
        (lambda: animation().draw(Figure().subplots()).set_frame(True), "frame True", "int"),
        (lambda: animation().draw(Figure().subplots(), extent=(1, 1, 0, 2)), "extent (1, 1, 0, 2)", "left, right"),
        (lambda: animation().draw(Figure().subplots(), extent="all"), "extent 'all'", "left, right"),
        (lambda: animation(renderer="cairo"), "renderer 'cairo' is not known", "raster or matplotlib"),
        (lambda: animation(text=None), "text None is not known", "outlines or editable"),
        (lambda: animation(dpi=0), "dpi 0 is not a whole number above 0", "300"),
        (lambda: animation(dpi="300"), "dpi '300'", "300"),
        (lambda: animation(dpi=1_000_000), "dpi 1000000 makes a picture of 6,666,667 x", "use at most"),
        (lambda: saved("gif", dpi=300), "dpi 300", ".png"),
        (lambda: saved("svg", dpi=300), "a .svg is not made of dots", ".png"),
        (lambda: saved("gif", text="editable"), "a .gif has no text", ".svg"),
        (lambda: saved("svg", renderer="raster"), "the raster renderer draws", "matplotlib"),
        (lambda: saved("png", renderer="raster", dpi=300), "the raster renderer draws", "matplotlib"),
        (lambda: saved("txt", renderer="matplotlib"), "a .txt is not drawn", "leave it out"),
        (lambda: saved("svg", select="0,1"), "one .svg holds one", "%03d"),
        (lambda: animation(dpi=300).save(BytesIO(), "png", sheet=2), "dpi 300", "leave"),
    ],
)
def test_wrong_input_is_one_sentence(make, named, hinted):
    with pytest.raises(ConvanimError) as error:
        make()
    assert named in error.value.message
    assert hinted in error.value.hint
