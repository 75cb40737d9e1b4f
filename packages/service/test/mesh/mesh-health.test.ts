// Services that require each other: a cycle becomes ready, and what is down takes down only those that require it directly.
import assert from "node:assert/strict";
import { it, type TestContext } from "node:test";
import { createHealth } from "@tercel/grpc/services";
import { client, defineService } from "@tercel/service";
import { type MeshService, type TestMesh, testMesh } from "@tercel/service/testing";
import { EchoService } from "../gen/tercel/service/test/v1/echo_pb.ts";
import { onEnd } from "../kit/on-end.ts";

const { service: healthService } = createHealth();
/** `grpc.health.v1.HealthCheckResponse.ServingStatus.SERVING`. */
const serving = 1;
/** More than a check, its pause and another check take. */
const enoughSeconds = 120;

/** A service that requires another one. */
function requiring(name: string, other?: string): MeshService {
  if (other === undefined) return { name, definition: (router) => void router.service(EchoService, {}) };
  const definition = defineService({
    needs: { other: client(EchoService, other) },
    routes(router, parts) {
      router.service(EchoService, { unary: (request) => parts.other.unary(request) });
    },
  });
  return { name, definition, config: { dependencies: [{ name: other, required: true }] } };
}

async function start(test: TestContext, services: readonly MeshService[]): Promise<TestMesh> {
  const mesh = await testMesh(services, { latencyMs: 1 });
  onEnd(test, () => mesh.stop());
  return mesh;
}

async function isReady(mesh: TestMesh, name: string): Promise<boolean> {
  const { status } = await mesh.until(mesh.client(healthService, name).check({}));
  return (status as number) === serving;
}

/** Lets virtual time pass until the services are ready, or not, as is said. */
async function reach(mesh: TestMesh, wanted: Readonly<Record<string, boolean>>): Promise<void> {
  let found: Record<string, boolean> = {};
  for (let second = 0; second < enoughSeconds; second++) {
    found = {};
    for (const name of Object.keys(wanted)) found[name] = await isReady(mesh, name);
    if (Object.entries(wanted).every(([name, isWanted]) => found[name] === isWanted)) return;
    await mesh.run(1000);
  }
  assert.deepEqual(found, wanted);
}

it("services that require each other in a circle become ready", async (t) => {
  const mesh = await start(t, [requiring("a", "b"), requiring("b", "c"), requiring("c", "a")]);
  await reach(mesh, { a: true, b: true, c: true });
});

it("a leaf that is down stops those that require it directly, and no one else, until it is back", async (t) => {
  const mesh = await start(t, [
    requiring("leaf"),
    requiring("direct", "leaf"),
    requiring("indirect", "direct"),
    requiring("other", "indirect"),
  ]);
  await reach(mesh, { leaf: true, direct: true, indirect: true, other: true });
  const heal = mesh.partition(["leaf"], ["direct", "indirect", "other"]);
  await reach(mesh, { leaf: true, direct: false, indirect: true, other: true });
  // It stays so, however long it lasts.
  await mesh.run(60_000);
  await reach(mesh, { leaf: true, direct: false, indirect: true, other: true });
  heal();
  await reach(mesh, { leaf: true, direct: true, indirect: true, other: true });
});
