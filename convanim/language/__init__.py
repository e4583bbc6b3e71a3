"""Language: translatable text, formatted numbers, and symbols with indices."""
