import { maxMaxFrameBytes, maxUint31, minMaxFrameBytes } from "../frame/frame-header.ts";

/**
 * What a connection allows its peer, and how long it waits. Every limit is in force from the first byte, not from the
 * acknowledgement of our SETTINGS on: a peer that never acknowledges must not get more (CVE-2025-53506).
 */
export interface ConnectionLimits {
  /** Streams open at once, and handlers running at once. Default 200: clients expect at least 100. */
  maxConcurrentStreams: number;
  /** Size of a header list by RFC 9113 §6.5.2 (name + value + 32 each). Default 16 KiB, the hard limit of several peers. */
  maxHeaderListBytes: number;
  /**
   * Server: a request whose header list is larger than this, and within the limit, is taken and told of as `large_header_list`, because
   * other peers would refuse it. Default 8 KiB, the most that several of them take, or half of `maxHeaderListBytes` where that is given;
   * 0 means never.
   */
  largeHeaderListBytes: number;
  /** Fields of a header list. Default 128: byte limits do not see many tiny indexed fields (CVE-2026-49975). */
  maxHeaderFields: number;
  /** HPACK dynamic table, both directions. Default 4096, what HTTP/2 starts with. */
  headerTableBytes: number;
  /** Receive window that each stream begins with. Default 1 MiB: 80 Mbit/s at 100 ms. */
  streamWindowBytes: number;
  /** Receive window that the connection begins with. Default 1 MiB. */
  connectionWindowBytes: number;
  /**
   * What the connection's window may grow to while the link turns out to be longer or faster, and a stream's to half of it. It
   * bounds what a peer can make us hold: up to this much, the connection gets credit for data that a stream has not used up, so
   * that one that is not read does not stop the others.
   * Default 16 MiB, 1.3 Gbit/s at 100 ms; 0, they stay as they are, when one of the two above is given, because who sets
   * a window means it.
   */
  maxReceiveWindowBytes: number;
  /** What the connections of a server may hold in sum beyond the windows that they begin with. Default 256 MiB. */
  sharedWindowGrowthBytes: number;
  /**
   * Bytes that a connection's streams may hold of messages that are not complete, beyond what their windows hold. Beyond it credit is
   * withheld, so that large messages come one after the other. Messages that the layer above inflates count as well: beyond the limit they
   * wait until others are used up, or have been held for a second. Default 16 MiB, which holds a few messages of a usual limit.
   */
  maxUnfinishedBytes: number;
  /** The same for all connections of a server together. Default 128 MiB, eight connections that use all of theirs. */
  sharedUnfinishedBytes: number;
  /**
   * A stream whose unfinished message brings less than 10 KiB in this time, while others wait for what it holds, is reset. Default 10 s,
   * as for a frame that does not end; 0 means never.
   */
  unfinishedTimeoutMs: number;
  /** Largest frame we accept. Default 16,384: larger ones only delay other streams. */
  maxFrameBytes: number;
  /** CONTINUATION frames behind one HEADERS. Default 5 (CVE-2024-28182 and its kin). */
  maxContinuationFrames: number;
  /** Compressed bytes of one header block. Default 32 KiB. */
  maxHeaderBlockBytes: number;
  /** Entries of one SETTINGS frame. Default 32 (CVE-2020-11080). */
  maxSettingsEntries: number;
  /** Answers to PING and SETTINGS waiting to be sent: at this many we stop reading. Default 100. */
  pauseAtQueuedControlFrames: number;
  /** … and at this many the connection ends. Default 1000 (CVE-2019-9512, CVE-2019-9515). */
  maxQueuedControlFrames: number;
  /** Bytes of one stream that wait for a window before `sendData` asks its caller to pause. Default 64 KiB. */
  streamSendBufferBytes: number;
  /** Bytes that wait in the socket before no stream may add data. Default 1 MiB (CVE-2019-9517). */
  connectionSendBufferBytes: number;
  /**
   * Bytes of any frames that wait in the socket: from here on we stop reading until all have left. Default 2 MiB, or twice
   * `connectionSendBufferBytes` where that is more: data in frames of the usual size does not reach it.
   */
  pauseAtBacklogBytes: number;
  /** … and here the connection ends. Default 8 MiB, or eight times `connectionSendBufferBytes` where that is more. */
  maxBacklogBytes: number;
  /** Bytes that may wait for windows and the socket while the peer takes too little of them for `writeStallTimeoutMs`. Default 16 MiB, more than 200 streams of 64 KiB. */
  maxStalledOutputBytes: number;
  /** The same for all connections of a server together; beyond, those end whose peers have taken too little for the longest. Default 64 MiB. */
  sharedStalledOutputBytes: number;
  /**
   * Server: bytes of responses that wait for windows and the socket: beyond, new requests of the connection are held before their
   * handlers begin, until less waits. Default 16 MiB, more than 200 streams of 64 KiB, so that streams that are not read hold no other call.
   */
  maxWaitingOutputBytes: number;
  /**
   * The same for all connections of a server together. A single connection may hold up to four times what is left of it, and always
   * `streamSendBufferBytes`, so that those that hold the most are held first. Default 20 MiB, so that one connection may use all of its own.
   */
  sharedWaitingOutputBytes: number;
  /** Token bucket for streams that are refused because other connections have taken all there may be. Default 10,000 and 1000. */
  refusalBurst: number;
  refusalsPerSecond: number;
  /**
   * Token bucket for what a slow server makes honest clients do: resets of calls at their deadline, and requests that are refused because
   * handlers outlive their streams. Default 20,000 and 10,000, five times what 2,000 time-outs a second need.
   */
  excusedBurst: number;
  excusedPerSecond: number;
  /** Token bucket for resets by the peer: burst and refill per second. Default 1000 and 33 (CVE-2023-44487). */
  peerResetBurst: number;
  peerResetsPerSecond: number;
  /** Token bucket for resets that the peer makes us send. Default 200 and 10 (CVE-2025-8671). */
  causedResetBurst: number;
  causedResetsPerSecond: number;
  /** Token bucket for what is legal but pointless: empty DATA, PRIORITY, unknown frames. Default 1000 and 100. */
  glitchBurst: number;
  glitchesPerSecond: number;
  /** From the connection's begin to the peer's SETTINGS. Default 10 s. */
  handshakeTimeoutMs: number;
  /** Until the peer acknowledges our SETTINGS. Default 10 s. */
  settingsAckTimeoutMs: number;
  /** From the first to the last byte of a header block or any other frame. Default 10 s. */
  frameTimeoutMs: number;
  /** A connection without streams is closed after this. Default 15 min, over Unix sockets never; 0 means never. */
  maxIdleMs: number;
  /** So long fewer bytes leave than `minWriteBytesPerSecond` although more wait. Default 30 s. */
  writeStallTimeoutMs: number;
  /** What a peer has to read while more waits. Default 1 KiB: the slowest mobile link, one GPRS slot, carries 1.1. */
  minWriteBytesPerSecond: number;
  /** A stream whose end waits behind data that the peer gives no window for is reset after this. Default 60 s; 0 means never. */
  streamStallTimeoutMs: number;
  /** Pings closer together than this are strikes; after two, the next ends the connection. Default 0: any number is welcome. */
  minPingIntervalMs: number;
  /** The same while no stream is open. Default 0. */
  minIdlePingIntervalMs: number;
  /** A connection older than this is drained, so that clients spread again. Default 0: never. Varied by ±10 %. */
  maxAgeMs: number;
  /**
   * How long a drain for age may take before the connection is closed with what still runs. Default 0, any time, as gRFC A9 has it: who
   * limits the age of connections has not said that calls may be cut off.
   */
  maxAgeGraceMs: number;
  /**
   * Client: the last identifier that it opens a stream by; then it asks to be replaced by another connection. Default three
   * quarters of all, in good time before none is left.
   */
  maxStreamId: number;
  /**
   * Frames read from one connection before others get their turn. Each 32 bytes of a header block count as one, and so do eight messages,
   * of which one frame may hold thousands. Default 512, less than 5 ms.
   */
  maxFramesPerTurn: number;
}

