import type { handleServerStreamingCall, Server } from "@grpc/grpc-js";
import { status } from "@grpc/grpc-js";

import { COORDINATOR_SERVICE } from "../service-name.js";

type HealthStatus = "SERVING" | "NOT_SERVING";

export interface Health {
  /**
   * @param service a service's full name; "" stands for the server as a whole, and so for the one
   *   service that it has: whichever of the two a probe asks for, it gets the same answer
   */
  set(service: string, status: HealthStatus): void;
}

/**
 * Adds the standard `grpc.health.v1.Health` service, for "" and for `ostinato.v1.Coordinator`; both
 * begin NOT_SERVING. Whoever checks or watches another service is answered NOT_FOUND.
 */
export async function addHealth(server: Server): Promise<Health> {
  // It brings a whole protobuf compiler along, which only a server should take the time to load.
  const { HealthImplementation } = await import("grpc-health-check");
  const health = new HealthImplementation({
    "": "NOT_SERVING",
    [COORDINATOR_SERVICE]: "NOT_SERVING",
  });
  health.addToServer({
    addService: (definition, handlers) => {
      const watch = ofKnownServices(handlers["watch"] as WatchHealth);
      server.addService(definition, { ...handlers, watch });
    },
  });
  return {
    set: (service, status) => {
      health.setStatus(service, status);
      if (service === "") health.setStatus(COORDINATOR_SERVICE, status);
    },
  };
}

type WatchHealth = handleServerStreamingCall<{ readonly service: string }, unknown>;

/** The library keeps every name that was ever watched, and anybody may name what he likes. */
function ofKnownServices(watch: WatchHealth): WatchHealth {
  return (call) => {
    const { service } = call.request;
    if (service === "" || service === COORDINATOR_SERVICE) watch(call);
    else call.emit("error", { code: status.NOT_FOUND, details: "there is no such service" });
  };
}
