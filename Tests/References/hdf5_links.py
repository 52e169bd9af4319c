"""Writes `hdf5_links.h5`, with h5py: a file that leads to others, which StorageTests sees refused.

    python Tests/References/hdf5_links.py

`link` is an external link to a dataset of `hdf5_links_target.h5`; `raw` keeps its elements in `hdf5_links.py`; `huge` claims 2**40 elements.
"""

from pathlib import Path

import h5py
import numpy

values = Path(__file__).parent / "values"
with h5py.File(values / "hdf5_links_target.h5", "w", libver="latest") as target:
    target.create_dataset("secret", data=numpy.ones(4, "f4"))
with h5py.File(values / "hdf5_links.h5", "w", libver="latest") as file:
    file["link"] = h5py.ExternalLink("hdf5_links_target.h5", "secret")
    file.create_dataset("raw", shape=(4,), dtype="f4", external=[("../hdf5_links.py", 0, 16)])
    huge = h5py.h5s.create_simple((2**40,))
    h5py.h5d.create(file.id, b"huge", h5py.h5t.NATIVE_FLOAT, huge)
