// A server that is too slow for its clients' deadlines: each call costs it a reset, and the clients are honest all the same.
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { callInfo, createServer } from "@tercel/grpc";
import type { LimitExceeded } from "@tercel/grpc/hooks";
import { aborted } from "@tercel/test-support/async";
import { bundleProgram } from "@tercel/test-support/bundled-programs";
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
  let started = 0;
  const server = createServer({
    log: recordingLog().log,
    onLimit({ limit, action }: LimitExceeded) {
      if (action === "closed") closedBy.push(limit);
    },
    routes: echoRoutes({
      async unary(_request, context) {
        addresses.add(context.values.get(callInfo)?.peerAddress);
        started++;
        if (started % 500 === 0) block(60);
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

/** Three times as many as a client may reset at once, if each reset were charged to it. */
const calls = 3000;

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
    startProgram(test, bundleProgram(join(import.meta.dirname, "client-program.ts")), [
      kind,
      target,
      ...numbers.map(String),
    ]);

describe("a server that is too slow for deadlines", () => {
  for (const [client, start, skip] of [
    ["ours", startNode("ours"), false],
    ["grpc-js", startNode("grpc-js"), false],
    ["grpc-go", startGrpcGo, withoutGo],
  ] as const) {
    for (const [concurrency, timeoutMs] of [
      [100, 1],
      // 2,000 timeouts a second.
      [60, 30],
    ] as const) {
      it(`keeps the one connection of ${client}: ${calls} calls with deadlines of ${timeoutMs} ms`, {
        skip,
      }, async (test) => {
        const { target, closedBy, addresses } = await openSlow(test);
        const peer = start(test, target, calls, concurrency, timeoutMs);
        const { codes } = JSON.parse(await peer.line());
        assert.deepEqual(codes, { DeadlineExceeded: calls });
        assert.deepEqual(closedBy, []);
        assert.equal(addresses.size, 1);
      });
    }
  }
});
