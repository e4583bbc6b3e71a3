"""Galleries: folders of TOML descriptions, and the files that are built from them."""

from __future__ import annotations

from convanim.gallery.builder import Report, build
from convanim.gallery.checker import Finding, check
from convanim.gallery.description import Entry
from convanim.gallery.folder import Folder, read_folder

__all__ = ["Entry", "Finding", "Folder", "Report", "build", "check", "read_folder"]
