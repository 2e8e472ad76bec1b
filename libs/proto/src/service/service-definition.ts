import type { MethodDefinition, ServiceDefinition } from "@grpc/grpc-js";

import { COORDINATOR_SERVICE } from "../service-name.js";

const same = (bytes: Buffer): Buffer => bytes;

function method(
  name: string,
  streams: { readonly request?: true; readonly response?: true } = {},
): MethodDefinition<Buffer, Buffer> {
  return {
    path: `/${COORDINATOR_SERVICE}/${name}`,
    requestStream: streams.request ?? false,
    responseStream: streams.response ?? false,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}

/**
 * The service for grpc-js, in bytes. grpc-js answers INTERNAL, without a reason, when a deserializer
 * throws; so the bytes pass through it, and the codec works where its WireError can become the
 * call's status: in `implementCoordinator` and in the client.
 */
export const coordinatorService = {
  join: method("Join"),
  train: method("Train", { request: true, response: true }),
  fetchData: method("FetchData", { response: true }),
  status: method("Status"),
  watch: method("Watch", { response: true }),
} as const satisfies ServiceDefinition;
