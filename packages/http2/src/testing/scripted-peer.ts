import { clientPreface } from "../connection/settings/client-preface.ts";
import { errorCodeName } from "../errors/error-code.ts";
import { Flag, FrameType } from "../frame/frame-type.ts";
import { HpackEncoder } from "../hpack/index.ts";
import { buildFrame, pad, type RawFrame, uint32 } from "./build-frame.ts";
import { WireDecoder } from "./wire-decoder.ts";
import type { WireFrame, WireFrameType } from "./wire-frame.ts";

/** How a scripted peer reaches the side under test. */
export interface PeerWire {
  send(chunk: Uint8Array): void;
  /**
   * Resolves when the other side has surely done all it was going to do, so that what has not come will not come.
   * Undefined where that cannot be known, such as on a real socket.
   */
  settle: (() => Promise<void>) | undefined;
}

/** Options of frames that carry content. */
export interface ContentOptions {
  endStream?: boolean;
  /** Bytes of padding, 0 to 255. Default: the frame is not padded at all. */
  padding?: number;
}

export interface HeadersOptions extends ContentOptions {
  /** Default true; false leaves the block open for `sendContinuation`. */
  endHeaders?: boolean;
  /** Adds the deprecated priority fields, with this dependency. */
  dependsOn?: number;
}

/** The settings of RFC 9113 §6.5.2 by name. */
export interface SettingsValues {
  headerTableSize?: number;
  enablePush?: number;
  maxConcurrentStreams?: number;
  initialWindowSize?: number;
  maxFrameSize?: number;
  maxHeaderListSize?: number;
}

const settingNumbers: Readonly<Record<keyof SettingsValues, number>> = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
};

type FrameOf<T extends WireFrameType> = Extract<WireFrame, { type: T }>;

/**
 * The other end of a connection, played line by line: `send…` puts frames on the wire, right or wrong; `nextFrame` and
 * `expect…` read what the side under test has written. A test that uses it reads like a transcript.
 */
export class ScriptedPeer {
  /** Cuts what is sent into chunks of this many bytes. Default: every call is one chunk. */
  sliceBytes: number = Number.POSITIVE_INFINITY;
  /** Everything the side under test has written, as it stood on the wire, while `recordsWire` is true. */
  readonly wire: Uint8Array[] = [];
  recordsWire = false;
  private readonly channel: PeerWire;
  private readonly encoder = new HpackEncoder();
  private readonly decoder: WireDecoder;
  private readonly frames: WireFrame[] = [];
  private fault: Error | undefined;
  private over = false;
  private wake: (() => void)[] = [];

  constructor(channel: PeerWire) {
    this.channel = channel;
    this.decoder = new WireDecoder((frame) => this.frames.push(frame));
  }

  // ---- what is sent

