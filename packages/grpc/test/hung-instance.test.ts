// A process that hangs keeps its connection: only calls without an answer tell.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createChannel } from "@tercel/grpc";
import { bundleProgram } from "@tercel/test-support/bundled-programs";
import { startProgram } from "@tercel/test-support/programs";
import { Health } from "../src/gen/grpc/health/v1/health_pb.ts";

/** Long enough for a busy machine, and what each call to the hung process takes. */
const timeoutMs = 3000;

test("a process that was stopped gets no calls any more after five in a row without an answer", async (t) => {
  const program = bundleProgram(join(import.meta.dirname, "support/health-server.ts"));
  const processes = Array.from({ length: 3 }, () => startProgram(t, program));
  const ports = await Promise.all(processes.map(async (one) => JSON.parse(await one.line()).port as number));
  const targets = ports.map((port) => `127.0.0.1:${port}`);
  const channel = createChannel(`static:///${targets.join()}`, {
    defaultTimeoutMs: timeoutMs,
    serviceConfig: { loadBalancingConfig: [{ round_robin: {} }] },
  });
  t.after(() => channel.close({ deadlineMs: 0 }));
  const client = createClient(Health, channel);
  const isReady = ({ state }: { readonly state: string }): boolean => state === "ready";
  // Round robin begins with the first that is connected.
  while (!channel.explain().endpoints.every(isReady) || channel.explain().endpoints.length < 3) await client.check({});

  const failuresOf = async (calls: number): Promise<ConnectError[]> => {
    const calling = Array.from({ length: calls }, () =>
      client.check({}).catch((error: unknown) => ConnectError.from(error)),
    );
    return (await Promise.all(calling)).filter((outcome) => outcome instanceof ConnectError);
  };
  processes[1]?.signal("SIGSTOP");
  // All at once, so that the five fail together: whether others answer meanwhile shows at the next failure.
  const failures = [...(await failuresOf(15)), ...(await failuresOf(3))];
  assert.deepEqual(
    failures.map(({ code }) => code),
    Array(6).fill(Code.DeadlineExceeded),
  );
  for (const { message } of failures) assert.match(message, new RegExp(`response of ${targets[1]}`));
  // Every third of these would fail.
  assert.deepEqual(await failuresOf(30), []);
  assert.equal(channel.state, "ready");
});
