/** A frame as it stood on the wire, with the fields of its type. */
export type WireFrame =
  | { type: "DATA"; streamId: number; endStream: boolean; data: Buffer }
  /** `continuations` is there only when the block went on in CONTINUATION frames: their number. */
  | { type: "HEADERS"; streamId: number; endStream: boolean; fields: readonly string[]; continuations?: number }
  | { type: "PRIORITY"; streamId: number }
  | { type: "RST_STREAM"; streamId: number; code: number }
  | { type: "SETTINGS"; ack: boolean; entries: readonly (readonly [setting: number, value: number])[] }
  | { type: "PING"; ack: boolean; payload: string }
  | { type: "GOAWAY"; lastStreamId: number; code: number; debug: string }
  | { type: "WINDOW_UPDATE"; streamId: number; increment: number };

export type WireFrameType = WireFrame["type"];
