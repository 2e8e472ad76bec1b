"""Repeats a run of Ostinato's in PyTorch and writes the losses it should have had.

Run from e2e with the torch version below (any CPU build), safetensors and PyYAML:

    npx ostinato train fixtures/pytorch-run.yaml --run-dir RUN
    python tools/make-run-fixture.py RUN > fixtures/pytorch-run.json

Only the initial parameters and the vocabulary are taken from the run; text, batches, model, loss,
clipping and optimizer are written here once more, from their definitions.
"""

import hashlib
import json
import sys
from pathlib import Path

import torch
import yaml
from safetensors.torch import load_file
from torch import nn

PINNED_TORCH = "2.15.0"
HERE = Path(__file__).resolve().parent
FIXTURES = HERE.parent / "fixtures"


class LanguageModel(nn.Module):
    def __init__(self, vocabulary_size, embedding_size, hidden_size, num_layers):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, embedding_size)
        self.lstm = nn.LSTM(embedding_size, hidden_size, num_layers)
        self.head = nn.Linear(hidden_size, vocabulary_size)

    def load(self, tensors, input_sizes):
        with torch.no_grad():
            self.embedding.weight.copy_(tensors["embedding.table"])
            for layer, input_size in enumerate(input_sizes):
                kernel = tensors[f"layers.{layer}.kernel"]
                getattr(self.lstm, f"weight_ih_l{layer}").copy_(kernel[:input_size].T)
                getattr(self.lstm, f"weight_hh_l{layer}").copy_(kernel[input_size:].T)
                getattr(self.lstm, f"bias_ih_l{layer}").copy_(tensors[f"layers.{layer}.bias"])
                # One bias a layer: PyTorch's second one is held at zero and never updated.
                second = getattr(self.lstm, f"bias_hh_l{layer}")
                second.zero_()
                second.requires_grad_(False)
            self.head.weight.copy_(tensors["head.kernel"].T)
            self.head.bias.copy_(tensors["head.bias"])


def batches_of_an_epoch(tokens, batch_size, sequence_length):
    """Rows of contiguous positions; position p has input p and target p + 1; -100 is masked."""
    num_positions = len(tokens) - 1
    bounds = [row * num_positions // batch_size for row in range(batch_size + 1)]
    longest = max(end - start for start, end in zip(bounds, bounds[1:]))
    for first in range(0, longest, sequence_length):
        num_steps = min(sequence_length, longest - first)
        inputs = torch.zeros(num_steps, batch_size, dtype=torch.long)
        targets = torch.full((num_steps, batch_size), -100, dtype=torch.long)
        for row, (start, end) in enumerate(zip(bounds, bounds[1:])):
            for time in range(num_steps):
                position = start + first + time
                if position < end:
                    inputs[time, row] = tokens[position]
                    targets[time, row] = tokens[position + 1]
        yield inputs, targets


def main(run):
    if torch.__version__.split("+")[0] != PINNED_TORCH:
        sys.exit(f"needs PyTorch {PINNED_TORCH}, this is {torch.__version__}")
    torch.set_num_threads(1)
    config = yaml.safe_load((FIXTURES / "pytorch-run.yaml").read_text())
    text = (FIXTURES / config["data"]["files"]).read_text()
    symbols = json.loads((run / "vocabulary.json").read_text())["symbols"]
    ids = {symbol: index for index, symbol in enumerate(symbols)}
    num_train = len(text) - 2 * (len(text) // 10)
    tokens = [ids[symbol] for symbol in text[:num_train]]

    tensors = load_file(run / "checkpoints/step-00000000/parameters.safetensors")
    sizes = config["model"]
    embedding_size, hidden_size = sizes["embeddingSize"], sizes["hiddenSize"]
    num_layers = sizes["numLayers"]
    model = LanguageModel(len(symbols), embedding_size, hidden_size, num_layers)
    model.load(tensors, [embedding_size] + [hidden_size] * (num_layers - 1))
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(trained, lr=config["optimizer"]["learningRate"])
    cross_entropy = nn.CrossEntropyLoss(ignore_index=-100)

    training = config["training"]
    losses, norms = [], []
    while len(losses) < training["maxSteps"]:
        state = None  # zeros at the start of each epoch
        for inputs, targets in batches_of_an_epoch(
            tokens, training["batchSize"], training["sequenceLength"]
        ):
            if len(losses) == training["maxSteps"]:
                break
            outputs, state = model.lstm(model.embedding(inputs), state)
            state = tuple(part.detach() for part in state)
            loss = cross_entropy(model.head(outputs).flatten(0, 1), targets.flatten())
            optimizer.zero_grad()
            loss.backward()
            clip = config["optimizer"]["clipping"]["maxNorm"]
            norm = nn.utils.clip_grad_norm_(trained, clip)
            optimizer.step()
            losses.append(float(f"{loss.item():.9g}"))
            norms.append(float(f"{norm.item():.9g}"))

    order = ["embedding.table"]
    for layer in range(num_layers):
        order += [f"layers.{layer}.kernel", f"layers.{layer}.bias"]
    order += ["head.kernel", "head.bias"]
    digest = hashlib.sha256()
    for name in order:
        digest.update(tensors[name].contiguous().numpy().tobytes())
    fixture = {
        "torch": PINNED_TORCH,
        "initialParametersSha256": digest.hexdigest(),
        "losses": losses,
        "gradientNorms": norms,
    }
    print(json.dumps(fixture, indent=1))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
