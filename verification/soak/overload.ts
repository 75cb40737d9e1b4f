import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createChannel } from "@tercel/grpc";
import { LoadService } from "./gen/tercel/soak/v1/load_pb.ts";
import type { SoakOptions } from "./options.ts";
import { Pace } from "./pace.ts";
import { startServerProcess } from "./server/server-process.ts";

const defaultSeconds = 30;
const measuredSeconds = 5;
const overload = 5;
const workMs = 2;
const callersAtOnce = 50;
const connections = 20;
const portionsPerSecond = 100;
/** The limit of running calls. More would only measure the client's memory. */
const maxUnderWay = 20_000;
const leastShare = 0.8;
/** The longest wait in the queue, and some time for a busy machine. The first accepted calls take longer. */
const longestWaitMs = 2000;
const initialLimit = 200;

/**
 * A server with load shedding whose calls take 2 ms of CPU time each. First its capacity is measured, with enough callers to keep it busy. Then
 * five times as many calls arrive, independent of the responses.
 */
export async function overloaded(options: SoakOptions): Promise<boolean> {
  const seconds = options.seconds ?? defaultSeconds;
  const server = await startServerProcess({ workMs });
  // Channels of the same target share nothing, so each is a separate client.
  const channels = Array.from({ length: connections }, () => createChannel(`static:///127.0.0.1:${server.port}`));
  const clients = channels.map((channel) => createClient(LoadService, channel));
  const call = (at: number): Promise<unknown> => {
    return (clients[at % connections] as (typeof clients)[number]).unary({ id: at });
  };

  const capacity = await measureCapacity(call);
  console.log(`what it can serve: ${Math.round(capacity)} calls/s`);
  const pace = new Pace(options.rate ?? overload * capacity, maxUnderWay);
  const tookMs: number[] = [];
  const refusals = new Map<string, number>();
  let underWay = 0;
  const one = async (at: number): Promise<void> => {
    underWay++;
    const beganMs = performance.now();
    try {
      await call(at);
      tookMs.push(performance.now() - beganMs);
    } catch (reason) {
      const { code } = ConnectError.from(reason);
      refusals.set(Code[code] as string, (refusals.get(Code[code] as string) ?? 0) + 1);
    }
    underWay--;
  };
  const startedMs = performance.now();
  const calls: Promise<void>[] = [];
  let servedInTime = 0;
  for (let elapsedMs = 0; elapsedMs < seconds * 1000; elapsedMs = performance.now() - startedMs) {
    const first = pace.begun;
    const taken = pace.take(elapsedMs, underWay);
    for (let at = first; at < first + taken; at++) calls.push(one(at));
    await sleep(1000 / portionsPerSecond);
    servedInTime = tookMs.length;
  }
  await Promise.all(calls);
  const share = servedInTime / (capacity * seconds);
  const alone = performance.now();
  await call(0);
  const aloneMs = performance.now() - alone;
  await Promise.all(channels.map((channel) => channel.close()));
  await server.stop();

  const sorted = tookMs.toSorted((a, b) => a - b);
  const quantile = (of: number): number => Math.round(sorted[Math.floor(sorted.length * of)] ?? Number.NaN);
  const refused = Array.from(refusals, ([code, count]) => `${count} ${code}`).join(", ");
  console.log(
    `overload: ${pace.describe()} in ${seconds} s; served ${servedInTime}, ${(100 * share).toFixed(1)} % of what it can; ` +
      `of these p50 ${quantile(0.5)} ms, p99 ${quantile(0.99)} ms; refused: ${refused}; one call afterwards: ${Math.round(aloneMs)} ms`,
  );
  const longestP99Ms = longestWaitMs + (initialLimit / capacity) * 1000;
  return (
    share >= leastShare &&
    quantile(0.99) <= longestP99Ms &&
    [...refusals.keys()].every((code) => code === "Unavailable")
  );
}

async function measureCapacity(call: (at: number) => Promise<unknown>): Promise<number> {
  let [answered, at] = [0, 0];
  const startedMs = performance.now();
  const isOver = (): boolean => performance.now() - startedMs >= measuredSeconds * 1000;
  const caller = async (): Promise<void> => {
    // On a busy machine, a call may be refused here too.
    while (!isOver()) {
      const isServed = await call(at++).then(
        () => true,
        () => false,
      );
      if (isServed) answered++;
      else await sleep(100);
    }
  };
  await Promise.all(Array.from({ length: callersAtOnce }, caller));
  return (answered * 1000) / (performance.now() - startedMs);
}
