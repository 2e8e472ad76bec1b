/** What the keys of a decision's state take, with the words for it. */
import { z } from "zod";

import { key, names } from "../keys/index.js";

export const COUNT = key("a whole number from 0", z.int().nonnegative());
export const OPTIONAL_COUNT = key("a whole number from 0, or null", COUNT.nullable());
export const NUMBER = key("a finite number", z.number());
export const OPTIONAL_NUMBER = key("a finite number, or null", z.number().nullable());
export const STOP_REASON = key(names(["earlyStopping"]), z.literal("earlyStopping"));
