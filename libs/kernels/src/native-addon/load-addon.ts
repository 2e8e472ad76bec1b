let loaded: object | undefined;

/**
 * The functions of native/addon, whose types are with those who call them. Loaded once a thread.
 *
 * @throws Error with the reason: it was not compiled, this Node cannot load it, or this is not Node.
 */
export function loadAddon(): object {
  if (loaded !== undefined) return loaded;
  // Asked for, not imported: the package runs wherever JavaScript runs, with or without Node.
  // eslint-disable-next-line no-restricted-globals
  const { createRequire } = process.getBuiltinModule("module");
  const require = createRequire(import.meta.url);
  try {
    // By the package's name: a bundle is somewhere else.
    loaded = require("@ostinato/kernels/addon") as object;
  } catch (error) {
    if ((error as { code?: unknown }).code !== "MODULE_NOT_FOUND") throw error;
    const how = "`npx nx run @ostinato/kernels:native` compiles them where a C++ compiler is";
    throw new Error(`the C++ kernels are not compiled; ${how}`, { cause: error });
  }
  return loaded;
}
