import { WireError } from "@ostinato/proto";
import type { CoordinatorHandlers } from "@ostinato/proto";

/** The service from the moment the port is bound: not available until the run is open. */
export function lateHandlers(get: () => CoordinatorHandlers | undefined): CoordinatorHandlers {
  const ready = (): CoordinatorHandlers => {
    const handlers = get();
    if (handlers === undefined) throw new WireError("unavailable", "the run is not ready yet");
    return handlers;
  };
  return {
    join: async (request, caller) => ready().join(request, caller),
    train: (stream, caller) => {
      ready().train(stream, caller);
    },
    fetchData: (request, signal) => ready().fetchData(request, signal),
    status: async () => ready().status(),
    watch: (signal) => ready().watch(signal),
  };
}
