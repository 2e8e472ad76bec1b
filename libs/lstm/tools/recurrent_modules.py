"""What the scripts that make fixtures of recurrent layers share. Needs the PyTorch named below, on a CPU.

Layouts are those of libs/lstm: kernels have the input's rows first and then the hidden state's
(PyTorch's weight_ih and weight_hh, transposed), columns in PyTorch's order (LSTM i, f, g, o; GRU r, z,
n); all arrays are flat and row-major. We have one bias where PyTorch has two, b_ih + b_hh, so that one
is held at zero; but of a GRU's n the second is our candidateBias.
"""

import json
import sys

import torch
from torch import nn

PINNED_TORCH = "2.15.0"
CELLS = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


def numbers(tensor):
    """float32 values, each with the nine digits that name it exactly."""
    return [float(f"{value:.9g}") for value in tensor.detach().reshape(-1).tolist()]


def recurrent(spec, input_size, num_layers=None, **options):
    """PyTorch's layers of a spec; its second biases are zero but for a GRU's n."""
    if spec["cell"] == "rnn":
        options["nonlinearity"] = spec.get("activation", "tanh")
    if spec.get("projectionSize") is not None:
        options["proj_size"] = spec["projectionSize"]
    num_layers = spec["numLayers"] if num_layers is None else num_layers
    module = CELLS[spec["cell"]](input_size, spec["hiddenSize"], num_layers, **options)
    for name, parameter in module.named_parameters():
        if name.startswith("bias_hh"):
            fixed = parameter[: 2 * spec["hiddenSize"]] if spec["cell"] == "gru" else parameter
            with torch.no_grad():
                fixed.zero_()
    return module


def layer_tensors(module, prefix, layer, suffix, of):
    """One direction of one layer, by our names."""
    get = lambda part: of(getattr(module, f"{part}_l{layer}{suffix}"))
    tensors = {
        f"{prefix}.kernel": torch.cat([get("weight_ih").T, get("weight_hh").T]),
        f"{prefix}.bias": get("bias_ih"),
    }
    if isinstance(module, nn.GRU):
        tensors[f"{prefix}.candidateBias"] = get("bias_hh")[2 * module.hidden_size :]
    if getattr(module, "proj_size", 0) > 0:
        tensors[f"{prefix}.projection"] = get("weight_hr").T
    return tensors


def full(changes):
    """A spec of small sizes with these changes."""
    sizes = {"vocabularySize": 11, "embeddingSize": 4, "cell": "lstm", "hiddenSize": 5, "numLayers": 2}
    return {"kind": "languageModel", **sizes, "dropout": 0, **changes}


def write(make_fixtures):
    """Prints what `make_fixtures` makes."""
    version = torch.__version__.split("+")[0]
    if version != PINNED_TORCH:
        raise SystemExit(f"these fixtures are made with torch {PINNED_TORCH}, not {version}")
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)
    fixtures = {"torch": version, **make_fixtures()}
    json.dump(fixtures, sys.stdout, separators=(",", ":"))
    sys.stdout.write("\n")
