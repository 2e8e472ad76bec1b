"""Makes the fixtures that libs/lstm's encoder–decoder is compared with, by PyTorch.

    python tools/make-encoder-decoder-fixtures.py > fixtures/encoder-decoders.json

Needs the PyTorch named below, on a CPU. Tests need no Python. The encoder reads packed sources; the
decoder runs over start + target; attention is written with torch operations, its gradients are
autograd's. Layouts are those of libs/lstm; sequences are lists, the sources' and targets' padding is
made by the test.
"""

import json
import sys

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

TORCH_VERSION = "2.15.0"
START, END = 1, 0


class EncoderDecoder(nn.Module):
    def __init__(self, spec):
        super().__init__()
        self.spec = spec
        size, embedding_size = spec["hiddenSize"], spec["embeddingSize"]
        directions = 2 if spec["bidirectionalEncoder"] else 1
        kind = {"lstm": nn.LSTM, "gru": nn.GRU}[spec["cell"]]
        self.source_table = nn.Embedding(spec["sourceVocabularySize"], embedding_size)
        self.target_table = nn.Embedding(spec["targetVocabularySize"], embedding_size)
        self.encoder = kind(
            embedding_size, size // directions, spec["numLayers"], bidirectional=directions == 2
        )
        self.decoder = kind(embedding_size, size, spec["numLayers"])
        attention = spec["attention"]
        if attention == "multiplicative":
            self.kernel = nn.Parameter(torch.randn(size, size) * 0.4)
        if attention == "additive":
            self.query = nn.Parameter(torch.randn(size, size) * 0.4)
            self.memory = nn.Parameter(torch.randn(size, size) * 0.4)
            self.score = nn.Parameter(torch.randn(size))
        if attention != "none":
            self.combine = nn.Linear(2 * size, size)
        self.head = nn.Linear(size, spec["targetVocabularySize"])
        if spec["tiedEmbedding"]:
            self.head.weight = self.target_table.weight
        with torch.no_grad():
            for stack in (self.encoder, self.decoder):
                for name, parameter in stack.named_parameters():
                    # One bias a gate: PyTorch's second one is zero, but for the candidate of a GRU.
                    if name.startswith("bias_hh"):
                        count = parameter.numel() if spec["cell"] == "lstm" else parameter.numel() // 3 * 2
                        parameter[:count] = 0

    def handed(self, state):
        """[layers · directions, rows, units] to [layers, rows, directions · units]."""
        if not self.encoder.bidirectional:
            return state
        return torch.cat([state[0::2], state[1::2]], dim=2)

    def scores(self, hidden, memory):
        """[T,B,H] and [S,B,C] to [T,B,S]."""
        if self.spec["attention"] == "multiplicative":
            return torch.einsum("tbh,hc,sbc->tbs", hidden, self.kernel, memory)
        query, keys = hidden @ self.query, memory @ self.memory
        return torch.tanh(query[:, None] + keys[None]).matmul(self.score).transpose(1, 2)

    def attentional(self, hidden, memory, lengths):
        if self.spec["attention"] == "none":
            return hidden
        scores = self.scores(hidden, memory)
        outside = torch.arange(memory.shape[0])[None, :] >= lengths[:, None]
        weights = scores.masked_fill(outside[None], float("-inf")).softmax(dim=2)
        context = torch.einsum("tbs,sbc->tbc", weights, memory)
        return torch.tanh(self.combine(torch.cat([context, hidden], dim=2)))

    def losses(self, sources, targets):
        """The loss sum of each row."""
        lengths = torch.tensor([len(source) for source in sources])
        padded = pad_sequence([torch.tensor(source) for source in sources])
        packed = pack_padded_sequence(self.source_table(padded), lengths, enforce_sorted=False)
        outputs, final = self.encoder(packed)
        memory, _ = pad_packed_sequence(outputs)
        if isinstance(final, tuple):
            initial = tuple(self.handed(part) for part in final)
        else:
            initial = self.handed(final)
        forced = pad_sequence([torch.tensor([START, *target]) for target in targets])
        wanted = pad_sequence(
            [torch.tensor([*target, END]) for target in targets], padding_value=-100
        )
        hidden, _ = self.decoder(self.target_table(forced), initial)
        logits = self.head(self.attentional(hidden, memory, lengths))
        losses = nn.functional.cross_entropy(
            logits.flatten(0, 1),
            wanted.flatten(),
            ignore_index=-100,
            reduction="none",
            label_smoothing=self.spec["labelSmoothing"],
        )
        return losses.reshape(wanted.shape).sum(0)


