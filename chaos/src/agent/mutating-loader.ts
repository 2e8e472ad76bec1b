/** Node's module hooks: one file is loaded with one change. */

import type { InitializeHook, LoadHook } from "node:module";
import type { Mutation, SourceChange } from "../mutations/index.js";

let mutation: Mutation | undefined;

export const initialize: InitializeHook<Mutation> = (data) => {
  mutation = data;
};

export const load: LoadHook = async (url, context, nextLoad) => {
  const loaded = await nextLoad(url, context);
  const changes = mutation?.changes.filter(({ file }) => url.endsWith(`/${file}`)) ?? [];
  if (changes.length === 0 || loaded.source === undefined) return loaded;
  const source = Buffer.from(loaded.source as Uint8Array).toString();
  return { ...loaded, source: changes.reduce(changed, source) };
};

/** A mutation that changes nothing would show nothing: better no run at all. */
function changed(source: string, { file, find, replace }: SourceChange): string {
  const parts = source.split(find);
  if (parts.length === 2) return parts.join(replace);
  throw new Error(`${file} has ${parts.length - 1} of ${JSON.stringify(find)}, not 1`);
}
