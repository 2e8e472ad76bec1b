"""Makes fixtures/optimizers.json: what PyTorch's optimizers, clipping and schedule do.

Run from libs/lstm with the torch version below (any CPU build):

    python tools/make-optimizer-fixtures.py > fixtures/optimizers.json

`after` and `slots` are PyTorch's, which may fuse a multiplication and an addition; for LAMB, which it
lacks, they are the paper's formula in float64. `bits` is the definition in libs/kernels/src/flat/updates,
written again with NumPy, every operation rounded to float32.

Numbers are float32 values printed so that reading them as float64 and rounding to float32 gives them
back. The parameters are two tensors, [3, 4] and [5], which the fixture has one after the other.
"""

import fnmatch
import json
import math
import sys

import numpy
import torch

TORCH_VERSION = "2.15.0"
NUM_STEPS = 24
# Around the usual epsilon, where it matters what is inside the square root; and exactly zero.
GRADIENT_SCALES = [1, 1e-8, 1e-3, 0, 30] * 4
REPORTED_STEPS = [1, 2, 3, 10, 24]
# What gradients are multiplied with for `bits`; no float32, so that its rounding counts.
BITS_SCALE = 0.37

TENSORS = ["layer.kernel", "layer.bias"]
# PyTorch's names of what an optimizer keeps for each parameter.
SLOTS = {
    "momentum_buffer": "momentumBuffer",
    "square_avg": "squareAverage",
    "grad_avg": "gradientAverage",
    "sum": "squareSum",
    "exp_avg": "firstMoment",
    "exp_avg_sq": "secondMoment",
    "max_exp_avg_sq": "maxSecondMoment",
    "ax": "average",
}


class Lamb:
    """Algorithm 2 of You et al., "Large batch optimization for deep learning", 2020, in float64."""

    def __init__(self, groups, lr, betas, eps, weight_decay, max_weight_norm=math.inf):
        self.groups = [{"lr": lr, "weight_decay": weight_decay, **group} for group in groups]
        self.betas, self.eps, self.max_weight_norm = betas, eps, max_weight_norm
        self.state, self.steps = {}, 0
        self.values = {}

    def step(self):
        self.steps += 1
        beta1, beta2 = self.betas
        for group in self.groups:
            for parameter in group["params"]:
                zeros = torch.zeros_like(parameter, dtype=torch.float64)
                state = self.state.setdefault(parameter, {"exp_avg": zeros, "exp_avg_sq": zeros})
                x = self.values.setdefault(parameter, parameter.detach().double())
                g = parameter.grad.double()
                m = state["exp_avg"] = beta1 * state["exp_avg"] + (1 - beta1) * g
                v = state["exp_avg_sq"] = beta2 * state["exp_avg_sq"] + (1 - beta2) * g * g
                m_hat = m / (1 - beta1**self.steps)
                v_hat = v / (1 - beta2**self.steps)
                r = m_hat / (v_hat.sqrt() + self.eps)
                u = r + group["weight_decay"] * x
                norm, u_norm = x.norm(), u.norm()
                ratio = min(norm, self.max_weight_norm) / u_norm if norm > 0 and u_norm > 0 else 1.0
                x = self.values[parameter] = x - group["lr"] * ratio * u
                parameter.data.copy_(x)


SGD, ASGD, Adagrad = torch.optim.SGD, torch.optim.ASGD, torch.optim.Adagrad
RMSprop, Adam, AdamW = torch.optim.RMSprop, torch.optim.Adam, torch.optim.AdamW
# What groups of tensors have: the matrix and the vector, whatever the optimizer.
BIAS_GROUPS = [{"match": "*.bias", "learningRateScale": 0.3, "weightDecay": 0}]
BOTH_GROUPS = [
    {"match": "layer.b*", "learningRateScale": 2, "weightDecay": 0.25},
    {"match": "*", "learningRateScale": 0.5, "weightDecay": None},
]

