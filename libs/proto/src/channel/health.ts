import type { Server } from "@grpc/grpc-js";
import { HealthImplementation } from "grpc-health-check";

export interface Health {
  /** @param service a service's full name; "" stands for the server as a whole */
  set(service: string, status: "SERVING" | "NOT_SERVING"): void;
}

/** Adds the standard `grpc.health.v1.Health` service; the server as a whole begins NOT_SERVING. */
export function addHealth(server: Server): Health {
  const health = new HealthImplementation({ "": "NOT_SERVING" });
  health.addToServer(server);
  return { set: (service, status) => health.setStatus(service, status) };
}
