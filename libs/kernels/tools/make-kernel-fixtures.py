"""Makes fixtures/recurrent-layers.json: what PyTorch's recurrent layers and layer_norm do.

Run from libs/kernels with the torch version below (any CPU build):

    python tools/make-kernel-fixtures.py > fixtures/recurrent-layers.json

LSTM, projected LSTM, GRU and RNN are torch.nn's modules, whose input kernel is the identity, so that
their inputs are the contract's `inputGates`. What torch.nn lacks is written here in torch operations
with autograd: peephole (Gers et al. 2002), coupled gates (Greff et al. 2017), layer normalization
(Ba et al. 2016, equations 20 to 22), zoneout (Krueger et al. 2017), GRU with the reset gate before
the product (Cho et al. 2014).

Inputs are float32 values, computed with in float64. The loss is the sum of every h_t times
`hiddenGradient` and of every c_t times `cellGradient`. Arrays are flat and row-major, in the layouts
of the kernel contract, libs/kernels/src/tensor/contract.
"""

import json
import sys

import torch
from torch import nn
from torch.nn.functional import layer_norm

TORCH_VERSION = "2.15.0"
NUM_STEPS, NUM_ROWS, HIDDEN_SIZE, PROJECTED_SIZE = 4, 2, 3, 2
EPSILON = 1e-3


def drawn(generator, *shape, scale=1.0):
    """float32 values in [-scale, scale), as float64."""
    return ((torch.rand(*shape, generator=generator) * 2 - 1) * scale).float().double()


def numbers(tensor):
    return [float(f"{value:.9g}") for value in tensor.detach().reshape(-1).tolist()]


def num_gates(spec):
    if spec["cell"] == "rnn":
        return 1
    if spec["cell"] == "gru" or spec.get("coupledGates"):
        return 3
    return 4


def inputs_of(spec, options, seed):
    """The case's tensors by the contract's names."""
    g = torch.Generator().manual_seed(seed)
    T, B, H = NUM_STEPS, NUM_ROWS, HIDDEN_SIZE
    R = PROJECTED_SIZE if "projection" in options else H
    G = num_gates(spec) * H
    is_lstm = spec["cell"].startswith("lstm")
    tensors = {
        "inputGates": drawn(g, T, B, G, scale=2),
        "recurrentKernel": drawn(g, R, G),
        "initialHidden": drawn(g, B, R),
        "hiddenGradient": drawn(g, T, B, R),
    }
    if is_lstm:
        tensors["initialCell"] = drawn(g, B, H, scale=2)
        tensors["cellGradient"] = drawn(g, T, B, H)
        if spec["cell"] == "lstm" or options == ["projection"]:
            # torch.nn's module returns the last cell state alone.
            tensors["cellGradient"][:-1] = 0
    if "candidateBias" in options:
        tensors["candidateBias"] = drawn(g, H)
    if "peephole" in options:
        tensors["peephole"] = drawn(g, 2 if spec["coupledGates"] else 3, H)
    if "projection" in options:
        tensors["projection"] = drawn(g, H, R)
    if "layerNorm" in options:
        tensors["recurrentGain"] = drawn(g, G)
        tensors["cellGain"] = drawn(g, H)
        tensors["cellBias"] = drawn(g, H)
    if "zoneout mask" in options or "zoneout shares" in options:
        names = {"keepHidden": R, "keepCell": H} if is_lstm else {"keep": H}
        for name, size in names.items():
            shares = (drawn(g, T, B, size) + 1) / 2
            if "zoneout mask" in options:
                shares = (shares > 0.5).double()
            tensors[name] = shares.float().double()
    return tensors


def of_module(module, t, is_lstm):
    """A torch.nn module's outputs on the case's tensors; c_t is known for the last step alone."""
    size = t["inputGates"].shape[-1]
    weights = {
        "weight_ih_l0": torch.eye(size, dtype=torch.float64),
        "weight_hh_l0": t["recurrentKernel"].T,
        "bias_ih_l0": torch.zeros(size, dtype=torch.float64),
        "bias_hh_l0": torch.zeros(size, dtype=torch.float64),
    }
    if "candidateBias" in t:
        weights["bias_hh_l0"] = torch.cat([torch.zeros(2 * HIDDEN_SIZE).double(), t["candidateBias"]])
    if "projection" in t:
        weights["weight_hr_l0"] = t["projection"].T
    state = t["initialHidden"][None]
    if is_lstm:
        state = (state, t["initialCell"][None])
    hidden, last = torch.func.functional_call(module, weights, (t["inputGates"], state))
    if not is_lstm:
        return hidden, None
    cell = torch.cat([torch.zeros(NUM_STEPS - 1, NUM_ROWS, HIDDEN_SIZE).double(), last[1]])
    return hidden, cell


