"""`convanim gallery` and `convanim new` in a shell: what is printed, where, and the exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from convanim.gallery import read_folder
from convanim.gallery.beginning import begin
from convanim.gallery.folder import Watch
from support.commands import run
from support.galleries import CONV, TEXT, here, put


def test_build_tells_what_it_did(tmp_path: Path) -> None:
    put(tmp_path, a=TEXT, b=TEXT, c=TEXT + 'view = "x"\n')
    where = ("--folder", tmp_path, "--jobs", "1")
    code, out, err = run("gallery", "build", *where)
    assert (code, err.count("\n"), err.startswith("Error: c.toml line 5: view 'x' ")) == (1, 1, True)
    assert out.startswith(f"{tmp_path}: 2 made, 0 unchanged, 1 failed, ")
    (tmp_path / "c.toml").unlink()
    (tmp_path / "b.toml").unlink()
    code, out, err = run("gallery", "build", *where)
    assert (code, err) == (0, "b.txt: no longer described; --prune removes these files.\n")
    code, out, err = run("gallery", "build", "--prune", *where)
    assert (code, out.splitlines()[0], err) == (0, "b.txt removed, as it no longer has a description", "")
    assert run("gallery", "build", "--quiet", *where) == (0, "", "")


def test_check_prints_a_table(tmp_path: Path) -> None:
    here(put(tmp_path, a=TEXT, longer=TEXT))
    (tmp_path / "a.txt").unlink()
    (tmp_path / "longer.txt").write_text("mine")
    code, out, err = run("gallery", "check", "--quick", "--folder", tmp_path)
    assert (code, err) == (1, "")
    edited = "longer.txt does not match the manifest: it was edited, or the manifest was not committed"
    assert out.splitlines() == ["a       missing         a.txt", f"longer  edited by hand  {edited}"]
    assert run("gallery", "check", "a", "--jobs", "1", "--folder", tmp_path)[0] == 1
    here(tmp_path, force=True)
    told = f"{tmp_path}: every file matches its description\n"
    assert run("gallery", "check", "--folder", tmp_path) == (0, told, "")


def test_diff_writes_a_page(tmp_path: Path) -> None:
    here(put(tmp_path, a=CONV))
    page = tmp_path / "page.html"
    code, out, _ = run("gallery", "diff", "a", "--folder", tmp_path, "-o", page)
    assert (code, out.startswith(f"{page}: all "), page.exists()) == (0, True, True)


@pytest.mark.parametrize(
    ("layer", "x"),
    [("Conv(2)", "3x3"), ("Upsample(scale_factor=2, mode='nails')", "2x2"), ('Conv(2, padding="same")', "[[1, 2]]")],
)
def test_new_writes_what_can_be_read(layer: str, x: str, tmp_path: Path) -> None:
    if x.startswith("["):
        layer = layer.replace("2,", "(1, 2),")
    build = f"convanim gallery build a --folder {tmp_path}"
    code, out, _ = run("new", "a", "--from", layer, "--input", x, "--folder", tmp_path)
    assert (code, out) == (0, f"{tmp_path / 'a.toml'} written; {build} makes its files\n")
    entry = read_folder(tmp_path).entries["a"]
    assert (entry.layer, entry.input) == (layer, x)
    before = (tmp_path / "a.toml").read_bytes()
    assert run("new", "A", "--from", "Conv(3)", "--folder", tmp_path)[0] == 2
    assert (tmp_path / "a.toml").read_bytes() == before


def test_new_takes_any_layer_as_it_is_written(tmp_path: Path) -> None:
    begin(tmp_path, "a", "Conv(2,\tpadding='valid', padding_mode=\"zeros\")", "3x3")
    assert read_folder(tmp_path).entries["a"].layer == "Conv(2,\tpadding='valid', padding_mode=\"zeros\")"


@pytest.mark.parametrize("where", ["dask", "dask:", "ray:localhost:1", ""])
def test_executors_that_are_not_known(where: str, tmp_path: Path) -> None:
    put(tmp_path, a=TEXT)
    code, _, err = run("gallery", "build", "--folder", tmp_path, "--executor", where)
    assert (code, "use dask:HOST:PORT" in err, (tmp_path / "a.txt").exists()) == (2, True, False)


def test_watching_notices_files_that_entries_read(tmp_path: Path) -> None:
    put(tmp_path, a=TEXT.replace("3x3", "x.csv"))
    watch = Watch(tmp_path)
    assert not watch.changed()
    (tmp_path / "x.csv").write_text("1,2\n3,4\n")
    assert next(watch.changes(0.01)) is None
    put(tmp_path, gallery="titel = 1\n")
    assert watch.changed()  # the build reports its error


def test_new_makes_the_folder_and_looks_where_a_build_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, _ = run("new", "_base", "--from", "ConvTranspose(3, stride=2)", "--input", "3x3")
    assert (code, out) == (0, "gallery/_base.toml written; entries that extend it inherit its keys\n")
    written = (tmp_path / "gallery" / "_base.toml").read_text("utf-8")
    assert 'width = 640\ntitle = "Transposed convolution, 3×3 → 7×7"\nalt = "Transposed convolution, 3×3' in written
    (tmp_path / "data.csv").write_text("1,2\n3,4\n")
    words = ("new", "d", "--from", "Conv(2)", "--input", "data.csv")
    code, _, err = run(*words)  # a build would look in the gallery
    assert (code, "input 'data.csv' cannot be read" in err) == (2, True)
    put(tmp_path / "gallery", gallery='root = ".."\n')
    assert run(*words)[0] == 0
    assert here(tmp_path / "gallery").made == ["d"]
    assert run("new", "x", "--from", "Conv(2)", "--folder", tmp_path / "data.csv")[0] == 2
    told = run("gallery", "build", "--folder", tmp_path / "none")[2]
    assert told.endswith("create one with convanim new.\n")
