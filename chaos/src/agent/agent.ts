/** Loaded with `--import` into every thread of a process under test. */

import { register } from "node:module";
import { isMainThread } from "node:worker_threads";
import { obeyCommands } from "./commands.js";
import { troubleFiles } from "./files.js";
import type { AgentOrders } from "./orders.js";

const orders = JSON.parse(process.env["OSTINATO_CHAOS_ORDERS"] ?? "null") as AgentOrders | null;
if (orders !== null) {
  // A thread loads the program's files by itself, so that each must break them alike.
  if (orders.mutation !== undefined) {
    register("./mutating-loader.js", import.meta.url, { data: orders.mutation });
  }
  if (isMainThread) {
    troubleFiles(orders);
    obeyCommands(orders.desk);
  }
}
