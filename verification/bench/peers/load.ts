/** The framework-independent part of the client contract: arguments, warm-up, measured seconds, the JSON line. */

import { setTimeout as sleep } from "node:timers/promises";
import {
  MESSAGES_PER_STREAM,
  STREAM_PAYLOAD_BYTES,
  type StreamSize,
  UNARY_MESSAGE,
  WARM_UP_SECONDS,
} from "./echo-values.ts";

/** Counts streamed messages when they arrive, because a call may take longer than the measured seconds. */
export interface MessageCounter {
  messages: number;
}

/** The part that each framework implements: one call of each kind, over one channel. */
export interface LoadClient {
  /** Calls Unary with `UNARY_MESSAGE` and returns the message of the response. */
  unary(): Promise<string>;
  /** Calls ServerStream and adds each message to the counter. Settles when the call ends. */
  serverStream(size: StreamSize, counter: MessageCounter): Promise<void>;
}

interface LoadArguments {
  target: string;
  kind: "unary" | "stream";
  concurrency: number;
  seconds: number;
  size: StreamSize;
}

/** Makes the load of the command line, prints its figures and ends the process. */
export async function runLoad(connect: (target: string) => LoadClient): Promise<void> {
  const { target, kind, concurrency, seconds, size } = loadArguments();
  const client = connect(target);
  const counters: Counter[] = [];
  for (let caller = 0; caller < concurrency; caller++) {
    const counter = { calls: 0, messages: 0 };
    counters.push(counter);
    (kind === "unary" ? callUnary(client, counter) : callServerStream(client, size, counter)).catch(endWithoutFigure);
  }

  await sleep(WARM_UP_SECONDS * 1000);
  // Reports when the CPU time of the server begins to count.
  process.stdout.write('{"measuring":true}\n');
  const startedNs = process.hrtime.bigint();
  const cpuBefore = process.cpuUsage();
  const before = total(counters);
  await sleep(seconds * 1000);
  const after = total(counters);
  const cpu = process.cpuUsage(cpuBefore);
  const elapsedSeconds = Number(process.hrtime.bigint() - startedNs) / 1e9;

  const done =
    kind === "unary" ? { calls: after.calls - before.calls } : { messages: after.messages - before.messages };
  const line = JSON.stringify({ ...done, seconds: elapsedSeconds, cpuMicros: cpu.user + cpu.system });
  // Calls are still running, but the process ends when the line was written.
  process.stdout.write(`${line}\n`, () => process.exit(0));
}

interface Counter extends MessageCounter {
  calls: number;
}

async function callUnary(client: LoadClient, counter: Counter): Promise<never> {
  for (;;) {
    const message = await client.unary();
    if (message !== UNARY_MESSAGE) throw new Error(`unexpected response "${message}"`);
    counter.calls++;
  }
}

async function callServerStream(client: LoadClient, size: StreamSize, counter: Counter): Promise<never> {
  for (;;) {
    const before = counter.messages;
    await client.serverStream(size, counter);
    const received = counter.messages - before;
    if (received !== size.count) throw new Error(`${received} messages received, expected ${size.count}`);
  }
}

function total(counters: readonly Counter[]): Counter {
  let calls = 0;
  let messages = 0;
  for (const counter of counters) {
    calls += counter.calls;
    messages += counter.messages;
  }
  return { calls, messages };
}

function loadArguments(): LoadArguments {
  const [target, kind, concurrencyText, secondsText, countText, sizeText] = process.argv.slice(2);
  const concurrency = Number(concurrencyText);
  const seconds = Number(secondsText);
  const count = Number(countText ?? MESSAGES_PER_STREAM);
  const payloadSize = Number(sizeText ?? STREAM_PAYLOAD_BYTES);
  if (
    !target ||
    (kind !== "unary" && kind !== "stream") ||
    !Number.isInteger(concurrency) ||
    concurrency < 1 ||
    !(seconds > 0 && count > 0 && payloadSize > 0)
  ) {
    console.error("usage: client <target> <unary|stream> <concurrency> <seconds> [<messages> <payload bytes>]");
    process.exit(1);
  }
  return { target, kind, concurrency, seconds, size: { count, payloadSize } };
}

function endWithoutFigure(reason: unknown): never {
  console.error(reason);
  process.exit(1);
}
