import { ostinato } from "../../generated/coordinator.js";
import { MAX_FRAME_BYTES } from "../limits.js";
import { createCodec } from "./codec.js";
import { record } from "./composites.js";
import type { DataChunk, FetchDataRequest } from "./messages.js";
import { bytesUpTo, identifier, uint32 } from "./scalars.js";

export const fetchDataRequestCodec = createCodec(
  "FetchDataRequest",
  ostinato.v1.FetchDataRequest,
  record<FetchDataRequest, ostinato.v1.FetchDataRequest.$Properties>({ digest: identifier }),
);

export const dataChunkCodec = createCodec(
  "DataChunk",
  ostinato.v1.DataChunk,
  record<DataChunk, ostinato.v1.DataChunk.$Properties>(
    {
      offset: uint32(),
      totalBytes: uint32(),
      payload: bytesUpTo(MAX_FRAME_BYTES, "badMessage"),
      crc32: uint32(),
    },
    ({ offset, totalBytes, payload }) =>
      offset + payload.byteLength <= totalBytes
        ? undefined
        : `ends at byte ${offset + payload.byteLength} of ${totalBytes}`,
  ),
);
