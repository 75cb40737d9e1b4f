import { maxMaxFrameBytes, maxUint31, minMaxFrameBytes } from "../frame/frame-header.ts";

/** Which streams a peer may have. */
export interface StreamLimits {
  /** Streams open at once, and handlers running at once. Default 200: clients expect at least 100. */
  maxConcurrent: number;
  /**
   * Client: the last identifier that it opens a stream by; then another connection has to replace it. Default three
   * quarters of all, in good time before none is left.
   */
  maxId: number;
  /** A stream whose end waits after data for which the peer opens no window is reset after this. Default 60 s; 0 means never. */
  stallTimeoutMs: number;
}

/** How large a header list may be. */
export interface HeaderLimits {
  /** Size of a header list by RFC 9113 §6.5.2 (name + value + 32 each). Default 16 KiB, the hard limit of several peers. */
  maxListBytes: number;
  /**
   * Server: a request whose header list is larger than this, and within the limit, is accepted and reported as `large_header_list`, because
   * other peers would refuse it. Default 8 KiB, the most that several of them take, or half of `maxListBytes` where that is given;
   * 0 means never.
   */
  largeListBytes: number;
  /** Fields of a header list. Default 128: byte limits do not see many tiny indexed fields (CVE-2026-49975). */
  maxFields: number;
  /** HPACK dynamic table, both directions. Default 4096, what HTTP/2 starts with. */
  tableBytes: number;
  /** Compressed bytes of one header block. Default 32 KiB. */
  maxBlockBytes: number;
  /** CONTINUATION frames after one HEADERS. Default 5 (CVE-2024-28182 and its kin). */
  maxContinuationFrames: number;
}

/** Which frames are read, and how fast. */
export interface FrameLimits {
  /** Largest frame we accept. Default 16,384: larger ones only delay other streams. */
  maxBytes: number;
  /**
   * Frames read from one connection before others get their turn. Each 32 bytes of a header block count as one, and so do eight messages,
   * of which one frame may hold thousands. Default 512, less than 5 ms.
   */
  maxPerTurn: number;
  /** From the first to the last byte of a header block or any other frame. Default 10 s. */
  timeoutMs: number;
}

/** SETTINGS and PING. */
export interface ControlFrameLimits {
  /** Answers to PING and SETTINGS waiting to be sent: at this many we stop reading. Default 100. */
  pauseAtQueued: number;
  /** … and at this many the connection ends. Default 1000 (CVE-2019-9512, CVE-2019-9515). */
  maxQueued: number;
  /** Entries of one SETTINGS frame. Default 32 (CVE-2020-11080). */
  maxSettingsEntries: number;
  /** Pings closer together than this are strikes; after two, the next ends the connection. Default 0: any number is welcome. */
  minPingIntervalMs: number;
  /** The same while no stream is open. Default 0. */
  minIdlePingIntervalMs: number;
}

/** Credit for data that is received. */
export interface WindowLimits {
  /** Receive window that each stream begins with. Default 1 MiB: 80 Mbit/s at 100 ms. */
  streamBytes: number;
  /** Receive window that the connection begins with. Default 1 MiB. */
  connectionBytes: number;
  /**
   * What the connection's window may grow to while the link turns out to be longer or faster, and a stream's to half of it. It
   * bounds what a peer can make us hold: up to this much, the connection gets credit for data that a stream has not used up, so
   * that one that is not read does not stop the others.
   * Default 16 MiB, 1.3 Gbit/s at 100 ms; 0, they stay as they are, when one of the two above is given, because who sets
   * a window means it.
   */
  maxBytes: number;
  /** What the connections of a server may hold in sum beyond the windows that they begin with. Default 256 MiB. */
  sharedGrowthBytes: number;
}

/** Messages of which the rest is still to come, and inflated ones that wait. */
export interface UnfinishedMessageLimits {
  /**
   * Bytes that a connection's streams may hold of messages that are not complete, beyond what their windows hold. Beyond it credit is
   * withheld, so that large messages come one after the other. Messages that the layer above inflates count as well: beyond the limit they
   * wait until others are used up, or have been held for a second. Default 16 MiB, which holds a few messages of a usual limit.
   */
  maxBytes: number;
  /** The same for all connections of a server together. Default 128 MiB, eight connections that use all of theirs. */
  sharedBytes: number;
  /**
   * A stream whose unfinished message brings less than 10 KiB in this time, while others wait for what it holds, is reset. Default 10 s,
   * as for a frame that does not end; 0 means never.
   */
  timeoutMs: number;
}

