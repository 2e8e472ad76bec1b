import { writeFile } from "node:fs/promises";

import type { DiagnoseOptions } from "../command-line/index.js";
import {
  diagnoseRun,
  diagnoseVariant,
  diagnosisJson,
  diagnosisSvg,
  diagnosisText,
  readVariants,
  stepsOf,
} from "../diagnosis/index.js";
import type { Report, VariantDiagnosis } from "../diagnosis/index.js";
import { CliError } from "../errors/index.js";
import { skippedText } from "../inference/index.js";
import { isRunDirectory, requireNoOverrides } from "../model-source/index.js";
import { parseCompared } from "./arguments/index.js";
import { resolveOverrides } from "./arguments/index.js";
import type { Terminal } from "./terminal.js";

/** `ostinato diagnose`: gradients, gates and updates of a config's model, or of a run's. */
export async function diagnose(options: DiagnoseOptions, terminal: Terminal): Promise<number> {
  const { source, svg, json } = options;
  const report = (await isRunDirectory(source))
    ? await reportOfRun(options, terminal)
    : await reportOfConfig(options, terminal);
  terminal.stdout.write(json ? `${diagnosisJson(report)}\n` : diagnosisText(report));
  if (svg !== undefined) {
    await write(svg, await diagnosisSvg(report));
  }
  return 0;
}

/** A run is measured as it is. */
async function reportOfRun(options: DiagnoseOptions, { stderr }: Terminal): Promise<Report> {
  const { source: path, set, compare, steps } = options;
  requireNoOverrides(path, "--set", set);
  requireNoOverrides(path, "--compare", compare === undefined ? [] : [compare]);
  if (steps !== undefined && steps > 0) {
    throw new CliError(
      "usage",
      `--steps ${steps}: ${path} is a run directory, which is measured as it is; ostinato train --resume trains on`,
    );
  }
  const { found, ...opened } = await diagnoseRun(path);
  stderr.write(skippedText(opened));
  return { file: path, comparedKey: undefined, variants: [found] };
}

/** Before and after training, if there is any, of each variant. */
async function reportOfConfig(
  { source: file, set, compare, steps: asked, json }: DiagnoseOptions,
  { stderr, folder }: Terminal,
): Promise<Report> {
  const compared = compare === undefined ? undefined : parseCompared(compare);
  const overrides = resolveOverrides(set, folder);
  const variants = await readVariants({ file, overrides, compared });
  const found: VariantDiagnosis[] = [];
  for (const variant of variants) {
    const steps = stepsOf(variant, asked);
    if (steps > 0 && !json) {
      const whose = compared === undefined ? "" : `${compared.key}=${variant.label ?? ""}: `;
      stderr.write(`${whose}training ${steps} steps …\n`);
    }
    found.push(await diagnoseVariant(variant, file, steps));
  }
  return { file, comparedKey: compared?.key, variants: found };
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
