import { ErrorCode } from "../errors/error-code.ts";
import { connectionError } from "../errors/http2-error.ts";
import {
  frameHeaderBytes,
  maxMaxFrameBytes,
  maxUint31,
  minMaxFrameBytes,
  readUint32,
  writeFrameHeader,
  writeUint32,
} from "./frame-header.ts";
import { Flag, FrameType } from "./frame-type.ts";

/** RFC 9113 §6.5.2 and RFC 8441 §3. */
export const Setting = {
  headerTableSize: 0x1,
  enablePush: 0x2,
  maxConcurrentStreams: 0x3,
  initialWindowSize: 0x4,
  maxFrameSize: 0x5,
  maxHeaderListSize: 0x6,
} as const;

export const settingsEntryBytes = 6;

/** Calls `apply` for each entry in order (RFC 9113 §6.5.3); unknown settings are passed on too and ignored there. */
export function readSettings(
  bytes: Uint8Array,
  start: number,
  end: number,
  apply: (setting: number, value: number) => void,
): void {
  for (let at = start; at < end; at += settingsEntryBytes) {
    const setting = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
    const value = readUint32(bytes, at + 2);
    checkSetting(setting, value);
    apply(setting, value);
  }
}

function checkSetting(setting: number, value: number): void {
  if (setting === Setting.enablePush && value > 1) {
    throw connectionError(ErrorCode.protocolError, `SETTINGS_ENABLE_PUSH is ${value}, neither 0 nor 1`);
  }
  if (setting === Setting.initialWindowSize && value > maxUint31) {
    throw connectionError(ErrorCode.flowControlError, `SETTINGS_INITIAL_WINDOW_SIZE ${value} is over 2^31-1`);
  }
  if (setting === Setting.maxFrameSize && (value < minMaxFrameBytes || value > maxMaxFrameBytes)) {
    throw connectionError(ErrorCode.protocolError, `SETTINGS_MAX_FRAME_SIZE ${value} is outside 16384 to 16777215`);
  }
}

export function settingsPayloadError(payloadBytes: number, ack: boolean, maxEntries: number): string | undefined {
  if (ack && payloadBytes !== 0) return "a SETTINGS acknowledgement carries a payload";
  if (payloadBytes % settingsEntryBytes !== 0) return "the length of a SETTINGS frame is no multiple of 6";
  if (payloadBytes > maxEntries * settingsEntryBytes) return `a SETTINGS frame has more than ${maxEntries} entries`;
  return undefined;
}

export function settingsFrameBytes(entries: readonly (readonly [number, number])[]): number {
  return frameHeaderBytes + entries.length * settingsEntryBytes;
}

export function writeSettings(
  target: Uint8Array,
  offset: number,
  entries: readonly (readonly [setting: number, value: number])[],
): number {
  writeFrameHeader(target, offset, entries.length * settingsEntryBytes, FrameType.settings, 0, 0);
  let at = offset + frameHeaderBytes;
  for (const [setting, value] of entries) {
    target[at] = setting >>> 8;
    target[at + 1] = setting;
    writeUint32(target, at + 2, value);
    at += settingsEntryBytes;
  }
  return at;
}

export function writeSettingsAck(target: Uint8Array, offset: number): number {
  writeFrameHeader(target, offset, 0, FrameType.settings, Flag.ack, 0);
  return offset + frameHeaderBytes;
}