def module_of(spec, options):
    sizes = [num_gates(spec) * HIDDEN_SIZE, HIDDEN_SIZE]
    if spec["cell"] == "rnn":
        return nn.RNN(*sizes, nonlinearity=spec["activation"], dtype=torch.float64)
    if spec["cell"] == "gru":
        return nn.GRU(*sizes, dtype=torch.float64)
    proj_size = PROJECTED_SIZE if "projection" in options else 0
    return nn.LSTM(*sizes, proj_size=proj_size, dtype=torch.float64)


def mixed(t, name, step, before, after):
    if name not in t:
        return after
    keep = t[name][step]
    return keep * before + (1 - keep) * after


def lstm_variant(spec, t):
    h, c = t["initialHidden"], t["initialCell"]
    hidden, cell = [], []
    for step, x in enumerate(t["inputGates"]):
        product = h @ t["recurrentKernel"]
        if "recurrentGain" in t:
            product = layer_norm(product, product.shape[1:], t["recurrentGain"], None, EPSILON)
        a = (x + product).split(HIDDEN_SIZE, dim=1)
        a_i, a_g, a_o = a[0], a[-2], a[-1]
        peephole = t.get("peephole")
        i = torch.sigmoid(a_i if peephole is None else a_i + peephole[0] * c)
        if spec["coupledGates"]:
            f = 1 - i
        else:
            f = torch.sigmoid(a[1] if peephole is None else a[1] + peephole[1] * c)
        candidate = f * c + i * torch.tanh(a_g)
        o = torch.sigmoid(a_o if peephole is None else a_o + peephole[-1] * candidate)
        seen = candidate
        if "cellGain" in t:
            seen = layer_norm(candidate, [HIDDEN_SIZE], t["cellGain"], t["cellBias"], EPSILON)
        output = o * torch.tanh(seen)
        if "projection" in t:
            output = output @ t["projection"]
        h = mixed(t, "keepHidden", step, h, output)
        c = mixed(t, "keepCell", step, c, candidate)
        hidden.append(h)
        cell.append(c)
    return torch.stack(hidden), torch.stack(cell)


def gru(spec, t):
    h = t["initialHidden"]
    kernel_r, kernel_z, kernel_n = t["recurrentKernel"].split(HIDDEN_SIZE, dim=1)
    hidden = []
    for step, x in enumerate(t["inputGates"]):
        x_r, x_z, x_n = x.split(HIDDEN_SIZE, dim=1)
        r = torch.sigmoid(x_r + h @ kernel_r)
        z = torch.sigmoid(x_z + h @ kernel_z)
        if spec["resetAfter"]:
            n = torch.tanh(x_n + r * (h @ kernel_n + t.get("candidateBias", 0)))
        else:
            n = torch.tanh(x_n + (r * h) @ kernel_n)
        h = mixed(t, "keep", step, h, (1 - z) * n + z * h)
        hidden.append(h)
    return torch.stack(hidden), None


def rnn(spec, t):
    activation = torch.tanh if spec["activation"] == "tanh" else torch.relu
    h = t["initialHidden"]
    hidden = []
    for step, x in enumerate(t["inputGates"]):
        h = mixed(t, "keep", step, h, activation(x + h @ t["recurrentKernel"]))
        hidden.append(h)
    return torch.stack(hidden), None


def variant(coupled=False):
    return {"cell": "lstmVariant", "coupledGates": coupled, "epsilon": EPSILON}


GRU_AFTER = {"cell": "gru", "resetAfter": True}
GRU_BEFORE = {"cell": "gru", "resetAfter": False}
RNN_TANH = {"cell": "rnn", "activation": "tanh"}
RNN_RELU = {"cell": "rnn", "activation": "relu"}