export const defaultLimits: Readonly<ConnectionLimits> = {
  maxConcurrentStreams: 200,
  maxHeaderListBytes: 16_384,
  largeHeaderListBytes: 8_192,
  maxHeaderFields: 128,
  headerTableBytes: 4096,
  streamWindowBytes: 1_048_576,
  connectionWindowBytes: 1_048_576,
  maxReceiveWindowBytes: 16_777_216,
  sharedWindowGrowthBytes: 268_435_456,
  maxUnfinishedBytes: 16_777_216,
  sharedUnfinishedBytes: 134_217_728,
  unfinishedTimeoutMs: 10_000,
  maxFrameBytes: 16_384,
  maxContinuationFrames: 5,
  maxHeaderBlockBytes: 32_768,
  maxSettingsEntries: 32,
  pauseAtQueuedControlFrames: 100,
  maxQueuedControlFrames: 1000,
  streamSendBufferBytes: 65_536,
  connectionSendBufferBytes: 1_048_576,
  pauseAtBacklogBytes: 2_097_152,
  maxBacklogBytes: 8_388_608,
  maxStalledOutputBytes: 16_777_216,
  sharedStalledOutputBytes: 67_108_864,
  maxWaitingOutputBytes: 16_777_216,
  sharedWaitingOutputBytes: 20_971_520,
  refusalBurst: 10_000,
  refusalsPerSecond: 1000,
  excusedBurst: 20_000,
  excusedPerSecond: 10_000,
  peerResetBurst: 1000,
  peerResetsPerSecond: 33,
  causedResetBurst: 200,
  causedResetsPerSecond: 10,
  glitchBurst: 1000,
  glitchesPerSecond: 100,
  handshakeTimeoutMs: 10_000,
  settingsAckTimeoutMs: 10_000,
  frameTimeoutMs: 10_000,
  maxIdleMs: 900_000,
  writeStallTimeoutMs: 30_000,
  minWriteBytesPerSecond: 1024,
  streamStallTimeoutMs: 60_000,
  minPingIntervalMs: 0,
  minIdlePingIntervalMs: 0,
  maxAgeMs: 0,
  maxAgeGraceMs: 0,
  maxStreamId: Math.floor(maxUint31 * 0.75),
  maxFramesPerTurn: 512,
};

