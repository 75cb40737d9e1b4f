import { createHash } from "node:crypto";
import { WireDecoder } from "@tercel/http2/testing";

/** A frame as received from the wire. */
export interface RecordedFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/**
 * Hides bytes of a payload that differ between versions of this package or of Node.js. The recording contains `{text}` instead, and excludes them
 * from all lengths.
 */
export interface Mask {
  /** Undefined to hide nothing in this frame. */
  hide(frame: RecordedFrame): { readonly start: number; readonly end: number; readonly text: string } | undefined;
  /** Returns the text for the value of a decoded header field. */
  fieldValue?(name: string, value: string): string;
}

export const frameHeaderBytes = 9;

/** A longer payload is recorded as its length and digest. */
const maxHexBytes = 200;
const maxFields = 12;
const maxValueLength = 120;

// RFC 9113 §6 and §7, copied on purpose: a wrong constant in the engine must not change a recording.
const dataType = 0;
const headersType = 1;
const continuationType = 9;
const typeNames = [
  "DATA",
  "HEADERS",
  "PRIORITY",
  "RST_STREAM",
  "SETTINGS",
  "PUSH_PROMISE",
  "PING",
  "GOAWAY",
  "WINDOW_UPDATE",
  "CONTINUATION",
];
const errorNames = [
  "NO_ERROR",
  "PROTOCOL_ERROR",
  "INTERNAL_ERROR",
  "FLOW_CONTROL_ERROR",
  "SETTINGS_TIMEOUT",
  "STREAM_CLOSED",
  "FRAME_SIZE_ERROR",
  "REFUSED_STREAM",
  "CANCEL",
  "COMPRESSION_ERROR",
  "CONNECT_ERROR",
  "ENHANCE_YOUR_CALM",
  "INADEQUATE_SECURITY",
  "HTTP_1_1_REQUIRED",
];
const settingNames = [
  "0",
  "HEADER_TABLE_SIZE",
  "ENABLE_PUSH",
  "MAX_CONCURRENT_STREAMS",
  "INITIAL_WINDOW_SIZE",
  "MAX_FRAME_SIZE",
  "MAX_HEADER_LIST_SIZE",
];
const endStream = 0x1;
const endHeaders = 0x4;
const padded = 0x8;
const priority = 0x20;

/** Formats the frames of one direction of a connection as text: their bytes and their meaning. */
export class FrameText {
  private readonly masks: readonly Mask[];
  private readonly hpack = new WireDecoder(() => {}).hpack;
  private block: Buffer[] = [];

  constructor(masks: readonly Mask[]) {
    this.masks = masks;
  }

  /** Returns the line of a frame, followed by lines that explain it. */
  of(frame: RecordedFrame): string {
    const { type, flags, streamId, payload } = frame;
    const name = [typeNames[type] ?? `type ${type}`, ...flagNames(type, flags)].join(" ");
    const hidden = this.masks.map((mask) => mask.hide(frame)).find((found) => found !== undefined);
    let shown = payload.toString("hex");
    let length = `${payload.length} bytes`;
    let visibleBytes = payload.length;
    if (hidden !== undefined) {
      const { start, end, text } = hidden;
      visibleBytes -= end - start;
      length = `${visibleBytes} bytes and {…}`;
      shown = `${payload.toString("hex", 0, start)}{${text}}${payload.toString("hex", end)}`;
    }
    if (visibleBytes > maxHexBytes) shown = `sha256 ${digest(hidden === undefined ? payload : shown)}`;
    const line = `${name} stream ${streamId}, ${length}${payload.length === 0 ? "" : `: ${shown}`}`;
    return [line, ...this.meaning(frame).map((text) => `    ${text}`)].join("\n");
  }

  private meaning({ type, flags, payload }: RecordedFrame): string[] {
    switch (typeNames[type]) {
      case "HEADERS":
        this.block = [withoutPadding(flags, payload).subarray((flags & priority) === 0 ? 0 : 5)];
        return (flags & endHeaders) === 0 ? [] : this.fields();
      case "CONTINUATION":
        this.block.push(payload);
        return (flags & endHeaders) === 0 ? [] : this.fields();
      case "RST_STREAM":
        return payload.length === 4 ? [errorName(payload.readUInt32BE(0))] : [];
      case "SETTINGS":
        return payload.length % 6 === 0 && payload.length > 0 && payload.length <= 60 ? [settingsText(payload)] : [];
      case "WINDOW_UPDATE":
        return payload.length === 4 ? [`increment ${payload.readUInt32BE(0)}`] : [];
      case "GOAWAY":
        return payload.length >= 8 ? [goawayText(payload)] : [];
      default:
        return [];
    }
  }

  private fields(): string[] {
    const bytes = Buffer.concat(this.block);
    this.block = [];
    let fields: readonly string[];
    try {
      ({ fields } = this.hpack.decode(bytes, 0, bytes.length));
    } catch {
      return ["(not decodable)"];
    }
    const lines: string[] = [];
    for (let at = 0; at < fields.length; at += 2) lines.push(this.field(fields[at] ?? "", fields[at + 1] ?? ""));
    const more = lines.length - maxFields;
    return more > 0 ? [...lines.slice(0, maxFields), `(${more} more fields)`] : lines;
  }

  private field(name: string, value: string): string {
    let shown = value;
    for (const mask of this.masks) shown = mask.fieldValue?.(name, shown) ?? shown;
    return `${name}: ${shown.length > maxValueLength ? `(${shown.length} characters)` : printable(shown)}`.trimEnd();
  }
}

/** Escapes characters that are not printable ASCII as `\x0a`, so that a field stays on its line. */
function printable(text: string): string {
  return text.replace(/[^ -~]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/** Returns the SHA-256 as hexadecimal digits. */
export function digest(bytes: string | Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function flagNames(type: number, flags: number): string[] {
  const names: string[] = [];
  let left = flags;
  const take = (bit: number, name: string): void => {
    if ((left & bit) === 0) return;
    left &= ~bit;
    names.push(name);
  };
  const isBlock = type === headersType || type === continuationType;
  if (type === dataType || type === headersType) take(endStream, "END_STREAM");
  if (typeNames[type] === "SETTINGS" || typeNames[type] === "PING") take(endStream, "ACK");
  if (isBlock) take(endHeaders, "END_HEADERS");
  if (type === dataType || type === headersType) take(padded, "PADDED");
  if (type === headersType) take(priority, "PRIORITY");
  if (left !== 0) names.push(`flags 0x${left.toString(16)}`);
  return names;
}

function withoutPadding(flags: number, payload: Buffer): Buffer {
  return (flags & padded) === 0 ? payload : payload.subarray(1, payload.length - (payload[0] ?? 0));
}

function errorName(code: number): string {
  return errorNames[code] ?? `code ${code}`;
}

function settingsText(payload: Buffer): string {
  const entries: string[] = [];
  for (let at = 0; at < payload.length; at += 6) {
    const setting = payload.readUInt16BE(at);
    entries.push(`${settingNames[setting] ?? setting} ${payload.readUInt32BE(at + 2)}`);
  }
  return entries.join(", ");
}

function goawayText(payload: Buffer): string {
  const debug = payload.length === 8 ? "" : `, ${JSON.stringify(payload.toString("latin1", 8))}`;
  return `last stream ${payload.readUInt32BE(0)}, ${errorName(payload.readUInt32BE(4))}${debug}`;
}
