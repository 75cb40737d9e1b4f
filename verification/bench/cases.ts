import type { BenchCase, H2loadWork } from "./case.ts";
import { MESSAGES_PER_STREAM, STREAM_PAYLOAD_BYTES, type StreamSize, UNARY_MESSAGE } from "./peers/echo-values.ts";
import { USERS_PER_PAGE } from "./peers/users.ts";
import type { PolicyName } from "./pick/picker.ts";
import { echoMessage, framed, listUsersRequest, listUsersResponse, streamRequest } from "./wire/grpc-body.ts";

/** Streams open at once in cases where the number does not matter. */
const STREAMS = 10;
/** Payload of a large message: a quarter of the default limit of servers. */
const LARGE_BYTES = 1 << 20;
/** Messages of a call that streams messages of some KiB: enough that the start of the call does not matter. */
const MEDIUM_COUNT = 100;
const MEDIUM_KIBIBYTES = [4, 16, 32] as const;

/** A load of calls with one response message each. */
function serverCalls(name: string, work: Omit<H2loadWork, "kind" | "unitsPerRequest">): BenchCase {
  return {
    name,
    unit: "calls/s",
    per: "call",
    better: "higher",
    work: { ...work, kind: "h2load", unitsPerRequest: 1 },
  };
}

const smallCall = framed(echoMessage({ message: UNARY_MESSAGE }));

function serverUnary(connections: number, streams: number): BenchCase {
  return serverCalls(`server/unary/${connections}x${streams}`, {
    method: "Unary",
    body: smallCall,
    leastResponseBytes: smallCall.length,
    connections,
    streams,
  });
}

/** The handler awaits a timer of one millisecond, which limits the rate. Compare the CPU time. */
function serverTimer(connections: number, streams: number): BenchCase {
  return serverCalls("server/timer", {
    method: "UnaryLater",
    body: smallCall,
    leastResponseBytes: smallCall.length,
    connections,
    streams,
  });
}

function serverList(connections: number, streams: number): BenchCase {
  return serverCalls("server/list", {
    method: "ListUsers",
    body: framed(listUsersRequest(USERS_PER_PAGE)),
    leastResponseBytes: framed(listUsersResponse()).length,
    connections,
    streams,
  });
}

/**
 * The 99th percentile of the latency, measured from the time at which each call was due. The rate is the same for every server. A server that is
 * near its limit at that rate queues calls.
 */