const ranges: Partial<Record<keyof ConnectionLimits, readonly [min: number, max: number]>> = {
  maxConcurrentStreams: [0, maxUint31],
  maxStreamId: [1, maxUint31],
  streamWindowBytes: [1, maxUint31],
  connectionWindowBytes: [65_535, maxUint31],
  maxReceiveWindowBytes: [0, maxUint31],
  maxFrameBytes: [minMaxFrameBytes, maxMaxFrameBytes],
  headerTableBytes: [0, 65_536],
  // With none of these could anything ever be sent or read.
  streamSendBufferBytes: [1, Number.MAX_SAFE_INTEGER],
  connectionSendBufferBytes: [1, Number.MAX_SAFE_INTEGER],
  pauseAtBacklogBytes: [1, Number.MAX_SAFE_INTEGER],
  maxBacklogBytes: [1, Number.MAX_SAFE_INTEGER],
  maxFramesPerTurn: [1, Number.MAX_SAFE_INTEGER],
};

/** The defaults with `given` laid over them. Throws a RangeError that names the limit, its value and what it may be. */
export function resolveLimits(given: Partial<ConnectionLimits> = {}): ConnectionLimits {
  const limits = { ...defaultLimits };
  const hasWindow = given.streamWindowBytes !== undefined || given.connectionWindowBytes !== undefined;
  if (hasWindow) limits.maxReceiveWindowBytes = 0;
  if (given.maxHeaderListBytes !== undefined) limits.largeHeaderListBytes = Math.floor(given.maxHeaderListBytes / 2);
  if (given.connectionSendBufferBytes !== undefined) {
    limits.pauseAtBacklogBytes = Math.max(limits.pauseAtBacklogBytes, 2 * given.connectionSendBufferBytes);
    limits.maxBacklogBytes = Math.max(limits.maxBacklogBytes, 8 * given.connectionSendBufferBytes);
  }
  for (const [name, value] of Object.entries(given) as [keyof ConnectionLimits, number | undefined][]) {
    if (value === undefined) continue;
    if (!Object.hasOwn(defaultLimits, name)) {
      throw new RangeError(`unknown limit "${name}"; known are ${Object.keys(defaultLimits).join(", ")}`);
    }
    const [min, max] = ranges[name] ?? [0, Number.MAX_SAFE_INTEGER];
    if (!Number.isSafeInteger(value) || value < min || value > max) {
      throw new RangeError(`${name} is ${value}; it has to be a whole number from ${min} to ${max}`);
    }
    limits[name] = value;
  }
  return limits;
}
