"""Makes fixtures/normal.json: quantiles of the standard normal distribution and its probabilities.

Run from libs/lstm with the torch version below (any CPU build):

    python tools/make-normal-fixtures.py > fixtures/normal.json

`quantile` is torch.special.ndtri of ½ + offset in float64, `below` torch.special.ndtr.
"""

import json
import sys

import torch

TORCH_VERSION = "2.15.0"


def main():
    if torch.__version__.split("+")[0] != TORCH_VERSION:
        sys.exit(f"torch is {torch.__version__}; these fixtures are made with {TORCH_VERSION}")
    # Probabilities that ½ + offset has without rounding, down to the smallest that a word gives.
    probabilities = [numerator / 512 for numerator in range(1, 256, 6)]
    probabilities += [2.0**-k for k in range(10, 34)] + [0.074993896484375, 0.0750732421875]
    offsets = [sign * (0.5 - p) for p in probabilities for sign in (-1, 1)] + [0.0]
    bounds = [0.01, 0.1, 0.5, 1.0, 1.5, 2.0, 3.0, 4.5, 6.0]
    quantiles = torch.special.ndtri(torch.tensor(offsets, dtype=torch.float64) + 0.5)
    below = torch.special.ndtr(torch.tensor(bounds, dtype=torch.float64))
    fixture = {
        "torch": TORCH_VERSION,
        "quantiles": [{"offset": o, "quantile": q} for o, q in zip(offsets, quantiles.tolist())],
        "probabilities": [{"x": x, "below": p} for x, p in zip(bounds, below.tolist())],
    }
    rows = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in fixture.items())
    print("{\n" + rows + "\n}")


if __name__ == "__main__":
    main()
