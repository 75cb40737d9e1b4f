import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConnectRouter } from "@connectrpc/connect";
import { createClient } from "@tercel/grpc";
import { createHealth } from "@tercel/grpc/services";
import { createInMemoryTransport } from "@tercel/grpc/testing";
import { recordRoutes } from "./recorded-routes.ts";

test("what routes registers, also by single methods and later, is known before a server serves it", async (t) => {
  const { service } = createHealth();
  const routes = await recordRoutes(async (router) => {
    await Promise.resolve();
    router.rpc(service.method.check, () => ({ status: 1 })).rpc(service.method.list, () => ({}));
  });
  assert.deepEqual(routes.services, [service]);
  const transport = createInMemoryTransport({ routes: routes.replay });
  t.after(() => transport.close());
  assert.equal((await createClient(service, transport).check({})).status, 1);
});

test("what is registered after routes has ended is refused, instead of being served by no one", async () => {
  const health = createHealth();
  let late: ConnectRouter | undefined;
  await recordRoutes((router) => {
    late = router;
  });
  assert.throws(
    () => health.routes(late as ConnectRouter),
    /grpc\.health\.v1\.Health was registered after routes ended/,
  );
});

test("what routes throws is what a start rejects with", async () => {
  await assert.rejects(
    recordRoutes(() => Promise.reject(new Error("no table"))),
    /no table/,
  );
});
