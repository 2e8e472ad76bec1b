/**
 * The `native` backend: tfjs's cpu backend with kernels in C++ (native/). Loaded when it is selected, as it
 * needs what `nx run @ostinato/kernels:native` has compiled.
 */
import { registerKernelTable } from "../registered-kernel.js";
import { nativeAddon } from "./addon.js";
import { registerNativeBackend } from "./native-backend.js";
import { NATIVE_KERNELS } from "./native-kernels.js";
import { TFJS_KERNELS } from "./tfjs-kernels.js";

let isRegistered = false;

/** @throws Error with the reason if the addon cannot be loaded. */
export function registerNative(): void {
  if (isRegistered) return;
  nativeAddon();
  const ours = { ...NATIVE_KERNELS, ...TFJS_KERNELS };
  registerNativeBackend(new Set(Object.keys(ours)));
  registerKernelTable("native", ours);
  isRegistered = true;
}

export { nativeAddon } from "./addon.js";
