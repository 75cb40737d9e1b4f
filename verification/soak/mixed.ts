import { setTimeout as sleep } from "node:timers/promises";
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { type Channel, createChannel, gzipCompression } from "@tercel/grpc";
import { createFaultProxy, type FaultProxy, type Faults } from "@tercel/http2/testing";
import { LoadService } from "./gen/tercel/soak/v1/load_pb.ts";
import { type MemorySample, mebibytes, sampleMemory } from "./memory.ts";
import type { SoakOptions } from "./options.ts";
import { Pace } from "./pace.ts";
import { startServerProcess } from "./server/server-process.ts";

const defaultSeconds = 1800;
const defaultCallsPerSecond = 400;
const portionsPerSecond = 50;
/** The limit of running calls, so that a slow machine makes fewer calls instead of late ones. */
const maxUnderWay = 256;
const lineCount = 4;
/** The network changes this often. */
const faultsEveryMs = 2000;
/** The interval of output lines. A run has at least ten. */
const maxLineEveryMs = 60_000;
const minLines = 10;
/** The warm-up, in which pools are filled and code is compiled. */
const warmUpShare = 0.3;
/** The allowed growth after the warm-up, because garbage collection is not exact. */
const toleratedGrowthBytes = 8 * 2 ** 20;

/** The states of the network, in turn. */
const networks: readonly (readonly [toServer: Faults, toClient: Faults])[] = [
  [{}, {}],
  [
    { latencyMs: 20, jitterMs: 20 },
    { latencyMs: 20, jitterMs: 20 },
  ],
  [{ sliceBytes: 7 }, { sliceBytes: 11 }],
  [{ bytesPerSecond: 2_000_000 }, { bytesPerSecond: 1_000_000 }],
  [{ after: { bytes: 50_000, fault: "reset" } }, {}],
  [{}, { after: { bytes: 70_000, fault: "half-close" } }],
  [{ after: { bytes: 90_000, fault: "black hole" } }, {}],
];

/** The codes with which a call over the faulty network may end. */
const bearable: readonly Code[] = [Code.Unavailable, Code.DeadlineExceeded, Code.Canceled];

interface Line {
  readonly client: Client<typeof LoadService>;
  readonly channel: Channel;
  /** Whether only the client's deadlines and cancellations may end a call. */
  readonly isSafe: boolean;
}

/**
 * Calls of every kind and size, some compressed, cancelled or with short deadlines, over a good connection and over a network that delays, splits
 * and breaks connections. No call over the good connection may fail. The failures over the other must be explained by broken connections.
 * Neither process may grow.
 */
