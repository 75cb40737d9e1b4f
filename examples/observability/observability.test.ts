import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { runProgram, startProgram } from "@tercel/test-support/programs";

type Line = Readonly<Record<string, unknown>>;

test("logs, spans and metrics of a call agree, and refer to each other", async (t) => {
  const server = startProgram(t, join(import.meta.dirname, "server.ts"), [], { PORT: "0", METRICS_PORT: "0" });
  const { target, metricsPort } = JSON.parse(await server.line()) as { target: string; metricsPort: number };
  const said = runProgram(join(import.meta.dirname, "client.ts"), [target]);
  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  server.signal("SIGINT");
  assert.deepEqual(await server.ended, [0, null]);
  const lines = (await server.rest()).map((line) => JSON.parse(line) as Line);

  const [ada, empty, bug] = ["hello-Ada", "hello-absent", "hello-bug"].map((id) =>
    lines.find(({ requestId }) => requestId === id),
  );
  assert.deepEqual(
    [ada, empty, bug].map((line) => `${line?.level} ${line?.status} ${line?.method}`),
    [
      "info OK hello.v1.HelloService/SayHello",
      "info INVALID_ARGUMENT hello.v1.HelloService/SayHello",
      "error INTERNAL hello.v1.HelloService/SayHello",
    ],
  );
  const panic = lines.find(({ message }) => message === "a handler failed");
  assert.match(String(panic?.error), /^TypeError: no one has thought of this/);
  assert.ok(said.includes(String(panic?.id)), "the client gets the id under which the bug is logged");
  assert.ok(!said.includes("no one has thought"), "and no more");

  const clientSpans = said
    .split("\n")
    .filter((line) => line.startsWith('{"message":"span"'))
    .map((line) => JSON.parse(line) as Line);
  for (const line of [ada, empty, bug]) {
    const span = lines.find(({ message, spanId }) => message === "span" && spanId === line?.spanId);
    assert.equal(span?.traceId, line?.traceId);
    assert.ok(clientSpans.some(({ traceId, spanId }) => traceId === line?.traceId && spanId === span?.parent));
  }
  assert.match(metrics, /^grpc_server_requests_total\{.*method="SayHello",status="INTERNAL"\} 1$/m);
  assert.match(metrics, /^grpc_server_stream_messages_sent_total\{.*method="Countdown"\} 3$/m);
  assert.match(metrics, /^process_resident_memory_bytes [1-9]\d+$/m);
});