# name, spec, class, options of the class; the first seven are run with clipping too.
CASES = [
    ("sgd", {"kind": "sgd"}, SGD, {}),
    ("momentum", {"kind": "momentum", "momentum": 0.9}, SGD, {"momentum": 0.9}),
    (
        "nesterov",
        {"kind": "momentum", "momentum": 0.8, "nesterov": True},
        SGD,
        {"momentum": 0.8, "nesterov": True},
    ),
    (
        "rmsprop",
        {"kind": "rmsprop", "decay": 0.99, "epsilon": 1e-8},
        RMSprop,
        {"alpha": 0.99, "eps": 1e-8},
    ),
    (
        "rmsprop with momentum",
        {"kind": "rmsprop", "decay": 0.9, "epsilon": 1e-6, "momentum": 0.5},
        RMSprop,
        {"alpha": 0.9, "eps": 1e-6, "momentum": 0.5},
    ),
    (
        "adam",
        {"kind": "adam", "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
        Adam,
        {"betas": (0.9, 0.999), "eps": 1e-8},
    ),
    (
        "adam with other settings",
        {"kind": "adam", "beta1": 0.5, "beta2": 0.9, "epsilon": 1e-3},
        Adam,
        {"betas": (0.5, 0.9), "eps": 1e-3},
    ),
    ("sgd with decay", {"kind": "sgd", "weightDecay": 0.1}, SGD, {"weight_decay": 0.1}),
    (
        "sgd with groups",
        {"kind": "sgd", "weightDecay": 0.1, "groups": BOTH_GROUPS},
        SGD,
        {"weight_decay": 0.1},
    ),
    (
        "dampened momentum with decay",
        {"kind": "momentum", "momentum": 0.7, "dampening": 0.4, "weightDecay": 0.1},
        SGD,
        {"momentum": 0.7, "dampening": 0.4, "weight_decay": 0.1},
    ),
    (
        "nesterov with decay and groups",
        {"kind": "momentum", "nesterov": True, "weightDecay": 0.1, "groups": BIAS_GROUPS},
        SGD,
        {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
    ),
    (
        "averaged sgd",
        {"kind": "averagedSgd", "lambda": 0.5, "alpha": 0.75, "t0": 6},
        ASGD,
        {"lambd": 0.5, "alpha": 0.75, "t0": 6},
    ),
    (
        "averaged sgd from the start, with decay and groups",
        {"kind": "averagedSgd", "alpha": 0.6, "t0": 0, "weightDecay": 0.1, "groups": BOTH_GROUPS},
        ASGD,
        {"lambd": 1e-4, "alpha": 0.6, "t0": 0, "weight_decay": 0.1},
    ),
    ("adagrad", {"kind": "adagrad"}, Adagrad, {}),
    (
        "adagrad with all settings",
        {
            **{"kind": "adagrad", "learningRateDecay": 0.2, "initialAccumulator": 0.5},
            **{"epsilon": 1e-3, "weightDecay": 0.1, "groups": BIAS_GROUPS},
        },
        Adagrad,
        {"lr_decay": 0.2, "initial_accumulator_value": 0.5, "eps": 1e-3, "weight_decay": 0.1},
    ),
    (
        "centered rmsprop",
        {"kind": "rmsprop", "decay": 0.9, "epsilon": 1e-4, "centered": True},
        RMSprop,
        {"alpha": 0.9, "eps": 1e-4, "centered": True},
    ),
    (
        "centered rmsprop with momentum, decay and groups",
        {
            **{"kind": "rmsprop", "decay": 0.8, "epsilon": 1e-3, "centered": True},
            **{"momentum": 0.6, "weightDecay": 0.1, "groups": BIAS_GROUPS},
        },
        RMSprop,
        {"alpha": 0.8, "eps": 1e-3, "centered": True, "momentum": 0.6, "weight_decay": 0.1},
    ),
    (
        "rmsprop with decay",
        {"kind": "rmsprop", "decay": 0.9, "weightDecay": 0.2},
        RMSprop,
        {"alpha": 0.9, "eps": 1e-8, "weight_decay": 0.2},
    ),
    (
        "adam with decay and groups",
        {"kind": "adam", "weightDecay": 0.1, "groups": BOTH_GROUPS},
        Adam,
        {"weight_decay": 0.1},
    ),
    (
        "amsgrad",
        {"kind": "adam", "beta2": 0.9, "amsgrad": True},
        Adam,
        {"betas": (0.9, 0.9), "amsgrad": True},
    ),
    ("adamw", {"kind": "adamw", "weightDecay": 0.5}, AdamW, {"weight_decay": 0.5}),
    (
        "adamw with amsgrad and groups",
        {
            **{"kind": "adamw", "beta2": 0.8, "epsilon": 1e-6, "amsgrad": True},
            **{"weightDecay": 0.4, "groups": BIAS_GROUPS},
        },
        AdamW,
        {"betas": (0.9, 0.8), "eps": 1e-6, "amsgrad": True, "weight_decay": 0.4},
    ),
    (
        "lamb",
        {"kind": "lamb", "weightDecay": 0.05},
        Lamb,
        {"betas": (0.9, 0.999), "eps": 1e-6, "weight_decay": 0.05},
    ),
    (
        "lamb with a bound and groups",
        {
            **{"kind": "lamb", "beta1": 0.8, "beta2": 0.9, "epsilon": 1e-3},
            **{"maxWeightNorm": 2.5, "weightDecay": 0.1, "groups": BIAS_GROUPS},
        },
        Lamb,
        {"betas": (0.8, 0.9), "eps": 1e-3, "weight_decay": 0.1, "max_weight_norm": 2.5},
    ),
]


def shortest(value: float) -> float:
    """The shortest decimal that names this float32."""
    return float(str(numpy.float32(value)))


def flat(tensors) -> list[float]:
    return [shortest(value) for tensor in tensors for value in tensor.detach().flatten().tolist()]


def draw(generator: torch.Generator) -> list[torch.Tensor]:
    return [torch.randn(3, 4, generator=generator), torch.randn(5, generator=generator)]


def settings_of(spec, name):
    """A tensor's learning-rate scale and weight decay; the first matching group's win."""
    decay = spec.get("weightDecay", {"adamw": 0.01, "lamb": 0.01}.get(spec["kind"], 0))
    for group in spec.get("groups", []):
        if fnmatch.fnmatchcase(name, group["match"]):
            own = group["weightDecay"]
            return group["learningRateScale"], decay if own is None else own
    return 1, decay


def run(initial, gradients, spec, optimizer_class, options, learning_rate, max_norm):
    parameters = [torch.nn.Parameter(tensor.clone()) for tensor in initial]
    groups = []
    for name, parameter in zip(TENSORS, parameters):
        scale, decay = settings_of(spec, name)
        groups.append({"params": [parameter], "lr": learning_rate * scale, "weight_decay": decay})
    optimizer = optimizer_class(groups, lr=learning_rate, **options)
    after, norms = {}, []
    for step, gradient in enumerate(gradients, start=1):
        for parameter, value in zip(parameters, gradient):
            parameter.grad = value.clone()
        if max_norm is not None:
            norms.append(shortest(torch.nn.utils.clip_grad_norm_(parameters, max_norm).item()))
        optimizer.step()
        if step in REPORTED_STEPS:
            after[step] = flat(parameters)
    states = [optimizer.state.get(parameter, {}) for parameter in parameters]
    slots = {
        name: flat([state[theirs] for state in states])
        for theirs, name in SLOTS.items()
        if states[0].get(theirs) is not None
    }
    return after, norms, slots


def integer_power(base: float, exponent: int) -> float:
    """As libs/kernels/src/flat/integer-power.ts: of multiplications alone, in the same order."""
    power, square = 1.0, base
    while exponent > 0:
        if exponent % 2 == 1:
            power *= square
        square *= square
        exponent //= 2
    return power


def sum_of_squares(values):
    """As libs/kernels/src/flat/norm.ts, for less than a block."""
    lanes = [0.0] * 4
    for i, value in enumerate(values.astype(numpy.float64)):
        lanes[i % 4] += value * value
    return lanes[0] + lanes[1] + (lanes[2] + lanes[3])


def bits(initial, gradients, spec, learning_rate, scale):
    """The bits of parameters and slots after all steps, for gradients times `scale`."""
    parts = []
    for index, name in enumerate(TENSORS):
        rate_scale, decay = settings_of(spec, name)
        tensor = numpy.array(flat(initial[index : index + 1]), numpy.float32)
        given = [numpy.array(flat(gradient[index : index + 1]), numpy.float32) for gradient in gradients]
        parts.append(bits_of_tensor(tensor, given, spec, learning_rate * rate_scale, decay, scale))
    return {
        name: numpy.concatenate([part[name] for part in parts]).view(numpy.uint32).tolist()
        for name in parts[0]
    }


def bits_of_tensor(p, gradients, spec, rate, decay, scale):
    f = numpy.float32
    kind = spec["kind"]
    zeros = numpy.zeros_like(p)
    slots = {}

    def slot(name):
        return slots.setdefault(name, zeros)

    def mean(name, share, g):
        slots[name] = slot(name) + f(share) * (g - slot(name))
        return slots[name]

    def mean_square(name, decay, g):
        slots[name] = f(decay) * slot(name) + (f(1 - decay) * g) * g
        return slots[name]

    for step, gradient in enumerate(gradients, start=1):
        g = gradient * f(scale)
        if decay != 0 and kind not in ("adamw", "lamb"):
            g = g + f(decay) * p
        if kind == "sgd":
            p = p - f(rate) * g
        elif kind == "momentum":
            momentum = f(spec.get("momentum", 0.9))
            taken = f(1 - (0 if step == 1 else spec.get("dampening", 0)))
            b = slots["momentumBuffer"] = momentum * slot("momentumBuffer") + taken * g
            p = p - f(rate) * (g + momentum * b if spec.get("nesterov") else b)
        elif kind == "averagedSgd":
            shrink = spec.get("lambda", 1e-4)
            eta = rate / (1 + shrink * rate * (step - 1)) ** spec["alpha"]
            p = f(1 - shrink * eta) * p - f(eta) * g
            mu = 1 / max(1, step - 1 - spec["t0"])
            slots["average"] = p if mu == 1 else slot("average") + f(mu) * (p - slot("average"))
        elif kind == "adagrad":
            start = f(spec.get("initialAccumulator", 0))
            slots["squareSum"] = slots.get("squareSum", zeros + start) + g * g
            eta = f(rate / (1 + (step - 1) * spec.get("learningRateDecay", 0)))
            p = p - (eta * g) / (numpy.sqrt(slots["squareSum"]) + f(spec.get("epsilon", 1e-10)))
        elif kind == "rmsprop":
            v = mean_square("squareAverage", spec["decay"], g)
            if spec.get("centered"):
                m = mean("gradientAverage", 1 - spec["decay"], g)
                v = numpy.maximum(f(0), v - m * m)
            root = numpy.sqrt(v) + f(spec.get("epsilon", 1e-8))
            if spec.get("momentum", 0) == 0:
                p = p - (f(rate) * g) / root
            else:
                slots["momentumBuffer"] = f(spec["momentum"]) * slot("momentumBuffer") + g / root
                p = p - f(rate) * slots["momentumBuffer"]
        else:
            beta1, beta2 = spec.get("beta1", 0.9), spec.get("beta2", 0.999)
            m = mean("firstMoment", 1 - beta1, g)
            v = mean_square("secondMoment", beta2, g)
            correction = math.sqrt(1 - integer_power(beta2, step))
            rest = 1 - integer_power(beta1, step)
            if kind == "lamb":
                epsilon = f(spec.get("epsilon", 1e-6))
                u = (m * f(1 / rest)) / (numpy.sqrt(v) * f(1 / correction) + epsilon)
                if decay != 0:
                    u = u + f(decay) * p
                norms = [math.sqrt(sum_of_squares(values)) for values in (p, u)]
                ratio = min(norms[0], spec.get("maxWeightNorm", math.inf)) / norms[1]
                p = p - f(rate * ratio) * u
            else:
                if spec.get("amsgrad"):
                    v = slots["maxSecondMoment"] = numpy.maximum(slot("maxSecondMoment"), v)
                if kind == "adamw" and decay != 0:
                    p = f(1 - rate * decay) * p
                size = f(rate / rest * correction)
                p = p - (size * m) / (numpy.sqrt(v) + f(spec.get("epsilon", 1e-8) * correction))
        assert all(values.dtype == f for values in (g, p, *slots.values()))
    return {"parameters": p, **slots}


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
    for index, (name, spec, optimizer_class, options) in enumerate(CASES):
        for max_norm in [None, 40.0] if index < 7 else [None]:
            learning_rate = 0.01
            after, norms, slots = run(
                initial, gradients, spec, optimizer_class, options, learning_rate, max_norm
            )
            cases.append(
                {
                    "name": name if max_norm is None else f"{name}, clipped",
                    "spec": spec,
                    "learningRate": learning_rate,
                    "maxNorm": max_norm,
                    "norms": norms,
                    "after": after,
                    "slots": slots,
                }
            )
            if max_norm is None:
                cases[-1]["bits"] = bits(initial, gradients, spec, learning_rate, BITS_SCALE)
    fixture = {
        "torch": TORCH_VERSION,
        "tensors": [
            {"name": name, "shape": list(tensor.shape)} for name, tensor in zip(TENSORS, initial)
        ],
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