/** What waits because a peer does not read, or not fast enough. */
export interface OutputLimits {
  /** Bytes of one stream that wait for a window before `sendData` returns false. Default 64 KiB. */
  streamBufferBytes: number;
  /** Bytes that wait in the socket before no stream may add data. Default 1 MiB (CVE-2019-9517). */
  connectionBufferBytes: number;
  /**
   * Bytes of any frames that wait in the socket: from here on we stop reading until all have left. Default 2 MiB, or twice
   * `connectionBufferBytes` where that is more: data in frames of the usual size does not reach it.
   */
  pauseAtBacklogBytes: number;
  /** … and here the connection ends. Default 8 MiB, or eight times `connectionBufferBytes` where that is more. */
  maxBacklogBytes: number;
  /** Bytes that may wait for windows and the socket while the peer takes too little of them for `stallTimeoutMs`. Default 16 MiB, more than 200 streams of 64 KiB. */
  maxStalledBytes: number;
  /** The same for all connections of a server together; beyond, those end whose peers have taken too little for the longest. Default 64 MiB. */
  sharedStalledBytes: number;
  /**
   * Server: bytes of responses that wait for windows and the socket: beyond, new requests of the connection are held before their
   * handlers begin, until less waits. Default 16 MiB, more than 200 streams of 64 KiB, so that streams that are not read hold no other call.
   */
  maxWaitingBytes: number;
  /**
   * The same for all connections of a server together. A single connection may hold up to four times what is left of it, and always
   * `streamBufferBytes`, so that those that hold the most are held first. Default 20 MiB, so that one connection may use all of its own.
   */
  sharedWaitingBytes: number;
  /** So long fewer bytes leave than `minBytesPerSecond` although more wait. Default 30 s. */
  stallTimeoutMs: number;
  /** What a peer has to read while more waits. Default 1 KiB: the slowest mobile link, one GPRS slot, carries 1.1. */
  minBytesPerSecond: number;
}

/** A token bucket: `burst` at once, and more each second. */
export interface Budget {
  burst: number;
  perSecond: number;
}

/** How often a peer may do what costs us more than it costs the peer. */
export interface PeerBudgets {
  /** Resets by the peer. Default 1000 and 33 (CVE-2023-44487). */
  peerResets: Budget;
  /** Resets that the peer makes us send. Default 200 and 10 (CVE-2025-8671). */
  causedResets: Budget;
  /**
   * What a slow server makes honest clients do: resets of calls at their deadline, and requests that are refused because
   * handlers outlive their streams. Default 20,000 and 10,000, five times what 2,000 time-outs a second need.
   */
  excusedResets: Budget;
  /** Streams that are refused because other connections have taken all that there may be. Default 10,000 and 1000. */
  refusals: Budget;
  /** What is legal but pointless: empty DATA, PRIORITY, unknown frames. Default 1000 and 100. */
  glitches: Budget;
}

/** How long a connection stays open. */
export interface LifeLimits {
  /** From the connection's begin to the peer's SETTINGS. Default 10 s. */
  handshakeTimeoutMs: number;
  /** Until the peer acknowledges our SETTINGS. Default 10 s. */
  settingsAckTimeoutMs: number;
  /** A connection without streams is closed after this. Default 15 min, over Unix sockets never; 0 means never. */
  maxIdleMs: number;
  /** A connection older than this is drained, so that clients spread again. Default 0: never. Varied by ±10 %. */
  maxAgeMs: number;
  /**
   * How long a drain for age may take before the connection is closed with what still runs. Default 0, any time, as gRFC A9 has it: who
   * limits the age of connections has not said that calls may be cut off.
   */
  maxAgeGraceMs: number;
}

/**
 * What a connection allows its peer, and how long it waits. Every limit is in force from the first byte, not from the
 * acknowledgement of our SETTINGS on: a peer that never acknowledges must not get more (CVE-2025-53506).
 */
export interface ConnectionLimits {
  streams: StreamLimits;
  headers: HeaderLimits;
  frames: FrameLimits;
  controlFrames: ControlFrameLimits;
  windows: WindowLimits;
  unfinishedMessages: UnfinishedMessageLimits;
  output: OutputLimits;
  budgets: PeerBudgets;
  life: LifeLimits;
}

type Some<T> = { [K in keyof T]?: (T[K] extends object ? Some<T[K]> : T[K]) | undefined };

/** Some of the limits; the others are as they are by default. */
export type ConnectionLimitOptions = Some<ConnectionLimits>;

