/** Configs with keys of every kind, short enough that a change hits one of them. */

/** Every group of a text's run, a few in each. */
export const TEXT_RUNS = [
  `name: a
seed: 1
data: { files: ["a.txt", 'b *.txt'], validationFraction: 0.1, testFraction: 0.1 }
cluster: { workers: 2, deadlineSeconds: 30 }
`,
  `data:
  files: a.txt
model: { cell: lstm, embeddingSize: 8, hiddenSize: 8, numLayers: 2, dropout: .5, tiedEmbedding: true }
numerics: { backend: auto, gradients: bfloat16, gradientLeaves: 1 }
`,
  `data: { files: a.txt }
training: { epochs: 2, batchSize: 8, microShards: 8, earlyStopping: { patience: 3, minDelta: 1e-3 } }
evaluation: { everySteps: 10, batchSize: 8 }
checkpoints: { everySteps: 100, keep: 3 }
`,
  `data: { files: a.txt }
optimizer:
  kind: adamw
  learningRate: .01
  groups:
    - { match: "*.bias", weightDecay: 0 }
  clipping: { kind: globalNorm, maxNorm: 1 }
  schedule: { kind: cosine, totalSteps: 100, warmupSteps: 5 }
`,
] as const;

export const SEQUENCE_RUN = `data: { kind: sequences, files: a.jsonl, numClasses: 3 }
model: &model
  kind: sequenceModel
  output: everyStep
  bidirectional: true
  loss: { kind: crossEntropy, classWeights: [1, 2, 3] }
optimizer: { kind: momentum, schedule: { kind: multiStep, milestones: [3, 9] } }
`;

export const PAIRS_RUN = `data: { kind: pairs, files: a.jsonl }
model: { kind: encoderDecoder, attention: additive, bidirectionalEncoder: true }
optimizer: { kind: averagedSgd, nonmonotonicInterval: 5 }
evaluation: { everySteps: 7 }
`;

export const ADDING_TASK = `data: { kind: addingProblem, length: 100 }
model: { cell: gru, hiddenSize: 8 }
training: { batchSize: 20, microShards: 2 }
optimizer: { kind: adam, learningRate: 0.01 }
diagnose: { steps: 10 }
`;

export const COPY_TASK = `data: { kind: copyTask, numSymbols: 5, delay: 50, alphabetSize: 8 }
model: { loss: { kind: crossEntropy, labelSmoothing: 0.1 } }
`;

/** Of the configs' language: keys, values, and what YAML has besides. */
export const WORDS: readonly string[] = [
  ...["data", "files", "kind", "model", "training", "microShards", "optimizer", "schedule", "loss"],
  ...["groups", "initialization", "gradientNoise", "clipping", "earlyStopping", "numerics", "seed"],
  ...[
    "text",
    "sequences",
    "pairs",
    "addingProblem",
    "copyTask",
    "ctc",
    "huber",
    "plateau",
    "null",
    "~",
  ],
  ...[
    "&a ",
    "*a",
    "<<: ",
    "!!binary ",
    "!!set ",
    "!!omap ",
    "!!timestamp ",
    "!!float ",
    "? ",
    "- ",
    "---\n",
    "...\n",
  ],
  ...[
    "|\n ",
    ">\n ",
    "%YAML 1.1\n",
    "{",
    "}",
    "[",
    "]",
    ": ",
    ", ",
    "#",
    "'",
    '"',
    "\n",
    "\n  ",
    "\t",
    "=",
  ],
  ...[
    "__proto__",
    "constructor",
    "toString",
    ".inf",
    ".nan",
    "0x10",
    "0o7",
    "1e9",
    "2001-12-14",
    "\ufeff",
    "\\x00",
  ],
];
