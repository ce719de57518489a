"""Runs a notebook: NOTEBOOK [OUT]. Writes it with its outputs if OUT is given."""

import sys

import nbclient
import nbformat

notebook = nbformat.read(sys.argv[1], as_version=4)
nbclient.NotebookClient(notebook, timeout=900, kernel_name="python3").execute()
outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
pictures = [output for output in outputs if "image/png" in output.get("data", {})]
assert len(pictures) >= 2, "the notebook has no pictures"
if len(sys.argv) > 2:
    for cell in notebook.cells:
        # Times, which differ from run to run.
        cell.get("metadata", {}).pop("execution", None)
    nbformat.write(notebook, sys.argv[2])
