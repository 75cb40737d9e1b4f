// A server that is too slow for its clients' deadlines: each call costs it a reset, and the clients are honest all the same.
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { callInfo, createServer, type LimitStrike } from "@tercel/grpc";
import { aborted } from "@tercel/test-support/async";
import { startGoPeer, withoutGo } from "@tercel/test-support/peers";
import { type StartedProgram, startProgram } from "@tercel/test-support/programs";
import { echoRoutes, recordingLog } from "../support/open-echo.ts";

interface SlowServer {
  readonly target: string;
  /** The limits that cost a client its connection, and the addresses that calls came from. */
  readonly closedBy: readonly string[];
  readonly addresses: ReadonlySet<string | undefined>;
}

/** A server whose handlers never answer in time, and which at times reads nothing for a while. */
async function openSlow(test: TestContext): Promise<SlowServer> {
  const closedBy: string[] = [];
  const addresses = new Set<string | undefined>();
  let calls = 0;
  const server = createServer({
    log: recordingLog().log,
    onLimit({ limit, action }: LimitStrike) {
      if (action === "closed") closedBy.push(limit);
    },
    routes: echoRoutes({
      async unary(_request, context) {
        addresses.add(context.values.get(callInfo)?.peerAddress);
        calls++;
        if (calls % 500 === 0) block(60);
        await aborted(context.signal);
        return {};
      },
    }),
  });
  test.after(() => server.close({ deadlineMs: 0 }));
  const { port } = await server.listen({ port: 0 });
  return { target: `127.0.0.1:${port}`, closedBy, addresses };
}

function block(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}

type StartCalls = (
  test: TestContext,
  target: string,
  calls: number,
  concurrency: number,
  timeoutMs: number,
) => StartedProgram;

const startGrpcGo: StartCalls = (test, target, calls, concurrency, timeoutMs) =>
  startGoPeer(test, "timeouts", [
    ...["-target", target, "-method", "/tercel.grpc.test.v1.EchoService/Unary"],
    ...["-calls", `${calls}`, "-concurrency", `${concurrency}`, "-timeout", `${timeoutMs}ms`],
  ]);

const startNode =
  (kind: string): StartCalls =>
  (test, target, ...numbers) =>
    startProgram(test, join(import.meta.dirname, "client-program.ts"), [kind, target, ...numbers.map(String)]);

describe("a server that is too slow for deadlines", () => {
  for (const [client, start, skip, calls] of [
    ["ours", startNode("ours"), false, 20_000],
    ["grpc-js", startNode("grpc-js"), false, 4_000],
    ["grpc-go", startGrpcGo, withoutGo, 20_000],
  ] as const) {
    for (const [what, concurrency, timeoutMs, count] of [
      [`${calls} calls with deadlines of 1 ms`, 100, 1, calls],
      // 60 calls of 30 ms at a time are 2,000 timeouts a second.
      ["4000 calls with deadlines of 30 ms", 60, 30, 4000],
    ] as const) {
      it(`keeps the one connection of ${client}: ${what}`, {
        skip,
      }, async (test) => {
        const { target, closedBy, addresses } = await openSlow(test);
        const peer = start(test, target, count, concurrency, timeoutMs);
        const { codes } = JSON.parse(await peer.line());
        assert.deepEqual(codes, { DeadlineExceeded: count });
        assert.deepEqual(closedBy, []);
        assert.equal(addresses.size, 1);
      });
    }
  }
});
