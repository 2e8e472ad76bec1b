"""Makes fixtures/losses.json: what PyTorch's losses come to, and their gradients.

Run from libs/lstm with the torch version below (any CPU build):

    python tools/make-loss-fixtures.py > fixtures/losses.json

Outputs and targets are float32 values; everything is computed from them in float64, and the results
are written down with nine digits. Each case has

- `sum` and `gradient`: of the sum of weight x loss over the positions (rows, for CTC), by reduction
  'none' (and the mean over a position's values) and autograd;
- `mean`: by PyTorch's own reduction 'mean' with all weights 1, where it has the same denominator.

A position's outputs are [K, outputs per target value]; CTC's are [steps, rows, labels].
`halfSteps` are differences of torch.lgamma and torch.digamma.
"""

import json
import math
import sys

import torch
from torch import nn
from torch.distributions import StudentT

TORCH_VERSION = "2.15.0"
NUM_STEPS, NUM_ROWS = 3, 4
NUM_POSITIONS = NUM_STEPS * NUM_ROWS
WEIGHTS = [1, 1, 0, 1, 0.5, 1, 2, 1, 0, 1, 1, 0.25]
softplus = nn.Softplus(threshold=1000)


def quantile_loss(quantiles):
    q = torch.tensor(quantiles, dtype=torch.float64)

    def loss(outputs, targets):
        error = targets[..., None] - outputs
        return torch.maximum(q * error, (q - 1) * error).mean(-1)

    return loss


def gaussian_loss(epsilon):
    nll = nn.GaussianNLLLoss(full=True, eps=1e-300, reduction="none")

    def loss(outputs, targets):
        mean, raw = outputs.unbind(-1)
        return nll(mean, targets, (softplus(raw) + epsilon) ** 2)

    return loss


def student_loss(epsilon):
    def loss(outputs, targets):
        location, raw_scale, raw_freedom = outputs.unbind(-1)
        scale = softplus(raw_scale) + epsilon
        return -StudentT(2 + softplus(raw_freedom), location, scale).log_prob(targets)

    return loss


def elementwise(loss_class, **options):
    """The loss of each value, and PyTorch's own mean over all of them."""
    none, mean = loss_class(reduction="none", **options), loss_class(reduction="mean", **options)
    return (
        lambda outputs, targets: none(outputs[..., 0], targets),
        lambda outputs, targets: mean(outputs[..., 0], targets),
    )


def binary(positive_weight):
    return elementwise(nn.BCEWithLogitsLoss, pos_weight=torch.tensor(positive_weight, dtype=torch.float64))


def mean_of(loss):
    return loss, lambda outputs, targets: loss(outputs, targets).mean()


# name, options of createLoss, target values a position, outputs a target value, (loss, mean)
VALUE_CASES = [
    ("mean squared", {"kind": "meanSquared"}, 3, 1, elementwise(nn.MSELoss)),
    ("mean absolute", {"kind": "meanAbsolute"}, 2, 1, elementwise(nn.L1Loss)),
    ("Huber", {"kind": "huber"}, 3, 1, elementwise(nn.HuberLoss)),
    ("Huber with a delta", {"kind": "huber", "delta": 0.25}, 1, 1, elementwise(nn.HuberLoss, delta=0.25)),
    ("binary cross-entropy", {"kind": "binaryCrossEntropy"}, 2, 1, binary(1)),
    (
        "binary cross-entropy with a positive weight",
        {"kind": "binaryCrossEntropy", "positiveWeight": 3.5},
        3,
        1,
        binary(3.5),
    ),
    (
        "quantile",
        {"kind": "quantile", "quantiles": [0.1, 0.5, 0.9]},
        2,
        3,
        mean_of(quantile_loss([0.1, 0.5, 0.9])),
    ),
    ("one quantile", {"kind": "quantile", "quantiles": [0.75]}, 1, 1, mean_of(quantile_loss([0.75]))),
    ("Gaussian", {"kind": "gaussian"}, 2, 2, mean_of(gaussian_loss(1e-6))),
    ("Gaussian with an epsilon", {"kind": "gaussian", "epsilon": 0.1}, 1, 2, mean_of(gaussian_loss(0.1))),
    ("Student's t", {"kind": "studentT"}, 2, 3, mean_of(student_loss(1e-6))),
    ("Student's t with an epsilon", {"kind": "studentT", "epsilon": 0.1}, 1, 3, mean_of(student_loss(0.1))),
]

CLASS_WEIGHTS = [1, 0.5, 2, 0, 1.5]
CLASS_CASES = [
    ("cross-entropy", {}, {}),
    ("class weights", {"classWeights": CLASS_WEIGHTS}, {}),
    ("an ignored index", {"ignoredIndex": 2}, {"ignore_index": 2}),
    ("label smoothing", {"labelSmoothing": 0.1}, {"label_smoothing": 0.1}),
    (
        "class weights, an ignored index and label smoothing",
        {"classWeights": CLASS_WEIGHTS, "ignoredIndex": -1, "labelSmoothing": 0.2},
        {"ignore_index": -1, "label_smoothing": 0.2},
    ),
]

