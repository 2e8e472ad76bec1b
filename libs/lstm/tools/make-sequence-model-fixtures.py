"""Makes fixtures/sequence-models.json: whole sequence models in PyTorch, over rows of different lengths.

Run from libs/lstm with the torch version of tools/recurrent_modules.py (any CPU build):

    python tools/make-sequence-model-fixtures.py > fixtures/sequence-models.json

Inputs are [time, row, unit] (tokens [time, row]), targets [time, row, value] or [row, value], classes [time,
row], for CTC a list of labels a row. `losses` has one sum a row, `gradients` are of the sum over all rows; `outputs` are the head's, every
step's with zeros in the padding.
"""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from recurrent_modules import layer_tensors, numbers, recurrent, write

LENGTHS = (6, 2, 4, 6)
NUM_TARGETS = 3


def spec_of(changes):
    sizes = {"cell": "lstm", "hiddenSize": 4, "numLayers": 1, "bidirectional": False}
    kinds = {"input": {"kind": "values", "size": 3}, "output": "everyStep", "numTargets": NUM_TARGETS}
    return {"kind": "sequenceModel", **sizes, **kinds, **changes}


def model(seed, changes, output_size, targets, loss_of_rows):
    """`loss_of_rows`: from outputs, each row's last outputs and the targets to one loss sum a row."""
    torch.manual_seed(seed)
    spec = spec_of(changes)
    is_tokens = spec["input"]["kind"] == "tokens"
    input_size = spec["input"]["embeddingSize" if is_tokens else "size"]
    module = recurrent(spec, input_size, bidirectional=spec["bidirectional"])
    num_directions = 2 if spec["bidirectional"] else 1
    head = nn.Linear(num_directions * spec["hiddenSize"], output_size)
    shape = (max(LENGTHS), len(LENGTHS))
    if is_tokens:
        embedding = nn.Embedding(spec["input"]["vocabularySize"], input_size)
        inputs = torch.randint(spec["input"]["vocabularySize"], shape)
        read = embedding(inputs)
    else:
        inputs = torch.randn(*shape, input_size)
        for row, length in enumerate(LENGTHS):
            inputs[length:, row] = 0
        read = inputs
    lengths = torch.tensor(LENGTHS)
    hidden, _ = pad_packed_sequence(module(pack_padded_sequence(read, lengths, enforce_sorted=False))[0])
    outputs = head(hidden)
    last = outputs[lengths - 1, torch.arange(len(LENGTHS))]
    made = targets()
    losses = loss_of_rows(outputs, last, made)
    losses.sum().backward()
    if spec["output"] == "lastStep":
        shown = last
    else:
        own = torch.arange(max(LENGTHS))[:, None] < lengths
        shown = outputs * own[:, :, None]

    def named(of):
        tensors = {"embedding.table": of(embedding.weight)} if is_tokens else {}
        for layer in range(spec["numLayers"]):
            for direction, suffix in (("forward", ""), ("backward", "_reverse"))[:num_directions]:
                prefix = f"layers.{layer}.{direction}" if num_directions == 2 else f"layers.{layer}"
                tensors |= layer_tensors(module, prefix, layer, suffix, of)
        tensors |= {"head.kernel": of(head.weight).T, "head.bias": of(head.bias)}
        return {name: numbers(tensor) for name, tensor in tensors.items()}

    return {
        "spec": spec,
        "lengths": list(LENGTHS),
        "parameters": named(lambda parameter: parameter),
        "inputs": plain(inputs),
        "targets": plain(made),
        "outputs": numbers(shown),
        "losses": numbers(losses),
        "gradients": named(lambda parameter: parameter.grad),
    }


def plain(values):
    """Float32 values or whole numbers, flat; lists of labels as they are."""
    if isinstance(values, list):
        return values
    return numbers(values) if values.is_floating_point() else values.reshape(-1).tolist()


def over_steps(loss):
    """[time, row] → one sum a row, without the padding."""
    own = torch.arange(max(LENGTHS))[:, None] < torch.tensor(LENGTHS)
    return torch.where(own, loss, 0).sum(0)


def ctc(outputs, _, labels):
    loss = nn.CTCLoss(reduction="none")
    flat = torch.tensor([label for row in labels for label in row])
    lengths = torch.tensor([len(row) for row in labels])
    return loss(outputs.log_softmax(2), flat, torch.tensor(LENGTHS), lengths)


def make_fixtures():
    shape = (max(LENGTHS), len(LENGTHS))
    weights = [0.5, 1.0, 2.0]

    def cross_entropy(outputs, _, targets):
        loss = nn.CrossEntropyLoss(torch.tensor(weights), reduction="none", label_smoothing=0.1)
        return over_steps(loss(outputs.permute(0, 2, 1), targets))

    def gaussian(outputs, _, targets):
        mean, raw = outputs[..., 0::2], outputs[..., 1::2]
        variance = (nn.functional.softplus(raw) + 1e-6) ** 2
        loss = nn.GaussianNLLLoss(full=True, reduction="none")
        return over_steps(loss(mean, targets, variance).mean(2))

    return {
        "models": {
            "lstm in two directions, two layers, CTC": model(
                31,
                {"bidirectional": True, "numLayers": 2, "loss": {"kind": "ctc"}},
                NUM_TARGETS,
                lambda: [[1, 2, 2], [1], [], [2, 1, 2, 1]],
                ctc,
            ),
            "lstm in two layers, mean squared error of the last step": model(
                32,
                {"numLayers": 2, "output": "lastStep", "loss": {"kind": "meanSquared"}},
                NUM_TARGETS,
                lambda: torch.randn(len(LENGTHS), NUM_TARGETS),
                lambda _, last, targets: nn.MSELoss(reduction="none")(last, targets).mean(1),
            ),
            "gru in two directions over tokens, classes of every step": model(
                33,
                {
                    "cell": "gru",
                    "bidirectional": True,
                    "input": {"kind": "tokens", "vocabularySize": 5, "embeddingSize": 3},
                    "loss": {"kind": "crossEntropy", "classWeights": weights, "labelSmoothing": 0.1},
                },
                NUM_TARGETS,
                lambda: torch.randint(NUM_TARGETS, shape),
                cross_entropy,
            ),
            "rnn, a normal density of every step": model(
                34,
                {"cell": "rnn", "loss": {"kind": "gaussian"}},
                2 * NUM_TARGETS,
                lambda: torch.randn(*shape, NUM_TARGETS),
                gaussian,
            ),
        }
    }


if __name__ == "__main__":
    write(make_fixtures)