export async function mixed(options: SoakOptions): Promise<boolean> {
  const seconds = options.seconds ?? defaultSeconds;
  const rate = options.rate ?? defaultCallsPerSecond;
  const server = await startServerProcess();
  const proxy = await createFaultProxy({ target: { host: "127.0.0.1", port: server.port } });
  const open = (port: number, isSafe: boolean, given = {}): Line => {
    const channel = createChannel(`127.0.0.1:${port}`, { keepalive: { timeMs: 10_000, timeoutMs: 1000 }, ...given });
    return { channel, client: createClient(LoadService, channel), isSafe };
  };
  const lines = [
    open(server.port, true),
    open(server.port, true, { sendCompression: gzipCompression }),
    open(proxy.address.port, false),
    open(proxy.address.port, false, { sendCompression: gzipCompression, waitForReady: true }),
  ];
  const tally = new Tally();
  const startedMs = performance.now();
  const elapsedMs = (): number => performance.now() - startedMs;
  const isOver = (): boolean => elapsedMs() >= seconds * 1000;
  const samples: Sample[] = [];

  const spoiling = spoil(proxy, isOver);
  const watching = (async (): Promise<void> => {
    const lineEveryMs = Math.min(maxLineEveryMs, (seconds * 1000) / minLines);
    for (let at = 1; !isOver(); at++) {
      await sleep(Math.max(0, at * lineEveryMs - elapsedMs()));
      const sample = { atMs: elapsedMs(), server: await server.memory(), client: sampleMemory() };
      samples.push(sample);
      console.log(
        `${Math.round(sample.atMs / 1000)} s: ${tally.describe()}; ${describe("server", sample.server)}; ${describe("client", sample.client)}`,
      );
    }
  })();

  const pace = new Pace(rate, maxUnderWay);
  const underWay = new Set<Promise<void>>();
  while (!isOver()) {
    const first = pace.begun;
    const taken = pace.take(elapsedMs(), underWay.size);
    for (let id = first; id < first + taken; id++) {
      const call = makeCall(lines[id % lineCount] as Line, id, tally).finally(() => underWay.delete(call));
      underWay.add(call);
    }
    await sleep(1000 / portionsPerSecond);
  }
  await Promise.all([spoiling, watching, ...underWay]);
  await Promise.all(lines.map(({ channel }) => channel.close()));
  await proxy.close();
  const left = await server.activity();
  await server.stop();

  for (const problem of tally.problems) console.log(problem);
  const grown = [growth("server", samples), growth("client", samples)];
  console.log(
    `mixed: ${pace.describe()}, ${tally.describe()} in ${seconds} s, ${left.running} handlers left; ${grown.map(({ text }) => text).join("; ")}`,
  );
  return tally.problems.length === 0 && left.running === 0 && grown.every(({ isFlat }) => isFlat);
}

interface Sample {
  readonly atMs: number;
  readonly server: MemorySample;
  readonly client: MemorySample;
}

