// Several services on a network that a seed decides: what a test can do with it, and that a run repeats.
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { Code } from "@connectrpc/connect";
import { assertStatus } from "@tercel/grpc/testing";
import { client, defineService } from "@tercel/service";
import { type MeshOptions, type MeshService, type TestMesh, testMesh } from "@tercel/service/testing";
import { EchoService } from "../gen/tercel/service/test/v1/echo_pb.ts";
import { onEnd } from "../kit/on-end.ts";

const back = defineService({
  routes(router) {
    router.service(EchoService, {
      unary: ({ text }) => ({ text: `back, ${text}` }),
      async *serverStream({ count }) {
        for (let at = 0; at < count; at++) yield { count: at };
      },
    });
  },
});

const front = defineService({
  needs: { back: client(EchoService, "back") },
  routes(router, { back: other }) {
    router.service(EchoService, {
      unary: async ({ text }) => ({ text: `front, ${(await other.unary({ text })).text}` }),
      serverStream: (request) => other.serverStream(request),
    });
  },
});

const both: readonly MeshService[] = [
  { name: "front", definition: front },
  { name: "back", definition: back },
];

async function start(
  test: TestContext,
  services: readonly MeshService[] = both,
  options: MeshOptions = {},
): Promise<TestMesh> {
  const mesh = await testMesh(services, options);
  onEnd(test, () => mesh.stop());
  return mesh;
}

describe("a mesh", () => {
  it("lets services call each other by name, each message taking its time", async (t) => {
    const mesh = await start(t, both, { latencyMs: 10 });
    const began = mesh.nowMs;
    const { text } = await mesh.until(mesh.client(EchoService, "front").unary({ text: "hi" }));
    assert.equal(text, "front, back, hi");
    assert.equal(mesh.nowMs - began, 40);
    assert.deepEqual(
      mesh.events.map(({ atMs, kind, from, to, status }) => [atMs - began, kind, from, to, status]),
      [
        [10, "request", "test", "front", undefined],
        [20, "request", "front", "back", undefined],
        [30, "response", "front", "back", "OK"],
        [40, "response", "test", "front", "OK"],
      ],
    );
  });

  it("carries streams, whose messages each take their time", async (t) => {
    const mesh = await start(t, both, { latencyMs: 10 });
    const counts: number[] = [];
    const read = async (): Promise<void> => {
      for await (const { count } of mesh.client(EchoService, "front").serverStream({ count: 3 })) counts.push(count);
    };
    const began = mesh.nowMs;
    await mesh.until(read());
    assert.deepEqual(counts, [0, 1, 2]);
    assert.ok(mesh.nowMs - began >= 50, `${mesh.nowMs - began} ms`);
  });

  it("stands still until the test lets time pass, deadlines included", async (t) => {
    const mesh = await start(t, both, { latencyMs: 100 });
    const call = mesh.client(EchoService, "back").unary({}, { timeoutMs: 150 });
    const failure = assertStatus(call, Code.DeadlineExceeded);
    await mesh.run(149);
    assert.deepEqual(
      mesh.events.map(({ kind }) => kind),
      ["request"],
    );
    await mesh.run(1);
    await failure;
  });

  it("cuts services off from each other until that is healed", async (t) => {
    const mesh = await start(t);
    const heal = mesh.partition(["front"], ["back"]);
    const call = (): Promise<{ readonly text: string }> => mesh.client(EchoService, "front").unary({ text: "hi" });
    await assertStatus(mesh.until(call()), Code.Unavailable);
    assert.ok(mesh.events.some(({ kind, to }) => kind === "unreachable" && to === "back"));
    assert.equal((await mesh.until(mesh.client(EchoService, "back").unary({ text: "hi" }))).text, "back, hi");
    heal();
    assert.equal((await mesh.until(call())).text, "front, back, hi");
  });

  it("loses responses whose handlers have run, on the ways that the test has made bad", async (t) => {
    let handled = 0;
    const counting = defineService({
      routes: (router) => {
        router.service(EchoService, {
          unary() {
            handled++;
            return {};
          },
        });
      },
    });
    const mesh = await start(t, [{ name: "counting", definition: counting }]);
    mesh.setLink("counting", "test", { lossRate: 1 });
    await assertStatus(mesh.until(mesh.client(EchoService, "counting").unary({})), Code.Unavailable, /broke/);
    assert.equal(handled, 1);
    mesh.setLink("counting", "test", { lossRate: 0 });
    await mesh.until(mesh.client(EchoService, "counting").unary({}));
    assert.equal(handled, 2);
  });

  it("makes a service ready that requires another one, whichever starts first", async (t) => {
    const requiring = {
      name: "front",
      definition: front,
      config: { dependencies: [{ name: "back", required: true }] },
    };
    const mesh = await start(t, [requiring, { name: "back", definition: back }]);
    const { text } = await mesh.until(mesh.client(EchoService, "front").unary({ text: "hi" }));
    assert.equal(text, "front, back, hi");
  });

  it("is one at a time, and leaves Math.random as it was", async (t) => {
    const before = Math.random;
    const mesh = await testMesh(both);
    t.after(() => mesh.stop());
    assert.notEqual(Math.random, before);
    await assert.rejects(testMesh(both), /stop that one first/);
    assert.notEqual(Math.random, before);
    await mesh.stop();
    assert.equal(Math.random, before);
  });

  it("refuses what it does not know", async () => {
    await assert.rejects(testMesh(both, { sead: 1 } as never), /did you mean "seed"/);
    await assert.rejects(testMesh(both, { lossRate: 2 }), /invalid lossRate 2: expected 0 to 1/);
    await assert.rejects(testMesh(both, { latencyMs: [5, 1] }), /invalid latencyMs \[5,1\]/);
    await assert.rejects(testMesh([...both, ...both]), /duplicate or reserved name "front"/);
  });
});