# name, options of createLoss, labels, input lengths, targets
CTC_CASES = [
    ("CTC", {}, 5, [6, 6, 6], [[1, 2, 3], [4, 1], [2]]),
    ("CTC with lengths, repeated labels and an empty target", {}, 4, [6, 3, 5, 2], [[1, 1, 2], [3, 3], [], [2]]),
    ("CTC with another blank", {"blankIndex": 3}, 4, [5, 6, 1], [[0, 1], [2, 2, 0], [1]]),
    ("CTC with rows too short", {"zeroInfinity": True}, 4, [2, 6, 1], [[1, 1], [3, 2, 3], [1, 2]]),
]
CTC_WEIGHTS = [1, 2, 0.5, 1]


def float32(tensor):
    """The values that a float32 can have, in float64."""
    return tensor.float().double()


def digits(tensor):
    """Nine of them name a float32 exactly."""
    return [float(f"{value:.9g}") for value in tensor.detach().flatten().tolist()]


def with_gradient(outputs, loss_sum):
    loss_sum.backward()
    return {"sum": float(f"{loss_sum.item():.12g}"), "gradient": digits(outputs.grad)}


def draw(generator, *shape):
    return float32(torch.randn(*shape, generator=generator, dtype=torch.float64) * 1.5)


def value_case(generator, name, options, num_targets, outputs_per_target, losses):
    loss, mean = losses
    outputs = draw(generator, NUM_POSITIONS, num_targets, outputs_per_target).requires_grad_()
    targets = draw(generator, NUM_POSITIONS, num_targets)
    if options["kind"] == "binaryCrossEntropy":
        targets = float32(torch.sigmoid(targets))
        targets[::3], targets[1::3] = 0, 1
    weights = torch.tensor(WEIGHTS, dtype=torch.float64)
    loss_sum = (weights * loss(outputs, targets).mean(-1)).sum()
    return {
        "name": name,
        "options": options,
        "numTargets": num_targets,
        "outputs": digits(outputs),
        "targets": digits(targets),
        **with_gradient(outputs, loss_sum),
        "mean": float(f"{mean(outputs, targets).item():.12g}"),
    }


def class_case(generator, name, options, torch_options):
    num_classes = len(CLASS_WEIGHTS)
    outputs = draw(generator, NUM_POSITIONS, num_classes).requires_grad_()
    targets = torch.randint(num_classes, (NUM_POSITIONS,), generator=generator)
    if options.get("ignoredIndex") == -1:
        targets[::5] = -1
    class_weights = torch.tensor(options.get("classWeights", [1] * num_classes), dtype=torch.float64)
    loss = nn.CrossEntropyLoss(class_weights, reduction="none", **torch_options)
    mean = nn.CrossEntropyLoss(class_weights, reduction="mean", **torch_options)
    weights = torch.tensor(WEIGHTS, dtype=torch.float64)
    return {
        "name": name,
        "options": {"kind": "crossEntropy", **options},
        "numTargets": num_classes,
        "outputs": digits(outputs),
        "targets": targets.tolist(),
        **with_gradient(outputs, (weights * loss(outputs, targets)).sum()),
        "mean": float(f"{mean(outputs, targets).item():.12g}"),
    }


def ctc_case(generator, name, options, num_labels, input_lengths, targets):
    num_rows, num_steps, longest = len(targets), max(input_lengths), max(map(len, targets))
    outputs = draw(generator, num_steps, num_rows, num_labels).requires_grad_()
    loss = nn.CTCLoss(
        blank=options.get("blankIndex", 0),
        reduction="none",
        zero_infinity=options.get("zeroInfinity", False),
    )
    losses = loss(
        nn.functional.log_softmax(outputs, -1),
        # What stands behind a target's length is read by nobody.
        torch.tensor([row + [1] * (longest - len(row)) for row in targets]),
        torch.tensor(input_lengths),
        torch.tensor([len(row) for row in targets]),
    )
    weights = CTC_WEIGHTS[:num_rows]
    return {
        "name": name,
        "options": {"kind": "ctc", **options},
        "numTargets": num_labels,
        "outputs": digits(outputs),
        "inputLengths": input_lengths,
        "targets": targets,
        "weights": weights,
        **with_gradient(outputs, (torch.tensor(weights, dtype=torch.float64) * losses).sum()),
        "losses": digits(losses),
    }


def half_steps():
    points = [0.25, 0.5, 1, 1.00390625, 1.5, 2.75, 5, 9.5, 9.75, 10, 12.5, 37, 200.5]
    a = torch.tensor(points, dtype=torch.float64)
    return {
        "points": points,
        "logGamma": (torch.lgamma(a + 0.5) - torch.lgamma(a)).tolist(),
        "digamma": (torch.digamma(a + 0.5) - torch.digamma(a)).tolist(),
    }


def main() -> None:
    if torch.__version__.split("+")[0] != TORCH_VERSION:
        sys.exit(f"torch is {torch.__version__}; these fixtures are made with {TORCH_VERSION}")
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(11)
    fixture = {
        "torch": TORCH_VERSION,
        "numRows": NUM_ROWS,
        "weights": WEIGHTS,
        "values": [value_case(generator, *case) for case in VALUE_CASES],
        "classes": [class_case(generator, *case) for case in CLASS_CASES],
        "labelSequences": [ctc_case(generator, *case) for case in CTC_CASES],
        "halfSteps": half_steps(),
    }
    rows = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in fixture.items())
    assert math.isfinite(sum(case["sum"] for case in fixture["labelSequences"]))
    print("{\n" + rows + "\n}")


if __name__ == "__main__":
    main()
