"""Makes fixtures/optimizers.json: what PyTorch's optimizers, clipping and schedule do.

Run from libs/lstm with the torch version below (any CPU build):

    python tools/make-optimizer-fixtures.py > fixtures/optimizers.json

`after` is PyTorch's, which may fuse a multiplication and an addition; `bits` is the definition in
libs/kernels/src/flat/updates.ts, written again with NumPy, every operation rounded to float32.

Numbers are float32 values printed so that reading them as float64 and rounding to float32 gives them
back. The parameters are two tensors, [3, 4] and [5], which the fixture has one after the other.
"""

import json
import math
import sys

import numpy
import torch

TORCH_VERSION = "2.15.0"
NUM_STEPS = 20
# Around the usual epsilon, where it matters what is inside the square root; and exactly zero.
GRADIENT_SCALES = [1, 1e-8, 1e-3, 0, 30] * 4
REPORTED_STEPS = [1, 2, 3, 10, 20]
# What gradients are multiplied with for `bits`; no float32, so that its rounding counts.
BITS_SCALE = 0.37

CASES = [
    ("sgd", {"kind": "sgd"}, torch.optim.SGD, {}),
    ("momentum", {"kind": "momentum", "momentum": 0.9, "nesterov": False}, torch.optim.SGD, {"momentum": 0.9}),
    (
        "nesterov",
        {"kind": "momentum", "momentum": 0.8, "nesterov": True},
        torch.optim.SGD,
        {"momentum": 0.8, "nesterov": True},
    ),
    (
        "rmsprop",
        {"kind": "rmsprop", "decay": 0.99, "epsilon": 1e-8, "momentum": 0, "centered": False},
        torch.optim.RMSprop,
        {"alpha": 0.99, "eps": 1e-8},
    ),
    (
        "rmsprop with momentum",
        {"kind": "rmsprop", "decay": 0.9, "epsilon": 1e-6, "momentum": 0.5, "centered": False},
        torch.optim.RMSprop,
        {"alpha": 0.9, "eps": 1e-6, "momentum": 0.5},
    ),
    (
        "adam",
        {"kind": "adam", "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
        torch.optim.Adam,
        {"betas": (0.9, 0.999), "eps": 1e-8},
    ),
    (
        "adam with other settings",
        {"kind": "adam", "beta1": 0.5, "beta2": 0.9, "epsilon": 1e-3},
        torch.optim.Adam,
        {"betas": (0.5, 0.9), "eps": 1e-3},
    ),
]


def shortest(value: float) -> float:
    """The shortest decimal that names this float32."""
    return float(str(numpy.float32(value)))


def flat(tensors) -> list[float]:
    return [shortest(value) for tensor in tensors for value in tensor.detach().flatten().tolist()]


def draw(generator: torch.Generator) -> list[torch.Tensor]:
    return [torch.randn(3, 4, generator=generator), torch.randn(5, generator=generator)]


def run(initial, gradients, optimizer_class, options, learning_rate, max_norm):
    parameters = [torch.nn.Parameter(tensor.clone()) for tensor in initial]
    optimizer = optimizer_class(parameters, lr=learning_rate, **options)
    after, norms = {}, []
    for step, gradient in enumerate(gradients, start=1):
        for parameter, value in zip(parameters, gradient):
            parameter.grad = value.clone()
        if max_norm is not None:
            norms.append(shortest(torch.nn.utils.clip_grad_norm_(parameters, max_norm).item()))
        optimizer.step()
        if step in REPORTED_STEPS:
            after[step] = flat(parameters)
    return after, norms


def integer_power(base: float, exponent: int) -> float:
    """As libs/kernels/src/flat/integer-power.ts: of multiplications alone, in the same order."""
    power, square = 1.0, base
    while exponent > 0:
        if exponent % 2 == 1:
            power *= square
        square *= square
        exponent //= 2
    return power


def bits(initial, gradients, spec, learning_rate, scale):
    """The bits of parameters and slots after all steps, for gradients times `scale`."""
    f = numpy.float32
    p = numpy.array(flat(initial), f)
    first, second = numpy.zeros_like(p), numpy.zeros_like(p)
    rate = f(learning_rate)
    for step, gradient in enumerate(gradients, start=1):
        g = numpy.array(flat(gradient), f) * f(scale)
        if spec["kind"] == "sgd":
            p = p - rate * g
        elif spec["kind"] == "momentum":
            first = f(spec["momentum"]) * first + g
            p = p - rate * (g + f(spec["momentum"]) * first if spec["nesterov"] else first)
        elif spec["kind"] == "rmsprop":
            second = f(spec["decay"]) * second + (f(1 - spec["decay"]) * g) * g
            root = numpy.sqrt(second) + f(spec["epsilon"])
            if spec["momentum"] == 0:
                p = p - (rate * g) / root
            else:
                first = f(spec["momentum"]) * first + g / root
                p = p - rate * first
        else:
            first = first + f(1 - spec["beta1"]) * (g - first)
            second = f(spec["beta2"]) * second + (f(1 - spec["beta2"]) * g) * g
            correction = math.sqrt(1 - integer_power(spec["beta2"], step))
            size = f(learning_rate / (1 - integer_power(spec["beta1"], step)) * correction)
            p = p - (size * first) / (numpy.sqrt(second) + f(spec["epsilon"] * correction))
        assert p.dtype == first.dtype == second.dtype == f
    slots = {
        "sgd": [],
        "momentum": [("momentumBuffer", first)],
        "rmsprop": [("squareAverage", second)] + [("momentumBuffer", first)] * (spec.get("momentum") != 0),
        "adam": [("firstMoment", first), ("secondMoment", second)],
    }[spec["kind"]]
    return {
        name: values.view(numpy.uint32).tolist() for name, values in [("parameters", p), *slots]
    }


def cosine(learning_rate, total_steps, final_fraction):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
        optimizer, T_max=total_steps, eta_min=final_fraction * learning_rate
    )
    rates = []
    for _ in range(total_steps + 1):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return {
        "learningRate": learning_rate,
        "totalSteps": total_steps,
        "finalFraction": final_fraction,
        "rates": rates,
    }


def main() -> None:
    if torch.__version__.split("+")[0] != TORCH_VERSION:
        sys.exit(f"torch is {torch.__version__}; these fixtures are made with {TORCH_VERSION}")
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(3)
    initial = draw(generator)
    scales = torch.tensor(GRADIENT_SCALES[:17], dtype=torch.float32)
    scaled = [scales[:12].reshape(3, 4), scales[12:]]
    gradients = [
        [tensor * scale for tensor, scale in zip(draw(generator), scaled)] for _ in range(NUM_STEPS)
    ]
    cases = []
    for name, spec, optimizer_class, options in CASES:
        for max_norm in [None, 40.0]:
            learning_rate = 0.01
            after, norms = run(initial, gradients, optimizer_class, options, learning_rate, max_norm)
            cases.append(
                {
                    "name": name if max_norm is None else f"{name}, clipped",
                    "spec": spec,
                    "learningRate": learning_rate,
                    "maxNorm": max_norm,
                    "norms": norms,
                    "after": after,
                }
            )
            if max_norm is None:
                cases[-1]["bits"] = bits(initial, gradients, spec, learning_rate, BITS_SCALE)
    fixture = {
        "torch": TORCH_VERSION,
        "initial": flat(initial),
        "gradients": [flat(gradient) for gradient in gradients],
        "cases": cases,
        "bitsScale": BITS_SCALE,
        "cosine": cosine(0.002, 12, 0.1),
    }
    rows = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in fixture.items())
    print("{\n" + rows + "\n}")


if __name__ == "__main__":
    main()
