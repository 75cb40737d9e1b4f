/**
 * `[tls]`: Tercel's server in its own process, which measures the turns of its event loop. The parent sends `start` and `report`.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { createGateway } from "@tercel/gateway";
import { createWebSockets } from "@tercel/gateway/websocket";
import { createServer } from "@tercel/grpc";
import type { LimitExceeded } from "@tercel/grpc/hooks";
import { createSelfSigned } from "@tercel/test-support/certificates";
import { EchoResponseSchema, EchoService } from "../peers/tercel/gen/echo_pb.ts";
import { listsService } from "./lists-service.ts";
import { largeResponseBytes, largeResponseMessage, slowResponseMessage, slowResponseMs } from "./special-requests.ts";

export interface TurnLengths {
  /** 50 % and 99 % of the busy time are spent in turns of at most this length, which a response has to wait for. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** The limits that the attacker exceeded, with their counts. */
  readonly strikes: Readonly<Record<string, number>>;
}

const largePayload = new Uint8Array(largeResponseBytes);
const strikes: Record<string, number> = {};
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const tls = process.argv[2] === "tls" ? createSelfSigned() : undefined;
/** The methods for attacks on the gateway: a call with GET and with POST, and a stream. */
const rules = [
  {
    selector: "bench.echo.v1.EchoService.Unary",
    pattern: { case: "get" as const, value: "/echo" },
    additionalBindings: [{ pattern: { case: "post" as const, value: "/echo" }, body: "*" }],
  },
  { selector: "bench.echo.v1.EchoService.ServerStream", pattern: { case: "get" as const, value: "/events" } },
];
const server = createServer({
  log: quiet,
  gateway: createGateway({ rules, webSockets: createWebSockets() }),
  ...(tls !== undefined && { tls }),
  onLimit({ limit, action }: LimitExceeded) {
    const name = `${limit} ${action}`;
    strikes[name] = (strikes[name] ?? 0) + 1;
  },
  routes: (router) => {
    router.service(EchoService, {
      unary({ message, payload }) {
        const bytes = message === largeResponseMessage ? largePayload : payload;
        const response = create(EchoResponseSchema, { message, payload: bytes });
        return message === slowResponseMessage ? sleep(slowResponseMs, response) : response;
      },
      async *serverStream({ count, payloadSize }) {
        const response = create(EchoResponseSchema, { payload: new Uint8Array(payloadSize) });
        for (let sent = 0; sent < count; sent++) yield response;
      },
      async clientStream(requests) {
        let messages = 0;
        for await (const _request of requests) messages++;
        return { messages };
      },
    });
    router.service(listsService, { length: () => ({}) } as object);
  },
});

/** The CPU time of each turn, because other programs on the machine increase the elapsed time. */
let turnsMs: number[] = [];
let isMeasuring = false;
let last = 0;

function nextTurn(): void {
  const { user, system } = process.threadCpuUsage();
  turnsMs.push((user + system - last) / 1000);
  last = user + system;
  if (isMeasuring) setImmediate(nextTurn);
}

function report(): TurnLengths {
  const sorted = turnsMs.sort((a, b) => a - b);
  const total = sorted.reduce((sum, ms) => sum + ms, 0);
  const within = (part: number): number => {
    let sum = 0;
    for (const ms of sorted) {
      sum += ms;
      if (sum >= part * total) return ms;
    }
    return 0;
  };
  return { p50Ms: within(0.5), p99Ms: within(0.99), maxMs: sorted.at(-1) ?? 0, strikes };
}

process.on("message", (order) => {
  if (order === "start") {
    isMeasuring = true;
    const { user, system } = process.threadCpuUsage();
    last = user + system;
    turnsMs = [];
    setImmediate(nextTurn);
    return;
  }
  isMeasuring = false;
  process.send?.(report());
});
process.on("disconnect", () => process.exit());

const { port } = await server.listen({ port: 0 });
process.send?.({ port, certificate: tls?.cert.toString() });
