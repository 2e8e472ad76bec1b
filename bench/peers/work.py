"""What a peer does of each case of bench/src/cases, in PyTorch, as its users write it."""

import torch
from torch import nn

GATED = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


def recurrent_pass(case):
    """Forward and backward of nn.LSTM and its kin, with gradients of weights and inputs."""
    layers = GATED[case["cell"]](case["inputSize"], case["hiddenSize"], case["numLayers"])
    inputs = torch.randn(case["numSteps"], case["batchSize"], case["inputSize"], requires_grad=True)
    gradient = torch.randn(case["numSteps"], case["batchSize"], case["hiddenSize"])

    def once():
        layers.zero_grad(set_to_none=True)
        inputs.grad = None
        outputs, _ = layers(inputs)
        outputs.backward(gradient)

    return once


class LanguageModel(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.embedding = nn.Embedding(sizes["vocabularySize"], sizes["embeddingSize"])
        self.layers = nn.LSTM(sizes["embeddingSize"], sizes["hiddenSize"], sizes["numLayers"])
        self.head = nn.Linear(sizes["hiddenSize"], sizes["vocabularySize"])

    def forward(self, inputs, targets):
        outputs, _ = self.layers(self.embedding(inputs))
        return nn.functional.cross_entropy(self.head(outputs).flatten(0, 1), targets.flatten())


class Forecaster(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.layers = nn.LSTM(sizes["inputSize"], sizes["hiddenSize"], sizes["numLayers"])
        self.head = nn.Linear(sizes["hiddenSize"], 1)

    def forward(self, inputs, targets):
        outputs, _ = self.layers(inputs)
        return nn.functional.mse_loss(self.head(outputs), targets)


def model_of(case):
    sizes = case["model"]
    return LanguageModel(sizes) if sizes["kind"] == "languageModel" else Forecaster(sizes)


def batch_of(case, batch_size):
    sizes, shape = case["model"], (case["numSteps"], batch_size)
    if sizes["kind"] == "languageModel":
        return torch.randint(sizes["vocabularySize"], shape), torch.randint(sizes["vocabularySize"], shape)
    return torch.randn(*shape, sizes["inputSize"]), torch.randn(*shape, 1)


def training_step(case, batch_size=None, wrap=lambda model: model):
    """Forward, backward, clip_grad_norm_ and the optimizer in its fused form, the fastest there is."""
    model = wrap(model_of(case))
    optimizers = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}
    optimizer = optimizers[case["optimizer"]](model.parameters(), lr=case["learningRate"], fused=True)
    inputs, targets = batch_of(case, batch_size or case["batchSize"])

    def once():
        optimizer.zero_grad(set_to_none=True)
        model(inputs, targets).backward()
        nn.utils.clip_grad_norm_(model.parameters(), case["maxNorm"])
        optimizer.step()

    return once


def matrix_product(case):
    left = torch.randn(case["rows"], case["inner"])
    right = torch.randn(case["inner"], case["columns"])
    out = torch.empty(case["rows"], case["columns"])
    return lambda: torch.mm(left, right, out=out)


def memory_copy(case):
    source = torch.ones(case["bytes"] // 4)
    destination = torch.empty_like(source)
    return lambda: destination.copy_(source)


WORK = {
    "recurrentPass": recurrent_pass,
    "trainingStep": training_step,
    "matrixProduct": matrix_product,
    "memoryCopy": memory_copy,
}
