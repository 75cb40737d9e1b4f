import { MESSAGES_PER_STREAM, STREAM_PAYLOAD_BYTES, UNARY_MESSAGE } from "./peers/echo-values.ts";
import type { PolicyName } from "./pick/picker.ts";
import { echoMessage, framed, streamRequest } from "./wire/grpc-body.ts";

/** One thing that is measured of every subject. */
export interface BenchCase {
  /** `<side>/<what>`; a word of the command line chooses by it. */
  name: string;
  /** Unit of the value. */
  unit: string;
  /** What the CPU time is counted for: one of this. */
  per?: string;
  better: "higher" | "lower";
  /** Over TLS, of those subjects that can. */
  isTls?: true;
  work: H2loadWork | ClientStreamWork | ClientWork | IdleWork | OpenStreamsWork | LatencyWork | LinkWork | PickWork;
}

/** h2load sends the same request over and over to the server under test. */
export interface H2loadWork {
  kind: "h2load";
  method: "Unary" | "ServerStream";
  body: Buffer;
  /** Bytes of a whole answer, from a server that sends no empty fields. */
  leastResponseBytes: number;
  connections: number;
  streams: number;
  /** Units of the case in one request. */
  unitsPerRequest: number;
}

/** The fixed client streams messages to the server under test. */
export interface ClientStreamWork {
  kind: "client-stream";
  streams: number;
}

/** The client under test calls the fixed server. */
export interface ClientWork {
  kind: "client";
  call: "unary" | "stream";
  concurrency: number;
}

/** Connections are opened to the server under test, and left alone when it has answered the calls on each. */
export interface IdleWork {
  kind: "idle";
  connections: number;
  callsEach: number;
}

/** A load-balancing policy picks among connected endpoints; Tercel's alone, because the peers' cannot be had on their own. */
export interface PickWork {
  kind: "pick";
  policy: PolicyName;
  endpoints: number;
}

/** Streams are opened to the server under test that send one message and do not end. */
export interface OpenStreamsWork {
  kind: "open-streams";
  connections: number;
  streamsEach: number;
}

/** h2load sends requests at half of the rate that the server under test can answer. */
export interface LatencyWork extends Omit<H2loadWork, "kind"> {
  kind: "latency";
}

/** Tercel's client and server move data over a link that is slower and longer than this machine's. */
export interface LinkWork {
  kind: "link";
  direction: "upload" | "download";
  bytesPerSecond: number;
  /** There and back. */
  roundTripMs: number;
}

/** Streams open at a time where the number is not the point of the case. */
const STREAMS = 10;
/** Payload of a large message: a quarter of the size that servers accept by default. */
const LARGE_BYTES = 1 << 20;

function serverUnary(connections: number, streams: number): BenchCase {
  const body = framed(echoMessage({ message: UNARY_MESSAGE }));
  return {
    name: `server/unary/${connections}x${streams}`,
    unit: "calls/s",
    per: "call",
    better: "higher",
    work: {
      kind: "h2load",
      method: "Unary",
      body,
      leastResponseBytes: body.length,
      connections,
      streams,
      unitsPerRequest: 1,
    },
  };
}

/** The time within which 99 of 100 calls are answered while the server is half busy. */
function latency(connections: number, streams: number): BenchCase {
  const { work } = serverUnary(connections, streams);
  return {
    name: `latency/unary/${connections}x${streams}`,
    unit: "µs (p99)",
    better: "lower",
    work: { ...(work as H2loadWork), kind: "latency" },
  };
}

function clientUnary(concurrency: number): BenchCase {
  return {
    name: `client/unary/${concurrency}`,
    unit: "calls/s",
    per: "call",
    better: "higher",
    work: { kind: "client", call: "unary", concurrency },
  };
}

function clientStream(): BenchCase {
  return {
    name: "client/stream",
    unit: "messages/s",
    per: "message",
    better: "higher",
    work: { kind: "client", call: "stream", concurrency: STREAMS },
  };
}

