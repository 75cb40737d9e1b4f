import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { loadServiceConfig, type ServiceConfig } from "@tercel/service/config";
import { listenKeys } from "./listen-keys.ts";

async function load(values: object, set: readonly string[] = []): Promise<ServiceConfig<unknown>> {
  return (await loadServiceConfig({ file: false, values, set, variables: {} })).value;
}

const prometheus = { monitoring: { providers: { prometheus: {} } } };

describe("the keys of a service's ports", () => {
  for (const { name, values } of [
    { name: "gRPC and metrics with their defaults", values: prometheus },
    {
      name: "a port of its own for gRPC, and HTTP on the service's",
      values: { service: { port: 8080 }, communication: { providers: { grpc: { port: 9090 } } } },
    },
    {
      name: "HTTP on the port of gRPC",
      values: { service: { port: 5000 }, communication: { providers: { http: {} } } },
    },
    { name: "HTTP with a port of its own", values: { communication: { providers: { http: { port: 8080 } } } } },
    {
      name: "everything on one port, metrics under another name",
      values: {
        communication: { providers: { grpc: { port: 9090 } } },
        monitoring: { providers: { scraped: { type: "prometheus", endpoint: ":9090" } } },
      },
    },
    {
      name: "an IPv6 address",
      values: { service: { host: "::1" }, monitoring: { providers: { prometheus: { endpoint: "[::1]:9464" } } } },
    },
  ]) {
    it(`move every listener: ${name}`, async () => {
      const before = await load(values);
      const settings = listenKeys(before).flatMap((key, at) => key.settings(20_000 + at));
      const after = await load(values, settings);
      assert.deepEqual(
        after.listeners.map(({ key: _key, ...rest }) => rest),
        before.listeners.map(({ key: _key, ...rest }, at) => ({ ...rest, port: 20_000 + at })),
      );
    });
  }
});
