"""Makes fixtures/schedules.json: what PyTorch's learning-rate schedulers do.

Run from libs/lstm with the torch version below (any CPU build):

    python tools/make-schedule-fixtures.py > fixtures/schedules.json

Where PyTorch has no scheduler the rates are the formula of the paper, as named there. A warm-up of W
steps is a LambdaLR with (s + 1)/W before the scheduler, by SequentialLR.
"""

import json
import sys
import warnings

import torch
from torch.optim import lr_scheduler

TORCH_VERSION = "2.15.0"
STEPS_PER_EPOCH = 4
NUM_STEPS = 40
PEAK = 0.02


def sgd(learning_rate=PEAK):
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=learning_rate)


def rates_of(optimizer, scheduler, num_steps, steps_per_call=1):
    rates = []
    for step in range(1, num_steps + 1):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if step % steps_per_call == 0:
            scheduler.step()
    return rates


def torch_case(name, spec, make, num_steps=NUM_STEPS, steps_per_call=1):
    """`make` gets the optimizer; after a warm-up the scheduler counts from its end."""
    optimizer = sgd()
    warmup_steps = spec.get("warmupSteps", 0)
    if warmup_steps == 0:
        scheduler = make(optimizer)
    else:
        warmup = lr_scheduler.LambdaLR(optimizer, lambda step: (step + 1) / warmup_steps)
        scheduler = lr_scheduler.SequentialLR(optimizer, [warmup, make(optimizer)], [warmup_steps])
    rates = rates_of(optimizer, scheduler, num_steps, steps_per_call)
    return {"name": name, "schedule": spec, "rates": rates}


