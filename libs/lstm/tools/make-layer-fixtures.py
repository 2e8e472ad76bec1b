"""Makes fixtures/layers.json: language models of PyTorch's layers, forward and backward.

Run from libs/lstm with the torch version of tools/recurrent_modules.py (any CPU build):

    python tools/make-layer-fixtures.py > fixtures/layers.json

Batches are [time, row], states [layer][h, c][row][size]. Parameters are drawn anew for each model.
"""

import torch
from torch import nn

from recurrent_modules import full, layer_tensors, numbers, recurrent, write


class LanguageModel(nn.Module):
    """With layers of one module each, so that something can stand between them."""

    def __init__(self, spec):
        super().__init__()
        self.spec = spec
        output_size = spec.get("projectionSize") or spec["hiddenSize"]
        norms = {"layer": nn.LayerNorm, "batch": nn.BatchNorm1d}
        norm = norms.get(spec.get("normalization"))
        self.embedding = nn.Embedding(spec["vocabularySize"], spec["embeddingSize"])
        self.layers = nn.ModuleList()
        self.norms = nn.ModuleList()
        for layer in range(spec["numLayers"]):
            input_size = spec["embeddingSize"] if layer == 0 else output_size
            self.layers.append(recurrent(spec, input_size, num_layers=1))
            if norm is not None:
                self.norms.append(norm(output_size))
        self.head = nn.Linear(output_size, spec["vocabularySize"])
        if spec.get("tiedEmbedding"):
            self.head.weight = self.embedding.weight
        with torch.no_grad():
            for norm in self.norms:
                norm.weight.uniform_(0.5, 1.5)
                norm.bias.uniform_(-0.5, 0.5)

    def forward(self, inputs, states, counted):
        """Logits, the last layer's outputs, and the states after the last step.

        `counted` tells the positions that batch normalization is of; the others are normalized by them.
        """
        values = self.embedding(inputs)
        final = []
        for layer, module in enumerate(self.layers):
            below = values
            values, state = module(values, states[layer])
            final.append(state)
            if self.spec.get("residual") and layer > 0:
                values = values + below
            if len(self.norms) > 0:
                values = self.normalized(self.norms[layer], values, counted)
        return self.head(values), values, final

    def normalized(self, norm, values, counted):
        """No loss that counts follows from the others, so that they need no gradient."""
        if isinstance(norm, nn.LayerNorm) or not self.training:
            return norm(values.reshape(-1, values.shape[-1])).reshape(values.shape)
        own = values[counted]
        moments = own.mean(0).detach(), own.var(0, unbiased=False).detach()
        others = nn.functional.batch_norm(values[~counted], *moments, norm.weight, norm.bias)
        result = torch.empty_like(values)
        result[counted] = norm(own)
        result[~counted] = others
        return result

    def named(self, of):
        tensors = {"embedding.table": of(self.embedding.weight)}
        for layer, module in enumerate(self.layers):
            tensors |= layer_tensors(module, f"layers.{layer}", 0, "", of)
            if len(self.norms) > 0:
                tensors[f"layers.{layer}.norm.gain"] = of(self.norms[layer].weight)
                tensors[f"layers.{layer}.norm.bias"] = of(self.norms[layer].bias)
        if not self.spec.get("tiedEmbedding"):
            tensors["head.kernel"] = of(self.head.weight).T
        tensors["head.bias"] = of(self.head.bias)
        return {name: numbers(tensor) for name, tensor in tensors.items()}

    def random_states(self, num_rows):
        spec = self.spec
        hidden_size = spec.get("projectionSize") or spec["hiddenSize"]
        states = []
        for _ in self.layers:
            hidden = 0.5 * torch.randn(1, num_rows, hidden_size)
            cell = 0.5 * torch.randn(1, num_rows, spec["hiddenSize"])
            states.append((hidden, cell) if spec["cell"] == "lstm" else hidden)
        return states


def flat_states(states):
    parts = [part for state in states for part in (state if isinstance(state, tuple) else (state,))]
    return [value for part in parts for value in numbers(part)]


