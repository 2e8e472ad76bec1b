"""Makes fixtures/clipping.json: what PyTorch's clipping does to averaged gradients.

Run from libs/lstm with the torch version below (any CPU build):

    python tools/make-clipping-fixtures.py > fixtures/clipping.json

PyTorch has no adaptive clipping; it is the formula of Brock et al. 2021 in float64, with the units and
the constants of the authors' code (github.com/deepmind/deepmind-research, nfnets/optim.py).
"""

import json
import math
import sys

import torch

TORCH_VERSION = "2.15.0"
# Each tensor's name, shape, and the size of its parameters and of its gradient.
TENSORS = [
    ("embedding.table", [6, 3], 1, 0.3),
    ("layers.0.kernel", [7, 8], 0.5, 2),
    ("layers.0.bias", [8], 0, 0.2),
    ("layers.1.kernel", [4, 8], 0.5, 0.001),
    ("layers.1.bias", [8], 1, 0.002),
    ("layers.1.peephole", [3, 2], 1e-5, 0.01),
    ("head.kernel", [2, 6], 0.3, 1),
    ("head.bias", [6], 1, 1e-9),
]
CASES = [
    {"kind": "none"},
    *({"kind": "globalNorm", "maxNorm": bound} for bound in (1, 15.5, 1000)),
    *({"kind": "value", "maxValue": bound} for bound in (1e-3, 0.7, 1000)),
    *({"kind": "layer", "maxNorm": bound} for bound in (0.02, 1.5, 1000)),
    {"kind": "adaptive", "maxRatio": 0.01, "epsilon": 1e-3},
    {"kind": "adaptive", "maxRatio": 1e-4, "epsilon": 1e-4},
    {"kind": "adaptive", "maxRatio": 0.5, "epsilon": 0.1},
    {"kind": "adaptive", "maxRatio": 1e6, "epsilon": 0.1},
]


def shortest(value: float) -> float:
    """The shortest decimal that is this float32."""
    return float(f"{value:.9g}")


def layer_of(name):
    return name.rpartition(".")[0]


def adaptive(parameter, gradient, ratio, epsilon):
    p, g = parameter.double(), gradient.double()
    axis = 0 if p.dim() > 1 else None
    p_norm = torch.linalg.vector_norm(p, dim=axis, keepdim=axis is not None)
    g_norm = torch.linalg.vector_norm(g, dim=axis, keepdim=axis is not None)
    max_norm = ratio * torch.clamp(p_norm, min=epsilon)
    clipped = g * (max_norm / torch.clamp(g_norm, min=1e-6))
    return torch.where(g_norm < max_norm, g, clipped)


def clip(case, parameters):
    kind = case["kind"]
    values = list(parameters.values())
    if kind == "globalNorm":
        torch.nn.utils.clip_grad_norm_(values, case["maxNorm"])
    elif kind == "value":
        torch.nn.utils.clip_grad_value_(values, case["maxValue"])
    elif kind == "layer":
        for layer in dict.fromkeys(map(layer_of, parameters)):
            of_layer = [value for name, value in parameters.items() if layer_of(name) == layer]
            torch.nn.utils.clip_grad_norm_(of_layer, case["maxNorm"])
    elif kind == "adaptive":
        for value in values:
            value.grad.copy_(adaptive(value.detach(), value.grad, case["maxRatio"], case["epsilon"]))


def flat(tensors):
    return [shortest(value) for tensor in tensors for value in tensor.detach().flatten().tolist()]


def main():
    if torch.__version__.split("+")[0] != TORCH_VERSION:
        sys.exit(f"needs torch {TORCH_VERSION}, this is {torch.__version__}")
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(11)
    draw = lambda shape, scale: scale * torch.randn(shape, generator=generator)
    initial = [draw(shape, scale) for _, shape, scale, _ in TENSORS]
    gradients = [draw(shape, scale) for _, shape, _, scale in TENSORS]
    # A unit without a gradient and one without weights.
    gradients[1][:, 2] = 0
    initial[1][:, 5] = 0
    cases = []
    for case in CASES:
        parameters = {}
        for (name, *_), value, gradient in zip(TENSORS, initial, gradients):
            parameters[name] = torch.nn.Parameter(value.clone())
            parameters[name].grad = gradient.clone()
        clip(case, parameters)
        after = [value.grad for value in parameters.values()]
        changed = any(not torch.equal(a, b) for a, b in zip(after, gradients))
        cases.append({"spec": case, "clipped": changed, "gradient": flat(after)})
    fixture = {
        "torch": TORCH_VERSION,
        "tensors": [{"name": name, "shape": shape} for name, shape, *_ in TENSORS],
        "norm": shortest(math.sqrt(sum(float((g.double() ** 2).sum()) for g in gradients))),
        "parameters": flat(initial),
        "gradient": flat(gradients),
        "cases": cases,
    }
    rows = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in fixture.items())
    print("{\n" + rows + "\n}")


if __name__ == "__main__":
    main()
