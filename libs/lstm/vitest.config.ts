import { projectConfig } from "../../vitest.base.ts";

// Learning takes some 10 s a test on an idle core; beside others on few cores, several times that.
export default projectConfig({ timeoutMs: 120_000 });
