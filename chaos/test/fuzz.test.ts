/** Every parser under some thousand inputs of any kind, and under those that it once answered wrongly. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runInThisContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { inputOf, inputText } from "../src/fuzz/command-line/index.js";
import {
  Coverage,
  createTarget,
  parserTarget,
  runCampaign,
  TARGET_NAMES,
  watchCampaign,
} from "../src/fuzz/index.js";

const fixtures = new URL("../fixtures/fuzz/", import.meta.url);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ostinato-fuzz-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe("every parser", () => {
  it.each(TARGET_NAMES)("%s takes or refuses whatever it is given", async (name) => {
    const target = await createTarget(name, folder);
    const { faults, numAccepted } = await runCampaign(target, { numInputs: 1000, seed: 1 });
    expect(faults.map(({ what, input }) => `${what} ${inputText(input)}`)).toEqual([]);
    // Inputs that are all refused at the door would show nothing.
    expect(numAccepted).toBeGreaterThan(0);
  });
});

describe("an input that was answered wrongly once", () => {
  const lines = readFileSync(new URL("regressions.txt", fixtures), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => /^(\S+) (\S*) (.*)$/.exec(line)?.slice(1) ?? []);

  it.each(lines)("%s %s: %s", async (name = "", input = "") => {
    const { feed } = await createTarget(name, folder);
    await expect(feed(inputOf(input))).resolves.toBeTypeOf("boolean");
  });
});

describe("docs/fuzzing.md", () => {
  const page = readFileSync(new URL("../../docs/fuzzing.md", import.meta.url), "utf8");
  const [about = "", campaign = ""] = page.split("## The last campaign");

  it("has a row of the last campaign for every parser, and for no other", () => {
    const rows = [...campaign.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
    expect(rows.sort()).toEqual([...TARGET_NAMES].sort());
  });

  it("says of every parser what must hold", () => {
    const targets = [...about.matchAll(/^\|[^|]*\|([^|]*)\|/gm)].flatMap(([, names = ""]) =>
      [...names.matchAll(/`(\w+)`/g)].map(([, name]) => name),
    );
    expect(targets).toEqual(expect.arrayContaining([...TARGET_NAMES]));
  });
});

class Refusal extends Error {
  readonly code = "refused";
}

/** Takes what begins with `{`, and makes a mistake where a `!` comes anywhere after it. */
const faulty = parserTarget({
  ...{ name: "faulty", seeds: ["{a}"], words: ["!"], refusals: [Refusal] },
  parse: (input) => {
    if (input[0] !== 0x7b) throw new Refusal("no brace");
    return input.includes(0x21) ? (undefined as unknown as Uint8Array) : input;
  },
  check: (value) => {
    if (value.length === 0) throw new Error("nothing was taken");
  },
});

