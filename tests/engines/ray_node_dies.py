#!/usr/bin/env python3
"""The driver `taut.ray` on a Ray cluster of two nodes on this machine, one of which dies while shards run on it.

ray_node_dies.py STUDY --shards N --out DIR …           arguments and exit code are those of `python -m taut.ray`
"""

import subprocess
import sys
import threading
import time

import ray
from ray.cluster_utils import Cluster

import taut.ray

# The head runs nothing, so that what dies is never what holds the cluster together.
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
nodes = [cluster.add_node(num_cpus=2) for _ in range(2)]
cluster.wait_for_nodes()
ray.init(address=cluster.address, log_to_driver=False, logging_level="warning")
# All nodes have one address here, and the driver hangs on any of them: not on the one that dies.
[victim, *_] = [node for node in nodes if node.node_id != ray.get_runtime_context().get_node_id()]


def lose_a_node(out: str) -> None:
    """Once all four cores have a shard to run, and a little later."""
    while subprocess.run(["pgrep", "-fc", "--", f"--out {out}"], capture_output=True, text=True).stdout.strip() < "4":
        time.sleep(0.05)
    time.sleep(0.5)
    cluster.remove_node(victim, allow_graceful=False)


out = sys.argv[sys.argv.index("--out") + 1]
threading.Thread(target=lose_a_node, args=[out], daemon=True).start()
try:
    code = taut.ray.main(sys.argv[1:])
finally:
    cluster.shutdown()
sys.exit(code)
