"""Makes fixtures/stacks.json: PyTorch's layers in two directions over rows of different lengths.

Run from libs/lstm with the torch version of tools/recurrent_modules.py (any CPU build):

    python tools/make-stack-fixtures.py > fixtures/stacks.json

Sequences are [time, row, unit] with zeros in the padding, states h and c, each
[layer · 2 + direction][row][size].
"""

import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from recurrent_modules import full, layer_tensors, numbers, recurrent, write


def packed(cell, seed, changes=None, input_size=3, lengths=(5, 1, 3, 5, 2)):
    """A stack in two directions over rows of different lengths, with gradients at outputs and states."""
    torch.manual_seed(seed)
    spec = full({"cell": cell, "hiddenSize": 4, **(changes or {})})
    module = recurrent(spec, input_size, bidirectional=True)
    num_rows, num_layers = len(lengths), spec["numLayers"]
    output_size = spec.get("projectionSize") or spec["hiddenSize"]
    inputs = torch.randn(max(lengths), num_rows, input_size)
    for row, length in enumerate(lengths):
        inputs[length:, row] = 0
    inputs.requires_grad_(True)
    sizes = [output_size] + ([spec["hiddenSize"]] if cell == "lstm" else [])
    state = [
        (0.5 * torch.randn(2 * num_layers, num_rows, size)).requires_grad_(True) for size in sizes
    ]
    sequence = pack_padded_sequence(inputs, torch.tensor(lengths), enforce_sorted=False)
    outputs, final = module(sequence, tuple(state) if cell == "lstm" else state[0])
    outputs, _ = pad_packed_sequence(outputs)
    final = final if isinstance(final, tuple) else (final,)
    output_gradient = torch.randn_like(outputs)
    final_gradient = [torch.randn_like(part) for part in final]
    torch.autograd.backward([outputs, *final], [output_gradient, *final_gradient])

    def named(of):
        tensors = {}
        for layer in range(num_layers):
            for direction, suffix in (("forward", ""), ("backward", "_reverse")):
                prefix = f"layers.{layer}.{direction}"
                tensors |= layer_tensors(module, prefix, layer, suffix, of)
        return {name: numbers(tensor) for name, tensor in tensors.items()}

    def parts(tensors):
        """h and c, each [layer · 2 + direction][row][size]."""
        return [numbers(tensor) for tensor in tensors]

    return {
        "spec": spec,
        "inputSize": input_size,
        "lengths": list(lengths),
        "parameters": named(lambda parameter: parameter),
        "inputs": numbers(inputs),
        "initial": parts(state),
        "outputs": numbers(outputs),
        "final": parts(final),
        "outputGradient": numbers(output_gradient),
        "finalGradient": parts(final_gradient),
        "inputGradient": numbers(inputs.grad),
        "initialGradient": parts([part.grad for part in state]),
        "gradients": named(lambda parameter: parameter.grad),
    }


def make_fixtures():
    return {
        "stacks": {
            "lstm": packed("lstm", 81),
            "lstm with a projection": packed("lstm", 82, {"projectionSize": 3}),
            "gru": packed("gru", 83),
            "rnn with relu": packed("rnn", 84, {"activation": "relu"}),
        }
    }


if __name__ == "__main__":
    write(make_fixtures)
