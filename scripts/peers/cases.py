"""What is compared: every case with its study, its sizes, its peers, and the speed aimed at."""

from dataclasses import dataclass, field, replace

import problems


@dataclass(frozen=True)
class Peer:
    """A program that does a case's work."""

    name: str
    script: str
    needs: str                      # the package without which it is skipped
    cells: int
    steps: int
    aim: float | None = None        # taut should be so many times as fast
    mode: str = ""
    processes: bool = False         # one process per thread, instead of threads of the package
    saves: int | None = None


@dataclass(frozen=True)
class Case:
    """Work of one kind."""

    name: str
    title: str
    study: str
    draw: callable                  # writes the problem into a folder, for so many cells
    axis: tuple[str, float, float] | None   # the path that cells differ in, and its ends; None: replicates
    cells: int
    steps: int
    saves: int
    peers: tuple[Peer, ...]
    flops: float | None = None      # per cell and step
    aim_of_peak: float | None = None
    unit: str = "cell and step"     # or "cell and save time", or "cell"
    shown: str = ""                 # SQL for the second number that both sides report
    within: float = 1e-6            # largest relative difference of the numbers of both sides
    overrides: tuple[str, ...] = ()
    check: tuple[str, ...] = field(default=())      # overrides for the check alone
    loss: str = "SELECT cell, final_loss AS value FROM cells"

    def units(self, cells, steps, saves):
        """How many of what the time is divided by."""
        return cells * {"cell and step": steps, "cell and save time": saves, "cell": 1}[self.unit]


def covariance_flops(depth, width):
    """3·depth − 3 products of square matrices, forward and backward: the residual takes none once Sxx is diagonal."""
    return (3 * depth - 3) * 2.0 * width**3


LARGEST_VALUE = "SELECT cell, strength AS value FROM modes WHERE mode = 1 AND step = {steps}"
CURVE = 'data={ curve = { target = { line = { intercept = 0.1, slope = 0.8 } }, file = "curve.csv", replicate_column = "replicate" } }'

CASES = (
    Case(
        "w64", "depth 3, width 64, singular values at 20 times", "deep_linear.toml",
        lambda folder, cells: problems.teacher(folder, 64),
        ("train.step_size.absolute", 0.01, 0.05), 64, 2000, 20,
        (
            Peer("NumPy", "deep_linear_numpy.py", "numpy", 64, 400, 3.0),
            Peer("NumPy, a process per core", "deep_linear_numpy.py", "numpy", 64, 400, processes=True),
            Peer("JAX", "deep_linear_jax.py", "jax", 64, 400, 5.0),
            Peer("PyTorch, batched", "deep_linear_torch.py", "torch", 64, 200, mode="batch"),
            Peer("PyTorch, one by one", "deep_linear_torch.py", "torch", 2, 600, 45.0, mode="loop"),
        ),
        flops=covariance_flops(3, 64), aim_of_peak=0.65, shown=LARGEST_VALUE,
    ),
    Case(
        "w10", "depth 3, width 10, singular values at 20 times", "deep_linear.toml",
        lambda folder, cells: problems.teacher(folder, 10),
        ("train.step_size.absolute", 0.01, 0.05), 1000, 2000, 20,
        (
            Peer("NumPy", "deep_linear_numpy.py", "numpy", 20, 2000),
            Peer("JAX", "deep_linear_jax.py", "jax", 1000, 1000, 12.0),
            Peer("PyTorch, batched", "deep_linear_torch.py", "torch", 1000, 600, 15.0, mode="batch"),
        ),
        flops=covariance_flops(3, 10), aim_of_peak=0.3, shown=LARGEST_VALUE,
    ),
    Case(
        "sharpness", "depth 10, width 5, sharpness every 5 steps", "sharpness.toml",
        lambda folder, cells: problems.rows(
            folder, 50, 5, [0.3, -0.4, 0.5, 0.2, -0.1], 0.5, [(5, 5)] * 9 + [(1, 5)], 0.45
        ),
        ("train.step_size.absolute", 0.003, 0.01), 160, 4000, 800,
        (
            Peer("JAX, all at once", "sharpness_jax.py", "jax", 160, 200, 12.0, mode="vmap", saves=40),
            Peer("JAX, one run at a time", "sharpness_jax.py", "jax", 2, 4000, 35.0, mode="one", saves=800),
        ),
        shown="SELECT cell, final_sharpness AS value FROM cells", within=1e-3,
    ),
    Case(
        "completion", "depth 3, width 100, 2000 of 10,000 entries", "completion.toml",
        lambda folder, cells: problems.completion(folder),
        ("train.step_size.relative", 0.1, 0.3), 16, 2000, 20,
        (
            Peer("NumPy", "completion_numpy.py", "numpy", 16, 400, 3.0),
            Peer("NumPy, a process per core", "completion_numpy.py", "numpy", 16, 400, processes=True),
            Peer("PyTorch, one by one", "completion_torch.py", "torch", 2, 400, 25.0),
        ),
        # Four dense products, and three with as many entries as are observed.
        flops=4 * 2.0 * 100**3 + 3 * 2.0 * 2000 * 100, shown=LARGEST_VALUE,
    ),
    Case(
        "diagonal", "u² − v², 1000 inputs, 100 rows, 30 starts", "diagonal.toml",
        lambda folder, cells: problems.rows(folder, 100, 1000, [5**-0.5] * 5 + [0.0] * 995, 0.1),
        ("model.init.constant.scale", 1e-3, 1.0), 30, 100_000, 20,
        (Peer("JAX", "diagonal_jax.py", "jax", 30, 10_000, 3.0),),
        flops=2 * 2.0 * 1000 * 100, shown="SELECT cell, final_predictor_l1_norm AS value FROM cells",
        overrides=("data.table.inputs=[" + ", ".join(f'"x{j + 1}"' for j in range(1000)) + "]",),
    ),
    Case(
        "closed", "degree 50, closed form, all metrics of curves, 200 times", "closed_form.toml",
        problems.curve, None, 5000, 1_000_000, 200,
        (
            Peer("NumPy (4 metrics)", "closed_form_numpy.py", "numpy", 400, 1_000_000, 6.0),
            Peer("NumPy (4 metrics), a process per core", "closed_form_numpy.py", "numpy", 400, 1_000_000, processes=True),
        ),
        unit="cell and save time", shown="SELECT cell, final_bending_energy AS value FROM cells",
        check=(CURVE,), loss="SELECT cell, final_train_mse AS value FROM cells",
    ),
    Case(
        "stepped", "degree 50, a million steps, the loss at 100 times", "stepped.toml",
        problems.curve, None, 10_000, 1_000_000, 100,
        (Peer("JAX, step by step", "stepped_jax.py", "jax", 2000, 5000),),
        unit="cell and step", check=(CURVE,), loss="SELECT cell, final_train_mse AS value FROM cells",
    ),
)


def small(case):
    """The same with so little to do that a second is enough, and no claim about speed."""
    cells, steps = min(case.cells, 4), case.steps if case.axis is None else 100
    saves = {"sharpness": 20}.get(case.name, case.saves)

    def shrink(peer):
        few = 100 if case.name != "closed" else peer.steps
        return replace(peer, cells=2, steps=few, aim=None, saves=20 if peer.saves else None)

    return replace(case, cells=cells, steps=steps, saves=saves, peers=tuple(map(shrink, case.peers)), aim_of_peak=None)