def formula_case(name, spec, factor, num_steps=NUM_STEPS):
    """`factor` of the step, from 0 on, and its epoch, from 0 on."""
    rates = [PEAK * factor(step, step // STEPS_PER_EPOCH) for step in range(num_steps)]
    return {"name": name, "schedule": spec, "rates": rates}


def inverse_sqrt(warmup_steps):
    """Vaswani et al. 2017, section 5.3, as a share of its largest value, that at step_num = W."""
    d_model = 512
    def rate(step_num):
        return d_model**-0.5 * min(step_num**-0.5, step_num * warmup_steps**-1.5)
    return lambda step, epoch: rate(step + 1) / rate(warmup_steps)


def zaremba(gamma, full_epochs):
    """The authors' code: after `full_epochs` epochs each epoch multiplies the rate."""
    return lambda step, epoch: gamma ** max(epoch + 1 - full_epochs, 0)


def cases():
    eta = lambda share: share * PEAK
    warm = {"warmupSteps": 5}
    yield torch_case("constant", {"kind": "constant"}, lambda o: lr_scheduler.ConstantLR(o, factor=1))
    yield torch_case("constant, warmed up", {"kind": "constant", **warm}, lambda o: lr_scheduler.ConstantLR(o, factor=1))
    step = lambda o: lr_scheduler.StepLR(o, step_size=7, gamma=0.3)
    yield torch_case("step", {"kind": "step", "stepSize": 7, "gamma": 0.3}, step)
    yield torch_case("step, warmed up", {"kind": "step", "stepSize": 7, "gamma": 0.3, **warm}, step)
    yield torch_case(
        "step in epochs",
        {"kind": "step", "stepSize": 3, "unit": "epoch"},
        lambda o: lr_scheduler.StepLR(o, step_size=3),
        steps_per_call=STEPS_PER_EPOCH,
    )
    multi = {"kind": "multiStep", "milestones": [10, 11, 30], "gamma": 0.5}
    yield torch_case("multiStep", multi, lambda o: lr_scheduler.MultiStepLR(o, [10, 11, 30], 0.5))
    # Milestones are places in the run; PyTorch's are counted from the end of the warm-up.
    yield torch_case("multiStep, warmed up", {**multi, **warm}, lambda o: lr_scheduler.MultiStepLR(o, [5, 6, 25], 0.5))
    yield torch_case(
        "multiStep in epochs",
        {"kind": "multiStep", "milestones": [2, 5], "unit": "epoch"},
        lambda o: lr_scheduler.MultiStepLR(o, [2, 5]),
        steps_per_call=STEPS_PER_EPOCH,
    )
    exponential = lambda o: lr_scheduler.ExponentialLR(o, 0.9)
    yield torch_case("exponential", {"kind": "exponential", "gamma": 0.9}, exponential)
    yield torch_case("exponential, warmed up", {"kind": "exponential", "gamma": 0.9, **warm}, exponential)
    yield torch_case(
        "exponential in epochs",
        {"kind": "exponential", "gamma": 0.8, "unit": "epoch"},
        lambda o: lr_scheduler.ExponentialLR(o, 0.8),
        steps_per_call=STEPS_PER_EPOCH,
    )
    for power in [1, 2, 0.9]:
        spec = {"kind": "polynomial", "totalSteps": 33, "power": power}
        yield torch_case(f"polynomial of power {power}", spec, lambda o: lr_scheduler.PolynomialLR(o, 33, power))
    yield torch_case(
        "polynomial, warmed up",
        {"kind": "polynomial", "totalSteps": 33, "power": 2, **warm},
        lambda o: lr_scheduler.PolynomialLR(o, 28, 2),
    )
    yield formula_case(
        # Keras's PolynomialDecay, whose end is a learning rate.
        "polynomial to a fraction",
        {"kind": "polynomial", "totalSteps": 20, "power": 3, "finalFraction": 0.1},
        lambda step, epoch: 0.9 * (1 - min(step, 20) / 20) ** 3 + 0.1,
    )
    cosine = {"kind": "cosine", "totalSteps": 32, "finalFraction": 0.1}
    yield torch_case("cosine", cosine, lambda o: lr_scheduler.CosineAnnealingLR(o, 32, eta(0.1)), 33)
    yield torch_case("cosine, warmed up", {**cosine, **warm}, lambda o: lr_scheduler.CosineAnnealingLR(o, 27, eta(0.1)), 33)
    for first, factor in [(6, 1), (3, 2), (2, 3)]:
        for spec in [{}, warm]:
            name = f"cosineRestarts of {first} times {factor}{', warmed up' if spec else ''}"
            full = {"kind": "cosineRestarts", "firstPeriod": first, "periodFactor": factor, "finalFraction": 0.05, **spec}
            yield torch_case(name, full, lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, first, factor, eta(0.05)))
    for anneal in ["cosine", "linear"]:
        for fraction, initial, final, total in [(0.3, 25, 1e4, 40), (0.45, 10, 100, 31)]:
            spec = {
                "kind": "oneCycle",
                "totalSteps": total,
                "warmupFraction": fraction,
                "initialDivisor": initial,
                "finalDivisor": final,
                "anneal": anneal,
            }
            make = lambda o: lr_scheduler.OneCycleLR(
                o,
                max_lr=PEAK,
                total_steps=total,
                pct_start=fraction,
                anneal_strategy="cos" if anneal == "cosine" else anneal,
                cycle_momentum=False,
                div_factor=initial,
                final_div_factor=final,
            )
            case = torch_case(f"oneCycle, {anneal}, of {total}", spec, make, total)
            # Past its end PyTorch refuses; here it stays.
            yield {**case, "rates": case["rates"] + [case["rates"][-1]] * 3}
    yield formula_case("inverseSqrt", {"kind": "inverseSqrt", "warmupSteps": 7}, inverse_sqrt(7))
    yield formula_case(
        "decayFromEpoch", {"kind": "decayFromEpoch", "fullEpochs": 4, "gamma": 0.5}, zaremba(0.5, 4)
    )
    yield formula_case(
        "decayFromEpoch, medium", {"kind": "decayFromEpoch", "fullEpochs": 6, "gamma": 1 / 1.2}, zaremba(1 / 1.2, 6)
    )


def plateau_cases():
    generator = torch.Generator().manual_seed(11)
    falling = torch.linspace(4, 2, 60, dtype=torch.float64)
    noise = torch.randn(60, generator=generator, dtype=torch.float64)
    losses = (falling + 0.2 * noise).tolist()
    losses[20] = losses[41] = float("nan")
    for spec in [
        {"factor": 0.5, "patience": 2},
        {"factor": 0.1, "patience": 0, "cooldown": 3, "minFraction": 1e-4},
        {"factor": 0.3, "patience": 1, "threshold": 0.05, "thresholdMode": "abs"},
        {"factor": 0.7, "patience": 3, "threshold": 0.02, "cooldown": 2, "minFraction": 0.25},
    ]:
        optimizer = sgd(1.0)
        scheduler = lr_scheduler.ReduceLROnPlateau(
            optimizer,
            factor=spec["factor"],
            patience=spec["patience"],
            threshold=spec.get("threshold", 1e-4),
            threshold_mode=spec.get("thresholdMode", "rel"),
            cooldown=spec.get("cooldown", 0),
            min_lr=spec.get("minFraction", 0),
            eps=0,
        )
        factors = []
        for loss in losses:
            scheduler.step(loss)
            factors.append(optimizer.param_groups[0]["lr"])
        finite = [loss if loss == loss else None for loss in losses]
        yield {"spec": spec, "losses": finite, "factors": factors}


def main() -> None:
    if torch.__version__.split("+")[0] != TORCH_VERSION:
        sys.exit(f"torch is {torch.__version__}; these fixtures are made with {TORCH_VERSION}")
    # SequentialLR gives its schedulers an epoch, which they call deprecated.
    warnings.simplefilter("ignore")
    head = {"torch": TORCH_VERSION, "stepsPerEpoch": STEPS_PER_EPOCH, "learningRate": PEAK}
    lists = {"schedules": list(cases()), "plateaus": list(plateau_cases())}
    rows = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    for key, values in lists.items():
        rows.append(f"{json.dumps(key)}: [\n" + ",\n".join(map(json.dumps, values)) + "\n]")
    print("{\n" + ",\n".join(rows) + "\n}")


if __name__ == "__main__":
    main()
