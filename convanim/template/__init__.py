"""Templates: the size, text, timing and contents of a page, as the keys of a TOML file.

The built-in templates are the files of templates/; a new one is a new file.
"""

from convanim.template.files import DEFAULT, is_file, read, templates
from convanim.template.keys import Template, described, schema
from convanim.template.settings import Settings, settle

__all__ = [
    "DEFAULT",
    "Settings",
    "Template",
    "described",
    "is_file",
    "read",
    "schema",
    "settle",
    "templates",
]
