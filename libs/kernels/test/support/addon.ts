import { loadAddon } from "../../src/native-addon/index.js";

/** Why tests of the addon cannot run here; empty where they can. */
export const reasonForSkipping = reasonWhyNoAddon();

function reasonWhyNoAddon(): string {
  try {
    loadAddon();
    return "";
  } catch (error) {
    return `the addon is not there: ${String(error).split("\n", 1)[0]}`;
  }
}