/** The growth of heap and buffers from the median after the warm-up to the median at the end. RSS is only shown. */
function growth(side: "server" | "client", samples: readonly Sample[]): { text: string; isFlat: boolean } {
  const warm = samples.slice(Math.floor(samples.length * warmUpShare));
  const third = Math.max(1, Math.floor(warm.length / 3));
  const over = (of: (memory: MemorySample) => number): number =>
    median(warm.slice(-third).map((sample) => of(sample[side]))) -
    median(warm.slice(0, third).map((sample) => of(sample[side])));
  const held = over(({ heapBytes, externalBytes }) => heapBytes + externalBytes);
  const rss = over(({ rssBytes }) => rssBytes);
  return { text: `${side} grew by ${mebibytes(held)} (RSS ${mebibytes(rss)})`, isFlat: held <= toleratedGrowthBytes };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function describe(side: string, { heapBytes, externalBytes, rssBytes }: MemorySample): string {
  return `${side} heap ${mebibytes(heapBytes)} + ${mebibytes(externalBytes)}, RSS ${mebibytes(rssBytes)}`;
}

/** Changes the network every two seconds, and sometimes breaks its connections. */
async function spoil(proxy: FaultProxy, isOver: () => boolean): Promise<void> {
  for (let at = 1; !isOver(); at++) {
    await sleep(faultsEveryMs);
    const [toServer, toClient] = networks[at % networks.length] as (typeof networks)[number];
    proxy.options.toServer = toServer;
    proxy.options.toClient = toClient;
    // Existing connections keep their state, so a change needs new ones.
    if (at % 5 === 4) proxy.blackHoleAll();
    else proxy.resetAll();
  }
}

class Tally {
  readonly problems: string[] = [];
  private well = 0;
  private readonly codes = new Map<Code, number>();

  succeeded(): void {
    this.well++;
  }

  failed(code: Code): void {
    this.codes.set(code, (this.codes.get(code) ?? 0) + 1);
  }

  /** The number of shown failures. */
  problem(text: string): void {
    if (this.problems.length < 20) this.problems.push(text);
  }

  describe(): string {
    const failures = [...this.codes].map(([code, count]) => `, ${count} ${Code[code]}`).join("");
    return `${this.well} calls well${failures}`;
  }
}

async function makeCall({ client, isSafe }: Line, id: number, tally: Tally): Promise<void> {
  const abort = new AbortController();
  const cancelsAtMs = Math.random() < 0.05 ? 5 * Math.random() : undefined;
  const isLate = cancelsAtMs === undefined && Math.random() < 0.05;
  const timer = cancelsAtMs === undefined ? undefined : setTimeout(() => abort.abort(), cancelsAtMs);
  const options = { signal: abort.signal, timeoutMs: isLate ? 20 : 15_000 };
  try {
    // Every kind over every connection.
    const kind = callKind[Math.floor(id / lineCount) % callKind.length];
    await kind?.(client, id, isLate ? 10_000 : 0, options);
    tally.succeeded();
  } catch (reason) {
    const error = ConnectError.from(reason);
    tally.failed(error.code);
    const isOurs =
      (cancelsAtMs !== undefined && error.code === Code.Canceled) || (isLate && error.code === Code.DeadlineExceeded);
    if (isOurs || (!isSafe && bearable.includes(error.code))) return;
    tally.problem(`call ${id} over ${isSafe ? "a sound connection" : "a faulty network"} failed: ${error.message}`);
  } finally {
    clearTimeout(timer);
  }
}

type CallOptions = { readonly signal: AbortSignal; readonly timeoutMs: number };
type CallKind = (
  client: Client<typeof LoadService>,
  id: number,
  delayMs: number,
  options: CallOptions,
) => Promise<void>;

const callKind: readonly CallKind[] = [
  async (client, id, delayMs, options) => {
    const payload = new Uint8Array(randomSize());
    const answerBytes = randomSize();
    const response = await client.unary({ id, payload, answerBytes, delayMs }, options);
    check(response.id === id && response.receivedBytes === BigInt(payload.length), "another call's answer");
    checkPayload(response.payload, id, answerBytes);
  },
  async (client, id, delayMs, options) => {
    const [answers, answerBytes] = [Math.floor(30 * Math.random()), randomSize() >> 3];
    let seen = 0;
    for await (const response of client.serverStream({ id, answers, answerBytes, delayMs }, options)) {
      checkPayload(response.payload, id, answerBytes);
      seen++;
    }
    check(seen === answers, `${seen} answers of ${answers}`);
  },
  async (client, id, delayMs, options) => {
    const sizes = Array.from({ length: 10 }, () => randomSize() >> 3);
    const response = await client.clientStream(
      (async function* () {
        for (const size of sizes) yield { id, payload: new Uint8Array(size) };
        if (delayMs > 0) await sleep(delayMs, undefined, { signal: options.signal }).catch(() => {});
      })(),
      options,
    );
    check(response.receivedBytes === BigInt(sizes.reduce((sum, size) => sum + size, 0)), "bytes are missing");
  },
  async (client, id, delayMs, options) => {
    const answerBytes = randomSize() >> 3;
    const requests = async function* () {
      for (let at = 0; at < 10; at++) yield { id, payload: new Uint8Array(100), answerBytes };
      if (delayMs > 0) await sleep(delayMs, undefined, { signal: options.signal }).catch(() => {});
    };
    let seen = 0;
    for await (const response of client.bidiStream(requests(), options)) {
      checkPayload(response.payload, id, answerBytes);
      seen++;
    }
    check(seen === 10, `${seen} answers of 10`);
  },
];

/** Mostly small, up to 100 KiB. */
function randomSize(): number {
  return Math.floor(102_400 * Math.random() ** 4);
}

function checkPayload(payload: Uint8Array, id: number, bytes: number): void {
  check(payload.length === bytes, `a payload of ${payload.length} bytes, not ${bytes}`);
  check(bytes === 0 || (payload[0] === (id & 0xff) && payload[bytes - 1] === (id & 0xff)), "another call's payload");
}

/** Codes that are errors in any state of the network. */
function check(isTrue: boolean, message: string): void {
  if (!isTrue) throw new ConnectError(message, Code.DataLoss);
}
