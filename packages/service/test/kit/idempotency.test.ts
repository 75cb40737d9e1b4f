// Calls that must not run twice: where their keys are kept, and who asks for it.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { clone, create, createFileRegistry, setExtension } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, MethodOptionsSchema } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { createChannel, createClient } from "@tercel/grpc";
import { assertStatus } from "@tercel/grpc/testing";
import { method, RuleSchema } from "@tercel/interceptors/gen/tercel/idempotency/v1/idempotency_pb.js";
import { defineService, startService } from "@tercel/service";
import { type TestServiceOptions, testService } from "@tercel/service/testing";
import { createRedisServer, withoutRedis } from "@tercel/test-support/servers";
import { EchoService } from "../gen/tercel/service/test/v1/echo_pb.ts";
import { onEnd } from "./on-end.ts";

/** An echo whose handler counts how often it runs. */
function counted(service: typeof EchoService = EchoService) {
  let runs = 0;
  const definition = defineService({
    routes(router) {
      router.service(service, {
        unary({ text }) {
          runs += 1;
          return { text: `${text} ${runs}` };
        },
      });
    },
  });
  return { definition, runs: () => runs };
}

const withKey = (key: string) => ({ headers: { "idempotency-key": key } });

/** The echo service whose proto demands a key of Unary's calls. */
function echoThatDemandsKeys(): typeof EchoService {
  const file = clone(FileDescriptorProtoSchema, EchoService.file.proto);
  const unary = file.service.flatMap((one) => one.method).find(({ name }) => name === "Unary");
  assert.ok(unary !== undefined);
  unary.options = create(MethodOptionsSchema);
  setExtension(unary.options, method, create(RuleSchema, { required: true }));
  const service = createFileRegistry(file, () => undefined).getService(EchoService.typeName);
  // The same methods and messages, which the compiler cannot see in the registry.
  return service as typeof EchoService;
}

async function inMemory(test: TestContext, definition: Parameters<typeof testService>[0], options: TestServiceOptions) {
  const service = await testService(definition, options);
  onEnd(test, () => service.stop());
  return service.client(EchoService);
}

describe("a service that keeps idempotency keys", () => {
  it("runs a call once, and gives its response again after a restart, from its default database", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "tercel-idempotency-"));
    onEnd(t, () => rmSync(folder, { recursive: true }));
    const { definition, runs } = counted();
    const call = async (text: string): Promise<string> => {
      const service = await startService(definition, {
        file: false,
        overlays: false,
        variables: {},
        config: {
          service: { port: 0 },
          logging: { providers: { console: { level: "error" } } },
          // No need of the code names it.
          database: { providers: { sqlite: { path: join(folder, "keys.db") } } },
          idempotency: {},
        },
      });
      const { port } = service.address as { readonly port: number };
      const channel = createChannel(`127.0.0.1:${port}`, { defaultTimeoutMs: 20_000 });
      try {
        return (await createClient(EchoService, channel).unary({ text }, withKey("9f1c"))).text;
      } finally {
        await channel.close();
        await service.stop();
      }
    };
    assert.equal(await call("a"), "a 1");
    assert.equal(await call("a"), "a 1");
    assert.equal(runs(), 1);
    await assertStatus(call("b"), Code.FailedPrecondition);
    assert.equal(runs(), 1);
  });

  it("keeps them in the default cache where that is a Redis and there is no database", {
    skip: withoutRedis,
    timeout: 60_000,
  }, async (t) => {
    const redis = await createRedisServer();
    onEnd(t, () => redis.dispose());
    await redis.start();
    const config = {
      service: { name: "echo" },
      cache: { providers: { redis: { url: `redis://127.0.0.1:${redis.port}` } } },
      idempotency: {},
    };
    const [one, other] = [counted(), counted()];
    const first = await inMemory(t, one.definition, { config });
    const second = await inMemory(t, other.definition, { config });
    assert.equal((await first.unary({ text: "a" }, withKey("k"))).text, "a 1");
    assert.equal((await second.unary({ text: "a" }, withKey("k"))).text, "a 1");
    assert.equal(other.runs(), 0);
  });

  it("does so by itself where a proto asks for it, and refuses calls without a key where that demands one", async (t) => {
    const { definition, runs } = counted(echoThatDemandsKeys());
    const lines: string[] = [];
    const client = await inMemory(t, definition, { onLog: ({ message }) => void lines.push(String(message)) });
    await assertStatus(client.unary({ text: "a" }), Code.InvalidArgument);
    assert.equal((await client.unary({ text: "a" }, withKey("k"))).text, "a 1");
    assert.equal((await client.unary({ text: "a" }, withKey("k"))).text, "a 1");
    assert.equal(runs(), 1);
    assert.ok(lines.some((line) => line.startsWith("idempotency keys are in memory")));
  });

  it("leaves keys unread where no one asks for it, and where it is switched off, which it says", async (t) => {
    const { definition, runs } = counted();
    const client = await inMemory(t, definition, {});
    for (let calls = 0; calls < 2; calls++) await client.unary({ text: "a" }, withKey("k"));
    assert.equal(runs(), 2);
    const off = counted(echoThatDemandsKeys());
    const lines: string[] = [];
    const other = await inMemory(t, off.definition, {
      config: { idempotency: { enabled: false } },
      onLog: ({ message }) => void lines.push(String(message)),
    });
    for (let calls = 0; calls < 2; calls++) await other.unary({ text: "a" });
    assert.equal(off.runs(), 2);
    assert.ok(lines.some((line) => line.startsWith("idempotency.enabled is false, so calls with idempotency rules")));
  });
});
