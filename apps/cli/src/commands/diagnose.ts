import { writeFile } from "node:fs/promises";

import type { DiagnoseOptions } from "../command-line/index.js";
import {
  diagnoseVariant,
  diagnosisJson,
  diagnosisSvg,
  diagnosisText,
  readVariants,
  stepsOf,
} from "../diagnosis/index.js";
import type { VariantDiagnosis } from "../diagnosis/index.js";
import { CliError } from "../errors/index.js";
import { parseCompared } from "./arguments/index.js";
import { resolveOverrides } from "./arguments/index.js";
import type { Terminal } from "./terminal.js";

/** `ostinato diagnose`: gradients, gates and updates of a config's model, before and after training. */
export async function diagnose(options: DiagnoseOptions, terminal: Terminal): Promise<number> {
  const { config: file, set, compare, svg, json } = options;
  const { stdout, stderr } = terminal;
  const compared = compare === undefined ? undefined : parseCompared(compare);
  const overrides = resolveOverrides(set, terminal.folder);
  const variants = await readVariants({ file, overrides, compared });
  const found: VariantDiagnosis[] = [];
  for (const variant of variants) {
    const steps = stepsOf(variant, options.steps);
    if (steps > 0 && !json) {
      const whose = compared === undefined ? "" : `${compared.key}=${variant.label ?? ""}: `;
      stderr.write(`${whose}training ${steps} steps …\n`);
    }
    found.push(await diagnoseVariant(variant, file, steps));
  }
  const report = { file, comparedKey: compared?.key, variants: found };
  stdout.write(json ? `${diagnosisJson(report)}\n` : diagnosisText(report));
  if (svg !== undefined) {
    await write(svg, await diagnosisSvg(report));
  }
  return 0;
}

async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CliError("usage", `--svg ${file}: cannot be written (${code ?? String(error)})`, {
      cause: error,
    });
  }
}
