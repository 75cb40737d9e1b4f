// Connections as text, for comparison with committed recordings.
export type { Mask, RecordedFrame } from "./frame-text.ts";
export { recordWrites, type SendingChannel } from "./record-channel.ts";
export { openRecordings, type Recordings } from "./recordings.ts";
export { type Direction, Transcript } from "./transcript.ts";
