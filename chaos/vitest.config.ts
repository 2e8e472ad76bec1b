import { projectConfig } from "../vitest.base.ts";

export default projectConfig({ timeoutMs: 240_000 });
