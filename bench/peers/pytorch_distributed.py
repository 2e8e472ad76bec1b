"""DistributedDataParallel on gloo: two processes of one thread, each with half of the global batch.

The first one is driven by bench/src/sides and tells the second, which it starts, what to do."""

import math
import os
import socket
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as multiprocessing
from torch.nn.parallel import DistributedDataParallel

from lines import require_version, serve
from work import training_step

WORLD = 2
WARM_UP_STEPS = 3


def join(rank, port):
    torch.set_num_threads(1)
    torch.manual_seed(1)
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    dist.init_process_group("gloo", rank=rank, world_size=WORLD)


def step_of(case):
    return training_step(case, batch_size=case["batchSize"] // WORLD, wrap=DistributedDataParallel)


def timed(once, num_steps):
    """Seconds of one step, over that many; from one barrier to the next."""
    dist.barrier()
    start = time.perf_counter()
    for _ in range(num_steps):
        once()
    dist.barrier()
    return (time.perf_counter() - start) / num_steps


def told(message=None):
    """The first process's message, in both."""
    box = [message]
    dist.broadcast_object_list(box, src=0)
    return box[0]


def follow(rank, port):
    join(rank, port)
    once = None
    while (message := told()) is not None:
        if isinstance(message, dict):
            once = step_of(message)
        else:
            timed(once, message)


def main():
    require_version(torch)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    other = multiprocessing.get_context("spawn").Process(target=follow, args=(1, port), daemon=True)
    other.start()
    join(0, port)
    state = {}

    def run(num_steps):
        return timed(state["once"], told(num_steps))

    def prepare(case):
        state["once"] = step_of(told(case))
        state["seconds"] = run(WARM_UP_STEPS)

    def measure(seconds):
        num_steps = max(1, math.ceil(seconds / state["seconds"]))
        return run(num_steps) * 1e3, num_steps

    serve(prepare, measure)
    told(None)
    other.join()
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