def numbers(tensor):
    """float32 values, each with the nine digits that name it exactly."""
    return [float(f"{value:.9g}") for value in tensor.detach().reshape(-1).tolist()]


def stack_tensors(stack, prefix, of):
    """A stack's tensors by our names, in our layout."""
    tensors = {}
    for layer in range(stack.num_layers):
        for direction in ("forward", "backward") if stack.bidirectional else ("",):
            ours = ".".join(part for part in (f"{prefix}.layers.{layer}", direction) if part)
            suffix = f"l{layer}" + ("_reverse" if direction == "backward" else "")
            weights = [of(getattr(stack, f"weight_{part}_{suffix}")).T for part in ("ih", "hh")]
            tensors[f"{ours}.kernel"] = torch.cat(weights)
            tensors[f"{ours}.bias"] = of(getattr(stack, f"bias_ih_{suffix}"))
            if isinstance(stack, nn.GRU):
                size = stack.hidden_size
                tensors[f"{ours}.candidateBias"] = of(getattr(stack, f"bias_hh_{suffix}"))[2 * size :]
    return tensors


def named(model, of):
    """The model's tensors by our names; `of` picks the parameter or its gradient."""
    tensors = {"encoder.embedding.table": of(model.source_table.weight)}
    tensors |= stack_tensors(model.encoder, "encoder", of)
    tensors["decoder.embedding.table"] = of(model.target_table.weight)
    tensors |= stack_tensors(model.decoder, "decoder", of)
    for name in ("kernel", "query", "memory", "score"):
        if hasattr(model, name):
            tensors[f"attention.{name}"] = of(getattr(model, name))
    if hasattr(model, "combine"):
        tensors["attention.combine.kernel"] = of(model.combine.weight).T
        tensors["attention.combine.bias"] = of(model.combine.bias)
    if not model.spec["tiedEmbedding"]:
        tensors["head.kernel"] = of(model.head.weight).T
    tensors["head.bias"] = of(model.head.bias)
    return {name: numbers(tensor) for name, tensor in tensors.items()}


def case(seed, **changes):
    spec = {
        "kind": "encoderDecoder",
        "sourceVocabularySize": 11,
        "targetVocabularySize": 9,
        "startId": START,
        "endId": END,
        "embeddingSize": 5,
        "cell": "lstm",
        "hiddenSize": 6,
        "numLayers": 1,
        "bidirectionalEncoder": False,
        "attention": "none",
        "tiedEmbedding": False,
        "labelSmoothing": 0,
    } | changes
    torch.manual_seed(seed)
    model = EncoderDecoder(spec)
    sources = [torch.randint(11, (length,)).tolist() for length in (6, 1, 4, 5)]
    targets = [torch.randint(2, 9, (length,)).tolist() for length in (3, 5, 0, 4)]
    losses = model.losses(sources, targets)
    losses.sum().backward()
    return {
        "spec": spec,
        "parameters": named(model, lambda parameter: parameter),
        "sources": sources,
        "targets": targets,
        "losses": numbers(losses),
        "gradients": named(model, lambda parameter: parameter.grad),
    }


def main():
    version = torch.__version__.split("+")[0]
    if version != TORCH_VERSION:
        raise SystemExit(f"these fixtures are made with torch {TORCH_VERSION}, not {version}")
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)
    cases = [
        case(1, cell="gru", numLayers=2, bidirectionalEncoder=True),
        case(2, attention="additive", bidirectionalEncoder=True),
        case(3, attention="additive", cell="gru", labelSmoothing=0.1),
        case(4, attention="multiplicative", numLayers=2),
        case(5, attention="multiplicative", cell="gru", embeddingSize=6, tiedEmbedding=True),
    ]
    json.dump({"torch": TORCH_VERSION, "cases": cases}, sys.stdout, separators=(",", ":"))
    print()


if __name__ == "__main__":
    main()
