"""How a page is set: size, type, pace, and what appears, from a file of a few keys.

Knows the keys of a template and where they stand in its text, and which options take their place. Must not know what
is on a page. The templates that come along are the files of templates/; a new one is a new file.
"""

from convanim.template.files import DEFAULT, is_file, line_of, read, templates
from convanim.template.keys import Template, described, schema
from convanim.template.settings import Settings, settle

__all__ = [
    "DEFAULT",
    "Settings",
    "Template",
    "described",
    "is_file",
    "line_of",
    "read",
    "schema",
    "settle",
    "templates",
]