function serverStream(): BenchCase {
  const streamed = framed(echoMessage({ payload: Buffer.alloc(STREAM_PAYLOAD_BYTES) }));
  return {
    name: "server/stream",
    unit: "messages/s",
    per: "message",
    better: "higher",
    work: {
      kind: "h2load",
      method: "ServerStream",
      body: framed(streamRequest({ count: MESSAGES_PER_STREAM, payloadSize: STREAM_PAYLOAD_BYTES })),
      leastResponseBytes: streamed.length * MESSAGES_PER_STREAM,
      connections: STREAMS,
      streams: 1,
      unitsPerRequest: MESSAGES_PER_STREAM,
    },
  };
}

function serverLarge(): BenchCase {
  const body = framed(echoMessage({ payload: Buffer.alloc(LARGE_BYTES, 0xab) }));
  return {
    name: "server/large",
    unit: "MB/s",
    per: "MB",
    better: "higher",
    work: {
      kind: "h2load",
      method: "Unary",
      body,
      leastResponseBytes: body.length,
      connections: 4,
      streams: 1,
      unitsPerRequest: LARGE_BYTES / 1e6,
    },
  };
}

function pick(policy: PolicyName, endpoints: number): BenchCase {
  return {
    name: `pick/${policy}/${endpoints}`,
    unit: "picks/s",
    per: "pick",
    better: "higher",
    work: { kind: "pick", policy, endpoints },
  };
}

const PICKING_POLICIES: readonly PolicyName[] = [
  "pick_first",
  "round_robin",
  "random",
  "least_request",
  "weighted_round_robin",
  "ring_hash",
  "outlier_detection",
];

function link(direction: "upload" | "download", megabytesPerSecond: number, roundTripMs: number): BenchCase {
  return {
    name: `link/${direction}/${megabytesPerSecond}MBps-${roundTripMs}ms`,
    unit: "% of the link",
    better: "higher",
    work: { kind: "link", direction, bytesPerSecond: megabytesPerSecond * 1e6, roundTripMs },
  };
}

/** With those that are opened before them, they are below 4096: what many systems let a process have open. */
const IDLE_CONNECTIONS = 3000;

function idle(name: string, callsEach: number): BenchCase {
  return { name, unit: "bytes", better: "lower", work: { kind: "idle", connections: IDLE_CONNECTIONS, callsEach } };
}

function overTls(benchCase: BenchCase): BenchCase {
  return { ...benchCase, name: `tls/${benchCase.name}`, isTls: true };
}

/** Every case, in the order in which they run and are shown. README.md says what each of them is for. */
export const BENCH_CASES: readonly BenchCase[] = [
  serverUnary(10, 10),
  serverUnary(50, 1),
  serverUnary(1, 1),
  serverUnary(1, 100),
  serverStream(),
  {
    name: "server/client-stream",
    unit: "messages/s",
    per: "message",
    better: "higher",
    work: { kind: "client-stream", streams: STREAMS },
  },
  serverLarge(),
  clientUnary(1),
  clientUnary(100),
  clientStream(),
  idle("memory/idle-connection", 0),
  idle("memory/used-connection", 2),
  ...PICKING_POLICIES.flatMap((policy) => [10, 1000, 10_000].map((endpoints) => pick(policy, endpoints))),
  {
    name: "memory/open-stream",
    unit: "bytes",
    better: "lower",
    work: { kind: "open-streams", connections: 30, streamsEach: 100 },
  },
  latency(10, 10),
  overTls(serverUnary(10, 10)),
  overTls(serverStream()),
  overTls(serverLarge()),
  overTls(clientUnary(100)),
  overTls(clientStream()),
  link("upload", 10, 50),
  link("download", 10, 50),
  link("upload", 25, 50),
  link("download", 25, 50),
  link("upload", 50, 50),
  link("download", 50, 50),
  link("upload", 50, 100),
  link("download", 50, 100),
];
