/** The service's full name, as health checks know it. */
export const COORDINATOR_SERVICE = "ostinato.v1.Coordinator";
