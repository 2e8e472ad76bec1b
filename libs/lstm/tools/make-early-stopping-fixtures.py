"""Makes fixtures/early-stopping.json: after which evaluation early stopping ends training.

    python tools/make-early-stopping-fixtures.py > fixtures/early-stopping.json

The rule is that of keras.callbacks.EarlyStopping (Keras 3, mode "min", no baseline), as its page and its
source have it; keras 3.12.0 itself, run over these losses, stops at the same epochs with the same bests.
An epoch counts as waited before it is looked at; where loss + min_delta is below the best one (at first
infinity), it becomes the best and the count starts anew; otherwise the count may have reached `patience`.
Keras never stops at its first epoch, and no case here could.

`stop` is the number of evaluations made by then, or null; `best` the best loss by then, as Keras has it.
Losses are multiples of 1/8, so that sums and differences are exact; null stands for NaN.
"""

import json
import random

NUM_CASES = 60
NUM_LOSSES = 30


class EarlyStopping:
    def __init__(self, patience, min_delta):
        self.patience, self.min_delta = patience, min_delta
        self.wait, self.best = 0, float("inf")

    def stops_after(self, epoch, loss):
        self.wait += 1
        if loss + self.min_delta < self.best:
            self.best = loss
            self.wait = 0
            return False
        return self.wait >= self.patience and epoch > 0


def case(draw):
    patience, min_delta = draw.randint(1, 8), draw.choice([0, 0, 0.125, 0.5, 1])
    level, slope = draw.randint(20, 60), draw.choice([-1, -0.5, 0, 0.25])
    losses = [max(0, level + round(slope * k) + draw.randint(-3, 3)) / 8 for k in range(NUM_LOSSES)]
    for k in range(1, NUM_LOSSES):
        if draw.random() < 0.05:
            losses[k] = float("nan")
    stopping = EarlyStopping(patience, min_delta)
    stop = None
    for epoch, loss in enumerate(losses):
        if stopping.stops_after(epoch, loss):
            stop = epoch + 1
            break
    return {
        "patience": patience,
        "minDelta": min_delta,
        "losses": [loss if loss == loss else None for loss in losses],
        "stop": stop,
        "best": stopping.best,
    }


def main():
    draw = random.Random(5)
    rows = ",\n".join(json.dumps(case(draw)) for _ in range(NUM_CASES))
    print('{"cases": [\n' + rows + "\n]}")


if __name__ == "__main__":
    main()
