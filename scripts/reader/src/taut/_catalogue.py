"""What this package must know of the tables: what their rows are told apart by, and how to ask for them."""

# Layouts that this package was tried with. Another one is read all the same, with a warning.
SCHEMA_VERSIONS = ("3", "4", "5", "6")

# Beside `cell`, what the rows of one source are told apart by. `time` stands for the clock: it is there
# for flows, which have no steps, and is +inf in the limit.
KEYS: dict[str, tuple[str, ...]] = {
    "trajectory": ("time",),
    "modes": ("time", "mode"),
    "arrivals": ("mode",),
    "factors": ("time", "factor"),
    "hessian": ("time", "index"),
    "parameters": ("time", "tensor", "row", "col"),
    "curves": ("time", "x"),
}

# How to get a table that is not written always.
REMEDIES: dict[str, str] = {
    "predictions": 'name a theory in the study: [record] theory = ["min_norm_limit"]; `taut list theories` has them all',
    "claims": "claims are held against the tables by `taut run` and `taut check FOLDER`, if the study has a [[claim]]",
}
ON_REQUEST = ("modes", "arrivals", "factors", "curves", "parameters", "hessian", "samples")


def remedy(table: str) -> str | None:
    """How to get `table`; None if there is no table of this name."""
    if table in ON_REQUEST:
        return f'ask for it in the study, [record] tables = ["{table}"], or with `--set record.tables=\'["{table}"]\'`'
    return REMEDIES.get(table)
