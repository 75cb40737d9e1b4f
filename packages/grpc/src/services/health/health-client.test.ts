import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { type HealthCheckResponse_ServingStatus, Health as HealthService } from "../../gen/grpc/health/v1/health_pb.ts";
import { createHealth } from "./health.ts";
import { createHealthClient, type ReportedStatus } from "./health-client.ts";

describe("the health client", () => {
  it("reports the status of a service, of the server, and of a service that is not there", async (t) => {
    const health = createHealth();
    t.after(() => health.endWatches());
    health.setStatus("shop.Orders", "NOT_SERVING");
    const client = createHealthClient(createRouterTransport(health.routes));
    assert.equal(await client.check(""), "SERVING");
    assert.equal(await client.check("shop.Orders"), "NOT_SERVING");
    assert.equal(await client.check("shop.Cellar"), "SERVICE_UNKNOWN");
    assert.deepEqual([...(await client.list())].sort(), [
      ["", "SERVING"],
      ["shop.Orders", "NOT_SERVING"],
    ]);
  });

  it("yields each change until the loop is left", async (t) => {
    const health = createHealth();
    t.after(() => health.endWatches());
    const client = createHealthClient(createRouterTransport(health.routes));
    const seen: ReportedStatus[] = [];
    for await (const status of client.watch("shop.Orders")) {
      seen.push(status);
      if (status === "SERVICE_UNKNOWN") health.setStatus("shop.Orders", "SERVING");
      if (status === "SERVING") health.setStatus("shop.Orders", "NOT_SERVING");
      if (status === "NOT_SERVING") break;
    }
    assert.deepEqual(seen, ["SERVICE_UNKNOWN", "SERVING", "NOT_SERVING"]);
  });

  it("passes other errors on", async () => {
    const refusing = createRouterTransport((router) =>
      router.service(HealthService, {
        check() {
          throw new ConnectError("not for you", Code.PermissionDenied);
        },
      }),
    );
    await assert.rejects(
      createHealthClient(refusing).check(""),
      (error: ConnectError) => error.code === Code.PermissionDenied,
    );
  });

  it("takes a status that it does not know for UNKNOWN", async () => {
    const newer = createRouterTransport((router) =>
      router.service(HealthService, { check: () => ({ status: 77 as HealthCheckResponse_ServingStatus }) }),
    );
    assert.equal(await createHealthClient(newer).check(""), "UNKNOWN");
  });
});
