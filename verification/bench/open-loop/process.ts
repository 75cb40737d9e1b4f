/**
 * `<target> <calls per second> <connections> <warm-up seconds> <seconds>` makes unary calls with Tercel's client at random times, even if
 * earlier calls are still running. Prints one line with the figures.
 */

import { Code, ConnectError } from "@connectrpc/connect";
import { createChannel, createClient } from "@tercel/grpc";
import type { CallFailure } from "../../../packages/cli/src/bench/make-call.ts";
import { runOpenLoop } from "../../../packages/cli/src/bench/open-loop.ts";
import { milliseconds, Recorder } from "../../../packages/cli/src/bench/recorder.ts";
import { Random } from "../../harness/random.ts";
import { UNARY_MESSAGE } from "../peers/echo-values.ts";
import { EchoService } from "../peers/tercel/gen/echo_pb.ts";
import { poissonArrivals } from "./arrivals.ts";
import type { OpenLoopFigures } from "./figures.ts";

/** Every server gets the same arrivals. */
const SEED = 20261201;
/** The maximum number of running calls. With more, the server cannot sustain the rate. */
const MAX_IN_FLIGHT = 10_000;

const [target = "", ...numbers] = process.argv.slice(2);
const [callsPerSecond = 0, connections = 0, warmUpSeconds = 0, seconds = 0] = numbers.map(Number);
const clients = Array.from({ length: connections }, () => createClient(EchoService, createChannel(target)));
const random = new Random(SEED);
const recorder = new Recorder();
let number = 0;

/** Resolves to the problem, or to undefined. */
async function call(): Promise<CallFailure | undefined> {
  const client = clients[number++ % connections] as (typeof clients)[number];
  try {
    const { message } = await client.unary({ message: UNARY_MESSAGE });
    return message === UNARY_MESSAGE ? undefined : { status: "unexpected response", message };
  } catch (error) {
    const { code, rawMessage } = ConnectError.from(error);
    return { status: Code[code], message: rawMessage };
  }
}

// Each connection is open before the first call is due.
for (let connection = 0; connection < connections; connection++) {
  const failure = await call();
  if (failure !== undefined) throw new Error(`${failure.status}: ${failure.message}`);
}
const warmupMs = warmUpSeconds * 1000;
await runOpenLoop(call, recorder, {
  due: poissonArrivals(callsPerSecond, warmupMs + seconds * 1000, () => random.fraction()),
  warmupMs,
  maxInFlight: MAX_IN_FLIGHT,
  signal: new AbortController().signal,
});

const { timings, counts } = recorder;
const micros = (name: keyof typeof timings, percentile: number): number =>
  milliseconds(timings[name], percentile) * 1000;
const figures: OpenLoopFigures = {
  calls: counts.succeeded,
  errors: Object.fromEntries(
    [...counts.errors].map(([status, { count, firstMessage }]) => [`${status}: ${firstMessage}`, count]),
  ),
  p50Micros: micros("latency", 50),
  p99Micros: micros("latency", 99),
  lagP99Micros: micros("lag", 99),
};
process.stdout.write(`${JSON.stringify(figures)}\n`, () => process.exit(0));
