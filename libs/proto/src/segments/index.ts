/** Tensors between processes of one machine: in files in memory, which the messages only name. */
export {
  gradientSegment,
  MAX_GRADIENT_SEGMENTS,
  parametersSegment,
  SegmentFiles,
} from "./segment-files.js";
export type { SegmentFolder, SegmentOwner } from "./segment-folder.js";
export {
  createSegmentFolder,
  findSegmentFolder,
  removeLeftSegmentFolders,
  removeSegmentFolder,
} from "./segment-folder.js";
export { SegmentReader, writeSegmentFrame } from "./segment-frames.js";
