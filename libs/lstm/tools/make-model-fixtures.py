"""Makes the fixtures that libs/lstm's model is compared with, by PyTorch.

Run from libs/lstm with the torch version below (any CPU build):

    python tools/make-model-fixtures.py

Layouts are those of libs/lstm: kernels have the input's rows first and then the hidden state's, columns
in the order i, f, g, o (PyTorch's weight_ih and weight_hh, transposed); all arrays are flat and
row-major, batches [time, row], states [layer][h, c][row][hidden].
"""

import json
from pathlib import Path

import torch
from torch import nn

PINNED_TORCH = "2.15.0"
FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"


class LanguageModel(nn.Module):
    def __init__(self, vocabulary_size, embedding_size, hidden_size, num_layers):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, embedding_size)
        self.lstm = nn.LSTM(embedding_size, hidden_size, num_layers)
        self.head = nn.Linear(hidden_size, vocabulary_size)
        with torch.no_grad():
            for layer in range(num_layers):
                # One bias a layer: PyTorch's second one is held at zero and never updated.
                hidden_bias = getattr(self.lstm, f"bias_hh_l{layer}")
                hidden_bias.zero_()
                hidden_bias.requires_grad_(False)

    def forward(self, inputs, state):
        outputs, state = self.lstm(self.embedding(inputs), state)
        return self.head(outputs), state


def numbers(tensor):
    """float32 values, each with the nine digits that name it exactly."""
    return [float(f"{value:.9g}") for value in tensor.detach().reshape(-1).tolist()]


def named(model, of):
    """The model's tensors by our names, in our layout; `of` picks the parameter or its gradient."""
    lstm = model.lstm
    tensors = {"embedding.table": of(model.embedding.weight)}
    for layer in range(lstm.num_layers):
        weights = [getattr(lstm, f"weight_{part}_l{layer}") for part in ("ih", "hh")]
        tensors[f"layers.{layer}.kernel"] = torch.cat([of(weight).T for weight in weights])
        tensors[f"layers.{layer}.bias"] = of(getattr(lstm, f"bias_ih_l{layer}"))
    tensors["head.kernel"] = of(model.head.weight).T
    tensors["head.bias"] = of(model.head.bias)
    return {name: numbers(tensor) for name, tensor in tensors.items()}


def spec(vocabulary_size, embedding_size, hidden_size, num_layers):
    return {
        "kind": "languageModel",
        "vocabularySize": vocabulary_size,
        "embeddingSize": embedding_size,
        "cell": "lstm",
        "hiddenSize": hidden_size,
        "numLayers": num_layers,
        "dropout": 0,
        "forgetBias": 1,
    }


def loss_sum(logits, targets, weights):
    losses = nn.functional.cross_entropy(
        logits.reshape(-1, logits.shape[-1]), targets.reshape(-1), reduction="none"
    )
    return (losses * weights.reshape(-1)).sum()


def one_batch(num_layers, vocabulary_size, embedding_size, hidden_size, num_steps, num_rows):
    """Forward, loss and gradients of one segment with a carried state and masked positions."""
    torch.manual_seed(20 + num_layers)
    model = LanguageModel(vocabulary_size, embedding_size, hidden_size, num_layers)
    inputs = torch.randint(vocabulary_size, (num_steps, num_rows))
    targets = torch.randint(vocabulary_size, (num_steps, num_rows))
    weights = torch.ones(num_steps, num_rows)
    weights[-1, num_rows // 2 :] = 0
    state = tuple(0.5 * torch.randn(num_layers, num_rows, hidden_size) for _ in range(2))
    logits, final_state = model(inputs, state)
    loss = loss_sum(logits, targets, weights)
    loss.backward()
    return {
        "torch": torch.__version__,
        "spec": spec(vocabulary_size, embedding_size, hidden_size, num_layers),
        "parameters": named(model, lambda parameter: parameter),
        "numSteps": num_steps,
        "numRows": num_rows,
        "inputs": inputs.reshape(-1).tolist(),
        "targets": targets.reshape(-1).tolist(),
        "weights": weights.reshape(-1).tolist(),
        "state": numbers(torch.stack(state, dim=1)),
        "finalState": numbers(torch.stack(final_state, dim=1)),
        "lossSum": float(f"{loss.item():.9g}"),
        "gradients": named(model, lambda parameter: parameter.grad),
    }


def training(num_training_steps=50):
    """The losses of the first steps of a training with carried state, clipping and Adam."""
    vocabulary_size, num_steps, num_rows, learning_rate, max_norm = 12, 8, 4, 0.02, 0.5
    torch.manual_seed(50)
    model = LanguageModel(vocabulary_size, 6, 10, 2)
    parameters = named(model, lambda parameter: parameter)
    # Rows that count upwards by one to three, so that there is something to learn.
    strides = torch.randint(1, 4, (num_training_steps * num_steps + 1, num_rows))
    tokens = strides.cumsum(0) % vocabulary_size
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(trained, lr=learning_rate, betas=(0.9, 0.999), eps=1e-8)
    state = tuple(torch.zeros(2, num_rows, 10) for _ in range(2))
    losses, norms = [], []
    for step in range(num_training_steps):
        segment = tokens[step * num_steps : (step + 1) * num_steps + 1]
        logits, state = model(segment[:-1], state)
        state = tuple(part.detach() for part in state)
        loss = loss_sum(logits, segment[1:], torch.ones(num_steps, num_rows))
        loss = loss / (num_steps * num_rows)
        optimizer.zero_grad()
        loss.backward()
        norms.append(float(f"{nn.utils.clip_grad_norm_(trained, max_norm).item():.9g}"))
        optimizer.step()
        losses.append(float(f"{loss.item():.9g}"))
    return {
        "torch": torch.__version__,
        "spec": spec(vocabulary_size, 6, 10, 2),
        "parameters": parameters,
        "numSteps": num_steps,
        "numRows": num_rows,
        "tokens": tokens.reshape(-1).tolist(),
        "learningRate": learning_rate,
        "maxNorm": max_norm,
        "adam": {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
        "losses": losses,
        "gradientNorms": norms,
    }


def write(name, fixture):
    path = FIXTURES / name
    path.write_text(json.dumps(fixture, separators=(",", ":")) + "\n")
    print(f"{path.name}: {path.stat().st_size} bytes")


def main():
    version = torch.__version__.split("+")[0]
    print(f"torch {torch.__version__}")
    if version != PINNED_TORCH:
        raise SystemExit(f"these fixtures are made with torch {PINNED_TORCH}, not {version}")
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)
    FIXTURES.mkdir(exist_ok=True)
    write("model-1-layer.json", one_batch(1, 13, 6, 9, num_steps=7, num_rows=5))
    write("model-2-layers.json", one_batch(2, 300, 5, 7, num_steps=9, num_rows=4))
    write("training-adam.json", training())


if __name__ == "__main__":
    main()
