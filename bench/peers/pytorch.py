"""PyTorch in one process: `python pytorch.py THREADS`, driven by bench/src/sides."""

import sys

import torch
from torch.utils.benchmark import Timer

from lines import require_version, serve
from work import WORK

require_version(torch)
THREADS = int(sys.argv[1])
torch.set_num_threads(THREADS)
torch.manual_seed(1)
state = {}


def prepare(case):
    state.clear()
    state["once"] = WORK[case["kind"]](case)
    # Memory is allocated and kernels are chosen in the first one.
    state["once"]()


def measure(seconds):
    timer = Timer("once()", globals=state, num_threads=THREADS)
    measured = timer.blocked_autorange(min_run_time=seconds)
    return measured.median * 1e3, len(measured.times) * measured.number_per_run


serve(prepare, measure)