describe("a fuzzer", () => {
  it("finds what a parser does wrong, and the shortest input that shows it", async () => {
    const { faults } = await runCampaign(faulty, { numInputs: 2000, seed: 1 });
    expect(faults).toHaveLength(1);
    expect(faults[0]?.what).toMatch(/^TypeError: Cannot read properties of undefined/);
    expect(Buffer.from(faults[0]?.input ?? []).toString()).toBe("{!");
  });

  it("tries the same inputs for the same seed, others for another", async () => {
    const inputsOf = async (seed: number): Promise<string> => {
      const inputs: string[] = [];
      const announce = (input: Uint8Array): void => void inputs.push(inputText(input));
      await runCampaign({ ...faulty, feed: () => true }, { numInputs: 300, seed, announce });
      return inputs.join();
    };
    expect(await inputsOf(1)).toBe(await inputsOf(1));
    expect(await inputsOf(1)).not.toBe(await inputsOf(2));
  });

  it("lets the event loop turn, in which a parser lets go of what it has closed", async () => {
    let [held, most] = [0, 0];
    const feed = (): boolean => {
      held += 1;
      most = Math.max(most, held);
      setImmediate(() => (held -= 1));
      return true;
    };
    await runCampaign({ ...faulty, feed }, { numInputs: 2000, seed: 1 });
    expect(most).toBeLessThan(300);
  });

  it("refuses to begin with a seed that the parser refuses", async () => {
    const target = { ...faulty, seeds: [Uint8Array.of(0x61)] };
    await expect(runCampaign(target, { numInputs: 1, seed: 1 })).rejects.toThrow(
      "seed 0 is refused",
    );
  });

  it.each([
    ["an error without a code", () => new Error("bad"), /^Error: bad/],
    [
      "two lines",
      () => new Refusal("a\nb"),
      /^BrokenRule: the message of Error refused is not one line/,
    ],
    [
      "a whole book",
      () => new Refusal("a".repeat(9999)),
      /^BrokenRule: the message of .* characters/,
    ],
    ["nothing", () => new Refusal(""), /^BrokenRule: the message of Error refused says nothing/],
  ])("counts %s as no refusal", async (_, error, what) => {
    const parse = (input: Uint8Array): Uint8Array => {
      if (input.length < 3) throw error();
      return input;
    };
    const options = {
      name: "x",
      seeds: ["abc"],
      refusals: [Refusal],
      parse,
      check: () => undefined,
    };
    const { faults } = await runCampaign(parserTarget(options), { numInputs: 100, seed: 1 });
    expect(faults[0]?.what).toMatch(what);
  });

  it("keeps the inputs that run code that never ran, and so comes further", async () => {
    const script = `0, (text) => {
      if (text[0] !== "k") return 0;
      if (text[1] !== "e") return 1;
      if (text[2] !== "y") return 2;
      return text[3] === "s" ? 4 : 3;
    }`;
    const deepest = async (guide?: Coverage): Promise<number> => {
      const depthOf = runInThisContext(script, { filename: "file:///depth.js" }) as (
        text: string,
      ) => number;
      let most = 0;
      const feed = (input: Uint8Array): boolean => {
        most = Math.max(most, depthOf(Buffer.from(input).toString("latin1")));
        return true;
      };
      const target = {
        name: "depth",
        seeds: [Uint8Array.of(0, 0, 0, 0)],
        words: ["k", "e", "y", "s"],
        cost: 1,
        feed,
      };
      await runCampaign(target, { numInputs: 5000, seed: 1, guide });
      return most;
    };
    // First of all: V8 counts the blocks of what is compiled while it counts, and compiles a text once.
    const guide = new Coverage((url) => url === "file:///depth.js");
    const guided = await deepest(guide);
    guide.close();
    expect(guided).toBe(4);
    expect(await deepest()).toBeLessThan(4);
  });

  it("reports a parser that hangs, with the input", async () => {
    const thread = new URL("hang.mjs", fixtures);
    const options = { inputs: 1, seed: 1, thread, patienceMs: 300 };
    expect(await watchCampaign("address", options)).toEqual({
      ...{ kind: "lost", target: "address" },
      fault: { what: "no answer within 300 ms", input: Uint8Array.of(7, 8, 9) },
    });
  });

  it("reports a parser that ends its thread", async () => {
    const thread = new URL("die.mjs", fixtures);
    expect(await watchCampaign("address", { inputs: 1, seed: 1, thread })).toMatchObject({
      ...{ kind: "lost", fault: { what: "the thread ended: RangeError: out of everything" } },
    });
  });

  it("is a program that says what it did", () => {
    const program = new URL("../dist/fuzz-main.js", import.meta.url).pathname;
    const fuzz = (...args: readonly string[]): ReturnType<typeof spawnSync> =>
      spawnSync(process.execPath, [program, ...args], { encoding: "utf8" });
    const { status, stdout } = fuzz(
      "--inputs",
      "500",
      "--seed",
      "3",
      "--target",
      "address,override",
    );
    expect(`${String(stdout)} exit ${status ?? ""}`).toMatch(
      /^parser .*\naddress +500 .*\noverride +250 .*\n750 inputs to 2 parsers in \d+ s with seed 3, at most \d+ MB of memory: 0 faults\n exit 0$/,
    );
    const once = fuzz("--target", "address", "--input", inputText(Buffer.from("a:1")));
    expect(`${String(once.stdout)} exit ${once.status ?? ""}`).toBe("address: taken\n exit 0");
    expect(fuzz("--input", "YQ==").status).toBe(1);
  });
});