function latency(callsPerSecond: number, without: readonly string[]): BenchCase {
  return {
    name: `latency/${callsPerSecond}`,
    unit: "µs (p99)",
    better: "lower",
    without,
    work: { kind: "open-loop", callsPerSecond, connections: 10 },
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

function clientMediumStream(kibibytes: number): BenchCase {
  const size = { count: MEDIUM_COUNT, payloadSize: kibibytes * 1024 };
  return {
    name: `client/stream/${kibibytes}KiB`,
    unit: "MB/s",
    per: "MB",
    better: "higher",
    work: { kind: "client", call: "stream", concurrency: STREAMS, size, unitsEach: size.payloadSize / 1e6 },
  };
}

function streamWork(size: StreamSize, unitsPerRequest: number): H2loadWork {
  const streamed = framed(echoMessage({ payload: Buffer.alloc(size.payloadSize) }));
  return {
    kind: "h2load",
    method: "ServerStream",
    body: framed(streamRequest(size)),
    leastResponseBytes: streamed.length * size.count,
    connections: STREAMS,
    streams: 1,
    unitsPerRequest,
  };
}

function serverStream(): BenchCase {
  return {
    name: "server/stream",
    unit: "messages/s",
    per: "message",
    better: "higher",
    work: streamWork({ count: MESSAGES_PER_STREAM, payloadSize: STREAM_PAYLOAD_BYTES }, MESSAGES_PER_STREAM),
  };
}

function serverMediumStream(kibibytes: number): BenchCase {
  const size = { count: MEDIUM_COUNT, payloadSize: kibibytes * 1024 };
  return {
    name: `server/stream/${kibibytes}KiB`,
    unit: "MB/s",
    per: "MB",
    better: "higher",
    work: streamWork(size, (size.count * size.payloadSize) / 1e6),
  };
}

function serverLarge(name: string, cold: Pick<H2loadWork, "coldWarmUpSeconds"> = {}): BenchCase {
  const body = framed(echoMessage({ payload: Buffer.alloc(LARGE_BYTES, 0xab) }));
  return {
    name,
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
      ...cold,
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

/** Together with the connections before, fewer than 4096, the file limit of many systems. */
const IDLE_CONNECTIONS = 3000;

/** A JVM allocates its heap in advance, so a connection does not change the memory of the process. */
const TAKES_MEMORY_AHEAD = ["grpc-java"];

function idle(name: string, callsEach: number): BenchCase {
  return {
    name,
    unit: "bytes",
    better: "lower",
    without: TAKES_MEMORY_AHEAD,
    work: { kind: "idle", connections: IDLE_CONNECTIONS, callsEach },
  };
}

const firstAnswer: BenchCase = {
  name: "start/first-answer",
  unit: "ms",
  better: "lower",
  work: { kind: "start", measures: "time", moreCalls: 0 },
};

function memoryAfter(name: string, moreCalls: number): BenchCase {
  return { name, unit: "MiB", better: "lower", work: { kind: "start", measures: "memory", moreCalls } };
}

function overTls(benchCase: BenchCase): BenchCase {
  return { ...benchCase, name: `tls/${benchCase.name}`, isTls: true };
}

/** Every case, in the order of measurement and output. README.md describes the purpose of each. */
export const BENCH_CASES: readonly BenchCase[] = [
  serverUnary(10, 10),
  serverUnary(50, 1),
  serverUnary(1, 1),
  serverUnary(1, 100),
  serverList(10, 10),
  serverTimer(10, 10),
  serverStream(),
  ...MEDIUM_KIBIBYTES.map(serverMediumStream),
  {
    name: "server/client-stream",
    unit: "messages/s",
    per: "message",
    better: "higher",
    // h2 0.4.20 ends a connection when about 2,000 DATA frames below 256 bytes wait ("too_many_data_frames"), which happens with grpc-go's client.
    without: ["tonic", "hyper"],
    work: { kind: "client-stream", streams: STREAMS },
  },
  serverLarge("server/large"),
  serverLarge("server/large-cold", { coldWarmUpSeconds: 2 }),
  clientUnary(1),
  clientUnary(100),
  clientStream(),
  ...MEDIUM_KIBIBYTES.map(clientMediumStream),
  {
    name: "pair/stream",
    unit: "messages/s",
    per: "message",
    better: "higher",
    work: { kind: "pair", concurrency: STREAMS },
  },
  // At the first rate, every server is far below its limit, except connect-node, which is at half of it. At the second rate it would be above.
  latency(2000, []),
  latency(10_000, ["connect-node"]),
  firstAnswer,
  memoryAfter("memory/after-start", 0),
  // One round of connect-node would take four minutes.
  { ...memoryAfter("memory/after-1M-calls", 1_000_000), without: ["connect-node"], maxRounds: 1 },
  idle("memory/idle-connection", 0),
  idle("memory/used-connection", 2),
  {
    name: "memory/open-stream",
    unit: "bytes",
    better: "lower",
    without: TAKES_MEMORY_AHEAD,
    work: { kind: "open-streams", connections: 30, streamsEach: 100 },
  },
  overTls(serverUnary(10, 10)),
  overTls(serverStream()),
  overTls(serverLarge("server/large")),
  overTls(clientUnary(100)),
  overTls(clientStream()),
  ...PICKING_POLICIES.flatMap((policy) => [10, 1000, 10_000].map((endpoints) => pick(policy, endpoints))),
  link("upload", 10, 50),
  link("download", 10, 50),
  link("upload", 25, 50),
  link("download", 25, 50),
  link("upload", 50, 50),
  link("download", 50, 50),
  link("upload", 50, 100),
  link("download", 50, 100),
];
