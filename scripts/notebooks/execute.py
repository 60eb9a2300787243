"""Executes the lessons as notebooks, and says of each how long it took.

    python scripts/notebooks/execute.py                     all of them
    python scripts/notebooks/execute.py 02 05               some of them
    python scripts/notebooks/execute.py --out DIR 02        and keep the executed notebook, with its figures

The first lesson that fails ends it, with its name, the cell and the error. Needs what scripts/requirements.txt lists.
"""

import argparse
import ast
import re
import sys
import tempfile
import time
from pathlib import Path

try:
    import jupytext
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError
    from traitlets.config import Config
except ImportError as missing:
    sys.exit(f"{missing.name} is not installed; try: pip install -r scripts/requirements.txt ./scripts/reader")

HERE = Path(__file__).resolve().parent
LONGEST = 300  # seconds that a single cell may take
COLORS = re.compile(r"\x1b\[[0-9;]*m")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("lessons", nargs="*", help="beginnings of their names; all of them if none is given")
    options.add_argument("--out", type=Path, help="a folder for the executed notebooks")
    options = options.parse_args()

    lessons = sorted(HERE.glob("[0-9]*.py"))
    unknown = [name for name in options.lessons if not any(path.name.startswith(name) for path in lessons)]
    if unknown or not lessons:
        sys.exit(f"no lesson begins with {', '.join(unknown)}; there are {', '.join(path.stem for path in lessons)}")
    begun = time.monotonic()
    chosen = [path for path in lessons if not options.lessons or path.name.startswith(tuple(options.lessons))]
    for path in chosen:
        seconds, figures = execute(path, options.out)
        print(f"{path.stem:<28} {seconds:6.1f} s  {figures} figures", flush=True)
    print(f"{len(chosen)} lessons in {time.monotonic() - begun:.1f} s")


def execute(path: Path, out: Path | None) -> tuple[float, int]:
    """Runs one lesson from its first cell to its last in a kernel of its own."""
    notebook = jupytext.read(path)
    if not ends_in_assertion(notebook):
        sys.exit(f"{path.name}: its last cell of code asserts nothing, so it would pass whatever the numbers are")
    begun = time.monotonic()
    failure = None
    with tempfile.TemporaryDirectory() as sockets:
        # Sockets in a folder of our own instead of ports, to which any program of the machine could talk.
        private = {} if sys.platform == "win32" else {"transport": "ipc", "ip": f"{sockets}/kernel"}
        client = NotebookClient(
            notebook,
            timeout=LONGEST,
            kernel_name="python3",
            resources={"metadata": {"path": str(HERE)}},
            config=Config({"KernelManager": private}),
        )
        try:
            client.execute()
        except CellExecutionError as error:
            told = COLORS.sub("", str(error))
            print(told, file=sys.stderr)
            line = re.findall(r"^-+> *\d+ +(.*)$", told, re.MULTILINE)
            failure = f"{error.ename}: {error.evalue or (line[-1] if line else '')}"
        except Exception as error:  # a kernel that died, a cell that took too long
            failure = f"{type(error).__name__}: {error}"
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, out / f"{path.stem}.ipynb")
    if failure is not None:
        sys.exit(f"\n{path.name} FAILED: {failure}")
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return time.monotonic() - begun, sum("image/png" in output.get("data", {}) for output in outputs)


def ends_in_assertion(notebook: nbformat.NotebookNode) -> bool:
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return bool(code) and any(isinstance(line, ast.Assert) for line in ast.parse(code[-1]).body)


if __name__ == "__main__":
    main()
