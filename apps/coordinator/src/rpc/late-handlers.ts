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
    join: async (request, peer) => ready().join(request, peer),
    train: (stream) => {
      ready().train(stream);
    },
    fetchData: (request, signal) => ready().fetchData(request, signal),
    status: async () => ready().status(),
    watch: (signal) => ready().watch(signal),
  };
}
