/** Entry of the arithmetic thread. */

import { answerRequests } from "../threads/index.js";
import { ArithmeticOperations } from "./arithmetic-operations.js";
import type { ArithmeticInit, ArithmeticRequest } from "./arithmetic-operations.js";

answerRequests<ArithmeticRequest>((init) => new ArithmeticOperations(init as ArithmeticInit));
