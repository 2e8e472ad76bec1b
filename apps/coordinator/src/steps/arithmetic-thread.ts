/** Entry of the arithmetic thread. */

import { compiledCrc32 } from "@ostinato/kernels";
import { computeCrc32By } from "@ostinato/proto";

import { answerRequests } from "../threads/index.js";
import { ArithmeticOperations } from "./arithmetic-operations.js";
import type { ArithmeticInit, ArithmeticRequest } from "./arithmetic-operations.js";

computeCrc32By(compiledCrc32());
answerRequests<ArithmeticRequest>((init) => new ArithmeticOperations(init as ArithmeticInit));
