"""A chunk of rows as the bytes of a Parquet file, and what such a file says of itself."""

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

WORDS = b"anomfit"  # the key of our own words in the file
SUM = "sha256"  # among the words: of the columns and of the other words


def encoded(columns: Mapping[str, np.ndarray], words: Mapping[str, Any]) -> bytes:
    """The Parquet file with these columns and `words` (JSON) about them: the same bytes for the same numbers.

    An array of two axes is a column of lists.
    """
    arrays = {name: _column(np.ascontiguousarray(x)) for name, x in columns.items()}
    table = pa.table(arrays)
    said = json.dumps({**words, SUM: _sum(table, words)}, sort_keys=True)
    buffer = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({WORDS: said}), buffer, compression="zstd", use_dictionary=False)
    return buffer.getvalue()


def _column(x: np.ndarray) -> pa.Array:
    return pa.array(x) if x.ndim == 1 else pa.FixedSizeListArray.from_arrays(pa.array(x.ravel()), x.shape[1])


def _sum(table: pa.Table, words: Mapping[str, Any]) -> str:
    """Of what a reader gets from the file, names, kinds and words included."""
    found = hashlib.sha256(json.dumps(dict(words), sort_keys=True).encode())
    for name, column in zip(table.column_names, table.columns, strict=True):
        values, kind = column.combine_chunks(), str(column.type)
        if pa.types.is_fixed_size_list(column.type):  # whose words for their entries change when they are read
            values, kind = values.flatten(), f"{column.type.value_type}[{column.type.list_size}]"
        found.update(f"{name} {kind} {len(column)} {column.null_count} ".encode())
        found.update(np.ascontiguousarray(values.to_numpy(zero_copy_only=False)).tobytes())
    return found.hexdigest()


def said_words(path: Path) -> dict[str, Any] | None:
    """The words of a file and "rows", their number in it; None where there are none, as in one that is cut short."""
    try:
        metadata = pq.read_metadata(path)
        return {**json.loads((metadata.metadata or {})[WORDS]), "rows": metadata.num_rows}
    except (pa.ArrowException, OSError, KeyError, ValueError, TypeError):
        return None


def is_intact(path: Path) -> bool:
    """Whether all of the file is as it was written."""
    try:
        table = pq.ParquetFile(path).read()
        words = json.loads((table.schema.metadata or {})[WORDS])
        return words.pop(SUM) == _sum(table, words)
    except (pa.ArrowException, OSError, KeyError, ValueError, TypeError, AttributeError):
        return False


def some_rows(path: Path, names: list[str]) -> dict[str, np.ndarray]:
    """Columns of one file as arrays."""
    table = pq.ParquetFile(path).read(columns=names)
    return {name: table[name].to_numpy() for name in names}
