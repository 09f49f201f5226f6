"""Write the published schemas anew."""

from __future__ import annotations

from apportion.allocate.schema import FOLDER, schema_texts

for name, text in schema_texts().items():
    (FOLDER / name).write_text(text, encoding="utf-8")
