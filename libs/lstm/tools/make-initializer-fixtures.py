"""Makes fixtures/initializers.json: what PyTorch's torch.nn.init does that is not drawn.

Run from libs/lstm with the torch version below (any CPU build):

    python tools/make-initializer-fixtures.py > fixtures/initializers.json

What a function draws from is caught where it draws: the bounds of uniform_, the mean and standard
deviation of normal_; orthogonal_ is given the normal deviates that stand in the fixture. Shapes are
ours, [inputs, outputs]; PyTorch's weights are [outputs, inputs].
"""

import json
import sys
from unittest import mock

import torch
from torch import nn

TORCH_VERSION = "2.15.0"
SHAPES = [[1, 1], [7, 5], [64, 64], [100, 256]]
GAINS = [("linear", None), ("sigmoid", None), ("tanh", None), ("relu", None), ("leaky_relu", None)]
GAINS += [("leaky_relu", 0.2), ("selu", None)]
OUR_NAMES = {"leaky_relu": "leakyRelu"}
ORTHOGONAL = [([5, 5], 1.0), ([7, 3], 1.0), ([3, 7], 2**0.5), ([1, 1], 0.5), ([16, 16], 1.0)]


def drawn(shape, fill):
    """The distribution that `fill` draws the weight of a linear map of our shape from."""
    caught = {}

    def uniform_(tensor, low, high, generator=None):
        assert low == -high
        caught["range"] = high
        return tensor

    def normal_(tensor, mean, std, generator=None):
        caught["mean"], caught["std"] = mean, std
        return tensor

    weight = torch.zeros(shape[1], shape[0])
    with mock.patch.object(torch.Tensor, "uniform_", uniform_), mock.patch.object(torch.Tensor, "normal_", normal_):
        fill(weight)
    return caught


def scaled():
    for shape in SHAPES:
        for gain in [1.0, 5 / 3]:
            for kind, fill in [("glorotUniform", nn.init.xavier_uniform_), ("glorotNormal", nn.init.xavier_normal_)]:
                of = drawn(shape, lambda weight: fill(weight, gain=gain))
                yield {"shape": shape, "entry": {"kind": kind, "gain": gain}, **of}
        for fan, mode in [("fanIn", "fan_in"), ("fanOut", "fan_out")]:
            for nonlinearity, slope in GAINS:
                for kind, fill in [("heUniform", nn.init.kaiming_uniform_), ("heNormal", nn.init.kaiming_normal_)]:
                    a = 0.01 if slope is None else slope
                    of = drawn(shape, lambda weight: fill(weight, a=a, mode=mode, nonlinearity=nonlinearity))
                    name = OUR_NAMES.get(nonlinearity, nonlinearity)
                    entry = {"kind": kind, "fan": fan, "nonlinearity": name, "negativeSlope": a}
                    yield {"shape": shape, "entry": entry, **of}
        # LeCun's is He's without a gain.
        for kind, fill in [("lecunUniform", nn.init.kaiming_uniform_), ("lecunNormal", nn.init.kaiming_normal_)]:
            of = drawn(shape, lambda weight: fill(weight, nonlinearity="linear"))
            yield {"shape": shape, "entry": {"kind": kind}, **of}


def orthogonal():
    generator = torch.Generator().manual_seed(5)
    for shape, gain in ORTHOGONAL:
        matrix = torch.randn(shape, generator=generator, dtype=torch.float64)
        # orthogonal_ transposes a wide matrix after the draw.
        with mock.patch.object(torch.Tensor, "normal_", lambda tensor, *_, **__: tensor.copy_(matrix)):
            weight = nn.init.orthogonal_(torch.empty(shape, dtype=torch.float64), gain=gain)
        yield {"shape": shape, "gain": gain, "matrix": flat(matrix), "weight": flat(weight)}


def flat(tensor):
    return tensor.flatten().tolist()


def main():
    if torch.__version__.split("+")[0] != TORCH_VERSION:
        sys.exit(f"torch is {torch.__version__}; these fixtures are made with {TORCH_VERSION}")
    torch.set_num_threads(1)
    eye = [[3, 3], [2, 4], [4, 2]]
    fixture = {
        "torch": TORCH_VERSION,
        "gains": [
            {"nonlinearity": OUR_NAMES.get(name, name), "slope": slope, "gain": nn.init.calculate_gain(name, slope)}
            for name, slope in GAINS
        ],
        "scaled": list(scaled()),
        "orthogonal": list(orthogonal()),
        "eye": [{"shape": shape, "values": flat(nn.init.eye_(torch.empty(shape)))} for shape in eye],
    }
    rows = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in fixture.items())
    print("{\n" + rows + "\n}")


if __name__ == "__main__":
    main()