# Those of torch.nn first; `None` stands for its module.
CASES = [
    ("torch.nn.LSTM", {"cell": "lstm"}, [], None),
    ("torch.nn.LSTM with proj_size", variant(), ["projection"], None),
    ("torch.nn.GRU", GRU_AFTER, ["candidateBias"], None),
    ("torch.nn.RNN, tanh", RNN_TANH, [], None),
    ("torch.nn.RNN, relu", RNN_RELU, [], None),
    ("LSTM with peephole", variant(), ["peephole"], lstm_variant),
    ("LSTM with coupled gates", variant(True), [], lstm_variant),
    ("LSTM with layer normalization", variant(), ["layerNorm"], lstm_variant),
    ("LSTM with zoneout masks", variant(), ["zoneout mask"], lstm_variant),
    ("LSTM with zoneout in evaluation", variant(), ["zoneout shares"], lstm_variant),
    (
        "LSTM with all options",
        variant(),
        ["peephole", "projection", "layerNorm", "zoneout shares"],
        lstm_variant,
    ),
    (
        "LSTM with all options and coupled gates",
        variant(True),
        ["peephole", "projection", "layerNorm", "zoneout mask"],
        lstm_variant,
    ),
    ("GRU with the reset gate before the product", GRU_BEFORE, [], gru),
    ("GRU with zoneout", GRU_AFTER, ["candidateBias", "zoneout shares"], gru),
    ("RNN with zoneout", RNN_TANH, ["zoneout mask"], rnn),
]

NO_PARAMETERS = {"hiddenGradient", "cellGradient", "keep", "keepHidden", "keepCell"}


def recurrent_case(name, spec, options, outputs_of, seed):
    tensors = inputs_of(spec, options, seed)
    parameters = [key for key in tensors if key not in NO_PARAMETERS]
    for key in parameters:
        tensors[key].requires_grad_(True)
    if outputs_of is None:
        module = module_of(spec, options)
        hidden, cell = of_module(module, tensors, spec["cell"].startswith("lstm"))
    else:
        hidden, cell = outputs_of(spec, tensors)
    loss = (hidden * tensors["hiddenGradient"]).sum()
    if cell is not None:
        loss = loss + (cell * tensors["cellGradient"]).sum()
    loss.backward()
    # Of torch.nn's LSTM, the cell states but the last are not known.
    cell_known = cell is not None and outputs_of is not None
    return {
        "name": name,
        "spec": spec,
        "stateSize": hidden.shape[-1],
        "values": {key: numbers(tensor) for key, tensor in tensors.items()},
        "hidden": numbers(hidden),
        **({"cell": numbers(cell)} if cell_known else {}),
        "gradients": {key: numbers(tensors[key].grad) for key in parameters},
    }


def layer_norm_case(seed):
    g = torch.Generator().manual_seed(seed)
    num_rows, num_columns = 3, 5
    rows = drawn(g, num_rows, num_columns, scale=3).requires_grad_(True)
    gain = drawn(g, num_columns, scale=2).requires_grad_(True)
    bias = drawn(g, num_columns).requires_grad_(True)
    gradient = drawn(g, num_rows, num_columns)
    outputs = layer_norm(rows, [num_columns], gain, bias, EPSILON)
    (outputs * gradient).sum().backward()
    named = {"rows": rows, "gain": gain, "bias": bias, "gradient": gradient, "outputs": outputs}
    return {
        "numRows": num_rows,
        "numColumns": num_columns,
        "epsilon": EPSILON,
        **{name: numbers(tensor) for name, tensor in named.items()},
        "rowGradient": numbers(rows.grad),
        "gainGradient": numbers(gain.grad),
        "biasGradient": numbers(bias.grad),
    }


def main():
    if torch.__version__.split("+")[0] != TORCH_VERSION:
        sys.exit(f"torch is {torch.__version__}; these fixtures are made with {TORCH_VERSION}")
    torch.set_num_threads(1)
    cases = [recurrent_case(*case, seed) for seed, case in enumerate(CASES)]
    fixture = {
        "torch": TORCH_VERSION,
        "numSteps": NUM_STEPS,
        "numRows": NUM_ROWS,
        "hiddenSize": HIDDEN_SIZE,
        "layerNorm": layer_norm_case(len(CASES)),
    }
    rows = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in fixture.items()]
    rows.append('"cases": [\n' + ",\n".join(json.dumps(case) for case in cases) + "\n]")
    print("{\n" + ",\n".join(rows) + "\n}")


if __name__ == "__main__":
    main()
