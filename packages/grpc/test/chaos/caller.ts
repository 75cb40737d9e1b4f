import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client, ContextValues, Transport } from "@connectrpc/connect";
import { Code, ConnectError, createContextKey, createContextValues } from "@connectrpc/connect";
import { streamOf, turn } from "@tercel/test-support/async";
import type { EchoService } from "../gen/tercel/grpc/test/v1/echo_pb.ts";
import { messagesPerStream } from "./call-log.ts";
import { between } from "./seeded-random.ts";

export const kinds = ["unary", "clientStream", "serverStream", "bidi"] as const;
export type Kind = (typeof kinds)[number];

/** How often a call of each kind may be run, by the service config below. */
export const mostRuns: Readonly<Record<Kind, number>> = { unary: 1, bidi: 1, clientStream: 3, serverStream: 3 };

const service = "tercel.grpc.test.v1.EchoService";

/** Unary and bidi calls are not to be repeated; those that stream one way are, each in its manner. */
export const serviceConfig = {
  loadBalancingConfig: [{ round_robin: {} }],
  methodConfig: [
    {
      name: [{ service, method: "ClientStream" }],
      retryPolicy: {
        maxAttempts: mostRuns.clientStream,
        initialBackoff: "0.02s",
        maxBackoff: "0.1s",
        backoffMultiplier: 2,
        retryableStatusCodes: ["UNAVAILABLE"],
      },
    },
    {
      name: [{ service, method: "ServerStream" }],
      hedgingPolicy: { maxAttempts: mostRuns.serverStream, hedgingDelay: "0.1s", nonFatalStatusCodes: ["UNAVAILABLE"] },
    },
  ],
};

/** What became of a call. */
export interface CallRecord {
  readonly id: number;
  readonly kind: Kind;
  /** By `performance.now()`. */
  readonly beganMs: number;
  /** Undefined for a success. */
  readonly error: ConnectError | undefined;
  readonly wasCancelled: boolean;
  /** It was still open long after its deadline, by the timers of the same event loop. */
  readonly outlivedDeadline: boolean;
}

/**
 * What a call's end may lie behind its deadline: the deadline wheel's slot is 10 ms, a timer's step 1 ms. Both ends are timers
 * of one event loop, which go off in the order of their times however long it stood still.
 */
const toleranceMs = 25;

/**
 * So often that time is given again before the call counts as one that hangs: a machine under load may take the processor
 * away between the reading of the clock and the setting of the timer, and the deadline is late by that.
 */
const mostGraces = 8;

const onBegun = createContextKey<() => void>(() => {});

/**
 * Tells when a call has begun, which is when its time begins to run: some microtasks behind the application's wish, which on a
 * busy machine may be many milliseconds.
 */
export function tellingBegin(transport: Transport): Transport {
  const told = <T>(begun: T, contextValues: ContextValues | undefined): T => {
    contextValues?.get(onBegun)();
    return begun;
  };
  return {
    unary: (...call) => told(transport.unary(...call), call[5]),
    stream: (...call) => told(transport.stream(...call), call[5]),
  };
}

/** Makes one call of a random kind and deadline; one in twenty is cancelled on its way. */
export async function makeCall(
  client: Client<typeof EchoService>,
  id: number,
  random: () => number,
): Promise<CallRecord> {
  const kind = kinds[between(random, 0, kinds.length - 1)] as Kind;
  const timeoutMs = between(random, 100, 1000);
  const cancelling = new AbortController();
  const cancelTimer = random() < 0.05 ? setTimeout(() => cancelling.abort(), between(random, 1, 200)) : undefined;
  const beganMs = performance.now();
  let isSettled = false;
  let outlivedDeadline = false;
  let lateAtMs = 0;
  let lateTimer: NodeJS.Timeout | undefined;
  const lookLate = async (): Promise<void> => {
    // A timer counts from the begin of the turn it was made in, a deadline from the call's; a turn may be long.
    const earlyMs = lateAtMs - performance.now();
    if (earlyMs > 0) {
      lateTimer = setTimeout(lookLate, earlyMs);
      return;
    }
    // Whoever awaits a call hears of its end a few microtasks behind it.
    await turn();
    for (let grace = 0; grace < mostGraces && !isSettled; grace++) await sleep(toleranceMs);
    outlivedDeadline = !isSettled;
  };
  const contextValues = createContextValues().set(onBegun, () => {
    lateAtMs = performance.now() + timeoutMs + toleranceMs;
    lateTimer = setTimeout(lookLate, timeoutMs + toleranceMs);
  });
  let error: ConnectError | undefined;
  try {
    await answer(client, kind, id, { timeoutMs, signal: cancelling.signal, contextValues });
  } catch (reason) {
    error = ConnectError.from(reason);
  }
  assert.ok(lateAtMs > 0, "no one told that the call had begun");
  isSettled = true;
  clearTimeout(lateTimer);
  clearTimeout(cancelTimer);
  return { id, kind, beganMs, error, wasCancelled: cancelling.signal.aborted, outlivedDeadline };
}

/** @throws when the call fails, or is answered with anything but its own identifier as often as it should be */
async function answer(
  client: Client<typeof EchoService>,
  kind: Kind,
  id: number,
  options: { timeoutMs: number; signal: AbortSignal; contextValues: ContextValues },
): Promise<void> {
  const requests = () => streamOf(...Array.from({ length: messagesPerStream }, () => ({ count: id })));
  const counts: number[] = [];
  switch (kind) {
    case "unary":
      counts.push((await client.unary({ count: id }, options)).count);
      break;
    case "clientStream":
      counts.push((await client.clientStream(requests(), options)).count);
      break;
    case "serverStream":
      for await (const { count } of client.serverStream({ count: id }, options)) counts.push(count);
      break;
    case "bidi":
      for await (const { count } of client.bidi(requests(), options)) counts.push(count);
  }
  const expected = kind === "unary" || kind === "clientStream" ? 1 : messagesPerStream;
  if (counts.length === expected && counts.every((count) => count === id)) return;
  throw new ConnectError(`call ${id} was answered with ${counts.join(", ")}`, Code.DataLoss);
}
