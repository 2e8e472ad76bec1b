/**
 * The backends `native` and `native-bfloat16`: tfjs's cpu backend with kernels in C++ (native/). Loaded when one
 * is selected, as they need what `nx run @ostinato/kernels:native` has compiled.
 */
import { registerKernelTable } from "../registered-kernel.js";
import { nativeAddon } from "./addon.js";
import { registerNativeBackend } from "./native-backend.js";
import { NATIVE_KERNELS } from "./native-kernels.js";
import { TFJS_KERNELS } from "./tfjs-kernels.js";

/** The precision of their products. */
const NATIVE_BACKENDS = { native: "float32", "native-bfloat16": "bfloat16" } as const;

export type NativeBackendName = keyof typeof NATIVE_BACKENDS;

const registered = new Set<NativeBackendName>();

/** @throws Error with the reason if the addon cannot be loaded. */
export function registerNative(name: NativeBackendName): void {
  if (registered.has(name)) return;
  nativeAddon();
  const ours = { ...NATIVE_KERNELS, ...TFJS_KERNELS };
  registerNativeBackend(name, new Set(Object.keys(ours)));
  registerKernelTable(name, ours);
  registered.add(name);
}

/** From now on the calling thread's products are of the backend's precision. */
export function useNative(name: NativeBackendName): void {
  nativeAddon().selectPrecision(NATIVE_BACKENDS[name]);
}

export { nativeAddon } from "./addon.js";