  /** Bytes as they are, cut by `sliceBytes`. */
  sendRaw(...parts: readonly (Uint8Array | string)[]): void {
    const bytes = Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : part)));
    if (bytes.length <= this.sliceBytes) {
      this.channel.send(bytes);
      return;
    }
    for (let at = 0; at < bytes.length; at += this.sliceBytes) {
      this.channel.send(bytes.subarray(at, at + this.sliceBytes));
    }
  }

  sendFrame(frame: RawFrame): void {
    this.sendRaw(buildFrame(frame));
  }

  /** The 24 bytes that a client opens with (RFC 9113 §3.4); a server under test must be fed by something that expects them. */
  sendPreface(): void {
    this.sendRaw(clientPreface);
  }

  sendSettings(values: SettingsValues | readonly (readonly [setting: number, value: number])[] = {}): void {
    this.sendFrame({ type: FrameType.settings, payload: settingsPayload(values) });
  }

  sendSettingsAck(): void {
    this.sendFrame({ type: FrameType.settings, flags: Flag.ack });
  }

  /** A header block for frames that are put together by hand. The encoder's table moves on: it has to be sent. */
  encodeHeaders(fields: readonly string[]): Buffer {
    const target = Buffer.alloc(this.encoder.maxEncodedBytes(fields));
    return target.subarray(0, this.encoder.encode(fields, target, 0));
  }

  /** `fields` is a flat list, or a block (or the first piece of one) that is sent as it is. */
  sendHeaders(streamId: number, fields: readonly string[] | Uint8Array, options: HeadersOptions = {}): void {
    this.sendRaw(this.headersFrame(streamId, fields, options));
  }

  /** The bytes of a HEADERS frame, to be sent together with others. */
  headersFrame(streamId: number, fields: readonly string[] | Uint8Array, options: HeadersOptions = {}): Buffer {
    let content = fields instanceof Uint8Array ? fields : this.encodeHeaders(fields);
    let flags = contentFlags(options);
    if (options.endHeaders ?? true) flags |= Flag.endHeaders;
    if (options.dependsOn !== undefined) {
      flags |= Flag.priority;
      content = Buffer.concat([uint32(options.dependsOn), Buffer.of(15), content]);
    }
    return buildFrame({ type: FrameType.headers, flags, streamId, payload: pad(content, options.padding) });
  }

  sendContinuation(streamId: number, block: Uint8Array, options: { endHeaders?: boolean } = {}): void {
    const flags = (options.endHeaders ?? true) ? Flag.endHeaders : 0;
    this.sendFrame({ type: FrameType.continuation, flags, streamId, payload: block });
  }

  sendData(streamId: number, data: Uint8Array | string, options: ContentOptions = {}): void {
    const content = typeof data === "string" ? Buffer.from(data, "latin1") : data;
    const flags = contentFlags(options);
    this.sendFrame({ type: FrameType.data, flags, streamId, payload: pad(content, options.padding) });
  }

  sendReset(streamId: number, code: number): void {
    this.sendFrame({ type: FrameType.rstStream, streamId, payload: uint32(code) });
  }

  sendPriority(streamId: number, dependsOn = 0): void {
    this.sendFrame({ type: FrameType.priority, streamId, payload: Buffer.concat([uint32(dependsOn), Buffer.of(15)]) });
  }

  /** `payload` is eight bytes in hexadecimal digits. */
  sendPing(payload = "0000000000000000", options: { ack?: boolean } = {}): void {
    const flags = options.ack === true ? Flag.ack : 0;
    this.sendFrame({ type: FrameType.ping, flags, payload: Buffer.from(payload, "hex") });
  }

  sendGoaway(lastStreamId: number, code: number, debug = ""): void {
    const payload = Buffer.concat([uint32(lastStreamId), uint32(code), Buffer.from(debug, "latin1")]);
    this.sendFrame({ type: FrameType.goaway, payload });
  }

  sendWindowUpdate(streamId: number, increment: number): void {
    this.sendFrame({ type: FrameType.windowUpdate, streamId, payload: uint32(increment) });
  }

  sendPushPromise(streamId: number, promisedId: number, fields: readonly string[]): void {
    const payload = Buffer.concat([uint32(promisedId), this.encodeHeaders(fields)]);
    this.sendFrame({ type: FrameType.pushPromise, flags: Flag.endHeaders, streamId, payload });
  }

  /**
   * Sends SETTINGS, waits for those of the other side and for its acknowledgement, and acknowledges: what every script
   * begins with that is about something else. Returns the other side's first frames up to its acknowledgement.
   */
  async shakeHands(values: SettingsValues = {}): Promise<WireFrame[]> {
    this.sendSettings(values);
    const seen: WireFrame[] = [];
    for (;;) {
      const frame = await this.nextFrame();
      seen.push(frame);
      if (frame.type !== "SETTINGS") continue;
      if (frame.ack) return seen;
      this.sendSettingsAck();
    }
  }

  // ---- what comes back

  /** The frames that have come and were not read yet. */
  get unread(): readonly WireFrame[] {
    return this.frames;
  }

  /** Largest payload that the other side may use from now on: to be set when a SETTINGS_MAX_FRAME_SIZE was sent. */
  set maxFrameBytes(bytes: number) {
    this.decoder.referee.maxFrameBytes = bytes;
  }

  /** The next frame. Rejects when none can come any more. */
  async nextFrame(): Promise<WireFrame> {
    const frame = await this.tryNext();
    if (frame === undefined)
      throw new Error(this.over ? "the connection ended before another frame" : "no frame was received");
    return frame;
  }

  /** Reads frames up to the first of `type` and returns that. */
  async nextOf<T extends WireFrameType>(type: T): Promise<FrameOf<T>> {
    const skipped: string[] = [];
    for (;;) {
      const frame = await this.tryNext();
      if (frame === undefined) throw new Error(`no ${type} was received, only ${skipped.join(", ") || "nothing"}`);
      if (frame.type === type) return frame as FrameOf<T>;
      skipped.push(describeFrame(frame));
    }
  }

  /** Reads frames up to a GOAWAY and verifies its code; its debug data, too, where `debug` says what it is or matches. */
  async expectGoaway(code: number, debug: string | RegExp = /^/): Promise<FrameOf<"GOAWAY">> {
    const frame = await this.nextOf("GOAWAY");
    const isExpected = typeof debug === "string" ? frame.debug === debug : debug.test(frame.debug);
    if (frame.code !== code || !isExpected) {
      throw new Error(`expected GOAWAY ${errorCodeName(code)} ${debug}, got ${describeFrame(frame)}`);
    }
    return frame;
  }

  /** Reads frames up to an RST_STREAM and verifies its stream and code. */
  async expectReset(streamId: number, code: number): Promise<void> {
    const frame = await this.nextOf("RST_STREAM");
    if (frame.streamId !== streamId || frame.code !== code) {
      throw new Error(`expected RST_STREAM ${streamId} ${errorCodeName(code)}, got ${describeFrame(frame)}`);
    }
  }

  /** Verifies that the other side has nothing more to say to what was sent so far. */
  async expectNothingMore(): Promise<void> {
    if (this.channel.settle === undefined) await this.roundTrip();
    else await this.channel.settle();
    this.throwFault();
    if (this.frames.length > 0)
      throw new Error(`expected no more frames, got ${this.frames.map(describeFrame).join(", ")}`);
    if (this.decoder.isInsideFrame) throw new Error("the last frame is incomplete");
  }

  /** Verifies that the connection is alive: the next frame is the acknowledgement of a PING. */
  async expectAlive(): Promise<void> {
    const payload = "7465726365 6c3031".replaceAll(" ", "");
    this.sendPing(payload);
    const frame = await this.nextFrame();
    if (frame.type !== "PING" || !frame.ack || frame.payload !== payload) {
      throw new Error(`expected the acknowledgement of a PING, got ${describeFrame(frame)}`);
    }
  }

  /** Resolves when the other side has ended or destroyed the connection; frames received before can still be read. */
  async whenClosed(): Promise<void> {
    if (this.channel.settle !== undefined) {
      await this.channel.settle();
      if (!this.over) throw new Error("the connection is still open");
    }
    while (!this.over) await this.change();
    this.throwFault();
  }

  // ---- what the wire's owner calls

  receive(chunk: Uint8Array): void {
    if (this.recordsWire) this.wire.push(Buffer.from(chunk));
    try {
      if (this.fault === undefined) this.decoder.receive(chunk);
    } catch (error) {
      this.fault = error as Error;
    }
    this.changed();
  }

  closed(): void {
    this.over = true;
    this.changed();
  }

  private async roundTrip(): Promise<void> {
    const payload = "7465726365006c02";
    this.sendPing(payload);
    const isAnswer = (frame: WireFrame): boolean => frame.type === "PING" && frame.ack && frame.payload === payload;
    for (;;) {
      this.throwFault();
      const at = this.frames.findIndex(isAnswer);
      if (at !== -1) {
        this.frames.splice(at, 1);
        return;
      }
      if (this.over) throw new Error("the connection ended");
      await this.change();
    }
  }

  private async tryNext(): Promise<WireFrame | undefined> {
    if (this.frames.length === 0) await this.channel.settle?.();
    for (;;) {
      this.throwFault();
      const frame = this.frames.shift();
      if (frame !== undefined || this.over || this.channel.settle !== undefined) return frame;
      await this.change();
    }
  }

  private throwFault(): void {
    if (this.fault !== undefined) throw this.fault;
  }

  private change(): Promise<void> {
    return new Promise((resolve) => this.wake.push(resolve));
  }

  private changed(): void {
    const { wake } = this;
    this.wake = [];
    for (const resolve of wake) resolve();
  }
}

/** One line for messages. */
export function describeFrame(frame: WireFrame): string {
  return JSON.stringify(frame, (name, value) => {
    if (name === "code") return errorCodeName(value as number);
    const { data } = (value ?? {}) as { data?: unknown };
    return Array.isArray(data) && data.length > 32 ? `${data.length} bytes` : value;
  });
}

function settingsPayload(values: SettingsValues | readonly (readonly [number, number])[]): Buffer {
  const entries = isEntries(values)
    ? values
    : Object.entries(values).map(
        ([name, value]) => [settingNumbers[name as keyof SettingsValues], value as number] as const,
      );
  const payload = Buffer.alloc(entries.length * 6);
  entries.forEach(([setting, value], index) => {
    payload.writeUInt16BE(setting, index * 6);
    payload.writeUInt32BE(value, index * 6 + 2);
  });
  return payload;
}

function isEntries(
  values: SettingsValues | readonly (readonly [number, number])[],
): values is readonly (readonly [number, number])[] {
  return Array.isArray(values);
}

function contentFlags(options: ContentOptions): number {
  return (options.endStream === true ? Flag.endStream : 0) | (options.padding === undefined ? 0 : Flag.padded);
}
