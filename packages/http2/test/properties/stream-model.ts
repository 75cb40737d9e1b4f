import { scanFrames } from "./frame-scan.ts";

/** RFC 9113 §7. */
const protocolError = 1;
const flowControlError = 3;
const streamClosed = 5;
const frameSizeError = 6;
const compressionError = 9;
const enhanceYourCalm = 11;

const maxUint31 = 2 ** 31 - 1;
const maxContinuations = 5;

/** What an answered stream costs of the connection's window: the server of the model sends these bytes for each. */
export const answerBytes = 5;

/** Names of the static entries that the blocks of the random frames use, and whether each is a pseudo-header field. */
const entries = new Map([
  [0x83, ":method"],
  [0x84, ":path"],
  [0x86, ":scheme"],
  [0x88, ":status"],
  [0x8f, "accept-charset"],
  [0x90, "accept-encoding"],
]);

/** The connection is over, with this code. */
class Goaway {
  readonly code: number;

  constructor(code: number) {
    this.code = code;
  }
}

/** The stream is reset with this code. */
class Reset {
  readonly code: number;

  constructor(code: number) {
    this.code = code;
  }
}

/**
 * RFC 9113 in one page, for a server that answers each request once it is complete: what frames lead to, said frame by frame
 * and with no thought of speed. Knows header blocks only of the bytes in `entries`.
 */
export class StreamModel {
  readonly opened: number[] = [];
  readonly ended: number[] = [];
  /** Streams that the server resets, with the code. */
  readonly resets: [streamId: number, code: number][] = [];
  /** The code of the GOAWAY that ends the connection; "leaves" when the client went and nothing is left to do. */
  end: number | "leaves" | undefined = undefined;
  private readonly open = new Map<number, { window: number }>();
  private readonly wasReset = new Set<number>();
  private lastId = 0;
  private settingsSeen = false;
  private initialWindow = 65_535;
  private window = 65_535;
  private block:
    | { id: number; endStream: boolean; dependsOn: number; bytes: number[]; continuations: number }
    | undefined;
  private lastAllowed = maxUint31;
  private isLeaving = false;

  receive(bytes: Uint8Array): void {
    for (const { type, flags, streamId, payload } of scanFrames(bytes).frames) {
      if (this.end !== undefined) return;
      try {
        if (payload.length > 16_384) throw new Goaway(frameSizeError);
        this.frame(type, flags, streamId, Buffer.from(payload));
      } catch (verdict) {
        if (verdict instanceof Goaway) this.end = verdict.code;
        else if (verdict instanceof Reset) this.reset(streamId, verdict.code);
        else throw verdict;
      }
      if (this.isLeaving && this.open.size === 0) this.end ??= "leaves";
    }
  }

  private frame(type: number, flags: number, id: number, payload: Buffer): void {
    const isAck = (flags & 1) !== 0;
    if (!this.settingsSeen && (type !== 4 || isAck)) throw new Goaway(protocolError);
    this.settingsSeen = true;
    if (this.block !== undefined && (type !== 9 || this.block.id !== id)) throw new Goaway(protocolError);
    if ([0, 1, 2, 3].includes(type) && id === 0) throw new Goaway(protocolError);
    if ([4, 6, 7].includes(type) && id !== 0) throw new Goaway(protocolError);
    switch (type) {
      case 0:
        checkPadding(flags, payload);
        this.data(id, flags);
        return;
      case 1:
        this.headers(id, flags, payload);
        return;
      case 2:
        this.priority(id, payload);
        return;
      case 3:
        if (payload.length !== 4) throw new Goaway(frameSizeError);
        if (this.isIdle(id)) throw new Goaway(protocolError);
        this.open.delete(id);
        return;
      case 4:
        this.settings(isAck, payload);
        return;
      case 5:
        throw new Goaway(protocolError);
      case 6:
        if (payload.length !== 8) throw new Goaway(frameSizeError);
        return;
      case 7:
        this.goaway(payload);
        return;
      case 8:
        this.windowUpdate(id, payload);
        return;
      case 9:
        this.continuation(flags, payload);
        return;
      default:
    }
  }

  private isIdle(id: number): boolean {
    return id % 2 === 0 || id > this.lastId;
  }

  private reset(id: number, code: number): void {
    this.resets.push([id, code]);
    this.wasReset.add(id);
    this.open.delete(id);
  }

  private priority(id: number, payload: Buffer): void {
    const code =
      payload.length !== 5 ? frameSizeError : (payload.readUInt32BE(0) & maxUint31) === id ? protocolError : 0;
    // §6.4: a stream that no one has opened cannot be reset.
    if (code !== 0) throw this.isIdle(id) ? new Goaway(code) : new Reset(code);
  }

