import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, it, type TestContext } from "node:test";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { createChannel } from "@tercel/grpc";
import { collect, streamOf } from "@tercel/test-support/async";
import { bundleProgram } from "@tercel/test-support/bundled-programs";
import { hostileValues } from "@tercel/test-support/hostile-values";
import { EchoService } from "../gen/tercel/grpc/test/v1/echo_pb.ts";

const program = join(import.meta.dirname, "program.ts");
const names = Object.keys(hostileValues);

/** A server in a process of its own: what it logs, and whether it still serves. */
async function startServer(t: TestContext, args: readonly string[]) {
  const child = spawn(process.execPath, [bundleProgram(program), ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "close");
  t.after(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  const printed: string[] = [];
  const logged: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => logged.push(line));
  const { promise, resolve } = Promise.withResolvers<number>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (line.startsWith("port ")) resolve(Number(line.slice(5)));
    else printed.push(line);
  });
  const port = await Promise.race([promise, ended.then(() => assert.fail(`ended at once: ${logged.join("\n")}`))]);
  const channel = createChannel(`static:///127.0.0.1:${port}`);
  t.after(() => channel.close());
  return { child, port, printed, logged, client: createClient(EchoService, channel) };
}

type Server = Awaited<ReturnType<typeof startServer>>;

async function codeOf(call: Promise<unknown>): Promise<Code | "ok"> {
  try {
    await call;
    return "ok";
  } catch (error) {
    return ConnectError.from(error).code;
  }
}

/** Has each place throw each value. Returns how many calls failed. */
async function throwEverything({ client }: Server, stack: string): Promise<number> {
  const failures: [string, Promise<unknown>][] = [];
  for (const name of names) {
    failures.push(
      [`unary: ${name}`, client.unary({ text: `handler ${name}` })],
      [`rejected: ${name}`, client.unary({ text: `later ${name}` })],
      [`compression: ${name}`, client.unary({ text: `compression ${name}` })],
      [`server stream: ${name}`, collect(client.serverStream({ text: `handler ${name}` }))],
      [`client stream: ${name}`, client.clientStream(streamOf({ text: `handler ${name}` }))],
    );
    const places = stack === "bare" ? [] : stack === "hooks" ? ["hook"] : ["hook", "interceptor"];
    for (const place of places) {
      const headers = { "x-throw": `${place} ${name}` };
      failures.push([`${place}: ${name}`, client.unary({}, { headers })]);
      failures.push([`${place} of a stream: ${name}`, collect(client.serverStream({}, { headers }))]);
    }
  }
  const codes = await Promise.all(failures.map(async ([what, call]) => [what, await codeOf(call)] as const));
  assert.deepEqual(
    codes.filter(([, code]) => code !== Code.Internal),
    [],
  );
  return failures.length;
}

/** grpc-js is the judge of whether the server still serves. */
async function assertServes({ child, port }: { child: ChildProcess; port: number }): Promise<void> {
  const definition = loadSync(join(import.meta.dirname, "../proto/tercel/grpc/test/v1/echo.proto"));
  const loaded = grpc.loadPackageDefinition(definition) as unknown as {
    tercel: { grpc: { test: { v1: { EchoService: grpc.ServiceClientConstructor } } } };
  };
  const client = new loaded.tercel.grpc.test.v1.EchoService(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  try {
    const text = await new Promise((resolve, reject) => {
      client.unary?.({ text: "hello" }, (error: unknown, response: { text: string }) =>
        error === null ? resolve(response.text.trim()) : reject(error),
      );
    });
    assert.equal(text, "hello");
  } finally {
    client.close();
  }
  assert.equal(child.exitCode, null);
}

describe("a server whose handlers, interceptors and compression throw anything", () => {
  for (const stack of ["bare", "hooks", "interceptors"]) {
    it(`answers each call with INTERNAL, logs it in one line and serves on (${stack})`, async (t) => {
      const server = await startServer(t, ["default", stack]);
      const failures = await throwEverything(server, stack);
      await assertServes(server);
      server.child.kill("SIGTERM");
      await once(server.child, "close");
      const lines = server.logged.map((line) => JSON.parse(line) as { message: string; error: unknown });
      assert.equal(lines.length, failures);
      for (const { message, error } of lines) {
        assert.equal(message, "a handler failed");
        assert.equal(typeof error, "string");
      }
    });
  }

  for (const log of ["throwing", "rejecting"]) {
    it(`serves on when its log is ${log}, and warns of that once`, async (t) => {
      const server = await startServer(t, [log, "hooks"]);
      await throwEverything(server, "hooks");
      assert.equal(await codeOf(server.client.unary({ text: "metadata" })), "ok");
      await assertServes(server);
      server.child.kill("SIGTERM");
      await once(server.child, "close");
      assert.deepEqual(server.printed, [
        "warning TercelWarning a log failed, so lines of it are missing; reported once for each log: the log is broken",
      ]);
    });
  }

  it("serves on when no one reads its standard error any more", async (t) => {
    const server = await startServer(t, ["default", "hooks"]);
    server.child.stderr?.destroy();
    for (let round = 0; round < 2; round++) {
      await throwEverything(server, "hooks");
      await assertServes(server);
    }
  });
});