def loss_sum(spec, logits, targets, weights):
    losses = nn.functional.cross_entropy(
        logits.reshape(-1, logits.shape[-1]),
        targets.reshape(-1),
        reduction="none",
        label_smoothing=spec.get("labelSmoothing", 0),
    )
    return (losses * weights.reshape(-1)).sum()


def penalties(spec, outputs, weights):
    """Merity et al. (2018), with what a position counts in place of a mean over positions."""
    total = spec.get("activationPenalty", 0) * (weights * outputs.pow(2).mean(-1)).sum()
    changes = (outputs[1:] - outputs[:-1]).pow(2).mean(-1)
    return total + spec.get("temporalActivationPenalty", 0) * (weights[1:] * changes).sum()


def random_batch(spec, num_steps, num_rows):
    weights = torch.ones(num_steps, num_rows)
    weights[-1, num_rows // 2 :] = 0
    shape = (num_steps, num_rows)
    return (
        torch.randint(spec["vocabularySize"], shape),
        torch.randint(spec["vocabularySize"], shape),
        weights,
    )


def gradients_of(model, inputs, targets, weights, states):
    model.zero_grad()
    logits, outputs, final = model(inputs, states, weights > 0)
    loss = loss_sum(model.spec, logits, targets, weights)
    (loss + penalties(model.spec, outputs, weights)).backward()
    return {
        "inputs": inputs.reshape(-1).tolist(),
        "targets": targets.reshape(-1).tolist(),
        "weights": weights.reshape(-1).tolist(),
        "state": flat_states(states),
        "finalState": flat_states(final),
        "lossSum": float(f"{loss.item():.9g}"),
        "gradients": model.named(lambda parameter: parameter.grad),
    }


def language_model(seed, changes, num_steps=5, num_rows=3):
    """Forward, loss and gradients of one segment with carried states and masked positions."""
    torch.manual_seed(seed)
    spec = full(changes)
    model = LanguageModel(spec)
    batch = gradients_of(
        model, *random_batch(spec, num_steps, num_rows), model.random_states(num_rows)
    )
    return {
        "spec": spec,
        "parameters": model.named(lambda parameter: parameter),
        "numSteps": num_steps,
        "numRows": num_rows,
        **batch,
    }


def batch_normalization(num_training_steps=3, num_steps=5, num_rows=3):
    """Steps of training at the same parameters, then an evaluation with what they gathered."""
    torch.manual_seed(80)
    spec = full({"normalization": "batch", "residual": True})
    model = LanguageModel(spec)
    states = model.random_states(num_rows)
    batches = []
    for _ in range(num_training_steps):
        model.train()
        inputs, targets, weights = random_batch(spec, num_steps, num_rows)
        batch = gradients_of(model, inputs, targets, weights, states)
        statistics = [[norm.running_mean, norm.running_var] for norm in model.norms]
        batch["runningStatistics"] = [
            value for norm in statistics for part in norm for value in numbers(part)
        ]
        model.eval()
        with torch.no_grad():
            logits, _, final = model(inputs, states, weights > 0)
        evaluated = loss_sum(spec, logits, targets, weights)
        batch["evaluation"] = {
            "lossSum": float(f"{evaluated.item():.9g}"),
            "finalState": flat_states(final),
        }
        batches.append(batch)
    return {
        "spec": spec,
        "parameters": model.named(lambda parameter: parameter),
        "numSteps": num_steps,
        "numRows": num_rows,
        "batches": batches,
    }


def make_fixtures():
    return {
        "models": {
            "gru": language_model(71, {"cell": "gru"}),
            "rnn with tanh": language_model(72, {"cell": "rnn"}),
            "rnn with relu": language_model(73, {"cell": "rnn", "activation": "relu"}),
            "lstm with a projection": language_model(74, {"projectionSize": 3}),
            "a tied head and label smoothing": language_model(
                75, {"tiedEmbedding": True, "embeddingSize": 5, "labelSmoothing": 0.15}
            ),
            "residual connections and layer normalization": language_model(
                76, {"cell": "gru", "normalization": "layer", "residual": True, "numLayers": 3}
            ),
            "penalties": language_model(
                77, {"activationPenalty": 2, "temporalActivationPenalty": 1}
            ),
        },
        "batchNormalization": batch_normalization(),
    }


if __name__ == "__main__":
    write(make_fixtures)