  private data(id: number, flags: number): void {
    if (!this.open.has(id)) {
      if (this.isIdle(id)) throw new Goaway(protocolError);
      // §5.1: what was on its way when we reset the stream is no offence.
      if (this.wasReset.has(id)) return;
      throw new Reset(streamClosed);
    }
    if ((flags & 1) !== 0) this.finish(id);
  }

  private headers(id: number, flags: number, payload: Buffer): void {
    const isPadded = (flags & 8) !== 0;
    const hasPriority = (flags & 32) !== 0;
    const fixed = (isPadded ? 1 : 0) + (hasPriority ? 5 : 0);
    if (payload.length < fixed) throw new Goaway(frameSizeError);
    const padding = isPadded ? (payload[0] as number) : 0;
    if (payload.length < fixed + padding) throw new Goaway(protocolError);
    const dependsOn = hasPriority ? payload.readUInt32BE(isPadded ? 1 : 0) & maxUint31 : -1;
    const bytes = [...payload.subarray(fixed, payload.length - padding)];
    this.block = { id, endStream: (flags & 1) !== 0, dependsOn, bytes, continuations: 0 };
    if ((flags & 4) !== 0) this.blockComplete();
  }

  private continuation(flags: number, payload: Buffer): void {
    const { block } = this;
    if (block === undefined) throw new Goaway(protocolError);
    block.continuations++;
    if (block.continuations > maxContinuations) throw new Goaway(enhanceYourCalm);
    block.bytes.push(...payload);
    if ((flags & 4) !== 0) this.blockComplete();
  }

  private blockComplete(): void {
    const { id, endStream, dependsOn, bytes } = this.block as NonNullable<typeof this.block>;
    this.block = undefined;
    const names = bytes.map((byte) => {
      const name = entries.get(byte);
      if (name === undefined) throw new Goaway(compressionError);
      return name;
    });
    if (this.open.has(id)) {
      if (!endStream) throw new Reset(protocolError);
      if (names.some((name) => name.startsWith(":"))) throw new Reset(protocolError);
      this.finish(id);
      return;
    }
    if (id % 2 === 0) throw new Goaway(protocolError);
    if (id <= this.lastId) {
      if (this.wasReset.has(id)) return;
      throw new Goaway(streamClosed);
    }
    this.lastId = id;
    if (dependsOn === id) throw new Reset(protocolError);
    const pseudo = names.filter((name) => name.startsWith(":"));
    const isInFront = names.slice(0, pseudo.length).every((name) => name.startsWith(":"));
    if (!isInFront || pseudo.sort().join() !== ":method,:path,:scheme") throw new Reset(protocolError);
    this.opened.push(id);
    this.open.set(id, { window: this.initialWindow });
    if (endStream) this.finish(id);
  }

  /** The request is complete, so its answer is too. */
  private finish(id: number): void {
    this.ended.push(id);
    this.open.delete(id);
    this.window -= answerBytes;
  }

  private settings(isAck: boolean, payload: Buffer): void {
    if (isAck ? payload.length > 0 : payload.length % 6 !== 0) throw new Goaway(frameSizeError);
    for (let at = 0; at < payload.length; at += 6) {
      const setting = payload.readUInt16BE(at);
      const value = payload.readUInt32BE(at + 2);
      if (setting === 2 && value > 1) throw new Goaway(protocolError);
      if (setting === 5 && (value < 16_384 || value > 16_777_215)) throw new Goaway(protocolError);
      if (setting !== 4) continue;
      if (value > maxUint31) throw new Goaway(flowControlError);
      for (const stream of this.open.values()) {
        stream.window += value - this.initialWindow;
        if (stream.window > maxUint31) throw new Goaway(flowControlError);
      }
      this.initialWindow = value;
    }
  }

  private goaway(payload: Buffer): void {
    if (payload.length < 8) throw new Goaway(frameSizeError);
    const last = payload.readUInt32BE(0) & maxUint31;
    if (last > this.lastAllowed) throw new Goaway(protocolError);
    this.lastAllowed = last;
    this.isLeaving = true;
  }

  private windowUpdate(id: number, payload: Buffer): void {
    if (payload.length !== 4) throw new Goaway(frameSizeError);
    const increment = payload.readUInt32BE(0) & maxUint31;
    if (id === 0) {
      if (increment === 0) throw new Goaway(protocolError);
      this.window += increment;
      if (this.window > maxUint31) throw new Goaway(flowControlError);
      return;
    }
    if (this.isIdle(id)) throw new Goaway(protocolError);
    const stream = this.open.get(id);
    if (stream === undefined) return;
    if (increment === 0) throw new Reset(protocolError);
    stream.window += increment;
    if (stream.window > maxUint31) throw new Reset(flowControlError);
  }
}

function checkPadding(flags: number, payload: Buffer): void {
  if ((flags & 8) !== 0 && payload.length < 1 + (payload[0] ?? 0)) throw new Goaway(protocolError);
}