export const defaultLimits: Readonly<ConnectionLimits> = {
  streams: { maxConcurrent: 200, maxId: Math.floor(maxUint31 * 0.75), stallTimeoutMs: 60_000 },
  headers: {
    maxListBytes: 16_384,
    largeListBytes: 8_192,
    maxFields: 128,
    tableBytes: 4096,
    maxBlockBytes: 32_768,
    maxContinuationFrames: 5,
  },
  frames: { maxBytes: 16_384, maxPerTurn: 512, timeoutMs: 10_000 },
  controlFrames: {
    pauseAtQueued: 100,
    maxQueued: 1000,
    maxSettingsEntries: 32,
    minPingIntervalMs: 0,
    minIdlePingIntervalMs: 0,
  },
  windows: {
    streamBytes: 1_048_576,
    connectionBytes: 1_048_576,
    maxBytes: 16_777_216,
    sharedGrowthBytes: 268_435_456,
  },
  unfinishedMessages: { maxBytes: 16_777_216, sharedBytes: 134_217_728, timeoutMs: 10_000 },
  output: {
    streamBufferBytes: 65_536,
    connectionBufferBytes: 1_048_576,
    pauseAtBacklogBytes: 2_097_152,
    maxBacklogBytes: 8_388_608,
    maxStalledBytes: 16_777_216,
    sharedStalledBytes: 67_108_864,
    maxWaitingBytes: 16_777_216,
    sharedWaitingBytes: 20_971_520,
    stallTimeoutMs: 30_000,
    minBytesPerSecond: 1024,
  },
  budgets: {
    peerResets: { burst: 1000, perSecond: 33 },
    causedResets: { burst: 200, perSecond: 10 },
    excusedResets: { burst: 20_000, perSecond: 10_000 },
    refusals: { burst: 10_000, perSecond: 1000 },
    glitches: { burst: 1000, perSecond: 100 },
  },
  life: {
    handshakeTimeoutMs: 10_000,
    settingsAckTimeoutMs: 10_000,
    maxIdleMs: 900_000,
    maxAgeMs: 0,
    maxAgeGraceMs: 0,
  },
};

/** Of all others: any whole number. */
const ranges: Readonly<Record<string, readonly [min: number, max: number]>> = {
  "streams.maxConcurrent": [0, maxUint31],
  "streams.maxId": [1, maxUint31],
  "headers.tableBytes": [0, 65_536],
  "frames.maxBytes": [minMaxFrameBytes, maxMaxFrameBytes],
  "frames.maxPerTurn": [1, Number.MAX_SAFE_INTEGER],
  "windows.streamBytes": [1, maxUint31],
  "windows.connectionBytes": [65_535, maxUint31],
  "windows.maxBytes": [0, maxUint31],
  // With none of these could anything ever be sent or read.
  "output.streamBufferBytes": [1, Number.MAX_SAFE_INTEGER],
  "output.connectionBufferBytes": [1, Number.MAX_SAFE_INTEGER],
  "output.pauseAtBacklogBytes": [1, Number.MAX_SAFE_INTEGER],
  "output.maxBacklogBytes": [1, Number.MAX_SAFE_INTEGER],
};

/** The defaults with `given` laid over them. Throws a RangeError that names the limit, its value and what it may be. */
export function resolveLimits(given: ConnectionLimitOptions = {}): ConnectionLimits {
  const limits = structuredClone(defaultLimits) as ConnectionLimits;
  const { windows, headers, output } = given;
  if (windows?.streamBytes !== undefined || windows?.connectionBytes !== undefined) limits.windows.maxBytes = 0;
  if (headers?.maxListBytes !== undefined) limits.headers.largeListBytes = Math.floor(headers.maxListBytes / 2);
  if (output?.connectionBufferBytes !== undefined) {
    const { connectionBufferBytes } = output;
    limits.output.pauseAtBacklogBytes = Math.max(limits.output.pauseAtBacklogBytes, 2 * connectionBufferBytes);
    limits.output.maxBacklogBytes = Math.max(limits.output.maxBacklogBytes, 8 * connectionBufferBytes);
  }
  layOver(limits as unknown as Nested, given as Nested, "");
  return limits;
}

interface Nested {
  [name: string]: Nested | number | undefined;
}

function layOver(target: Nested, given: Nested, prefix: string): void {
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const path = prefix + name;
    if (!Object.hasOwn(target, name)) {
      throw new RangeError(
        `unknown limit "${path}"; known are ${Object.keys(target)
          .map((one) => prefix + one)
          .join(", ")}`,
      );
    }
    const known = target[name];
    if (typeof known === "object") {
      if (typeof value !== "object" || value === null) {
        throw new RangeError(
          `the limit ${path} is ${String(value)}; it has to be an object with ${Object.keys(known).join(", ")}`,
        );
      }
      layOver(known, value, `${path}.`);
    } else {
      target[name] = checked(path, value);
    }
  }
}

function checked(path: string, value: Nested | number): number {
  const [min, max] = ranges[path] ?? [0, Number.MAX_SAFE_INTEGER];
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max) return value;
  const shown = typeof value === "number" ? value : typeof value;
  throw new RangeError(`the limit ${path} is ${shown}; it has to be a whole number from ${min} to ${max}`);
}
