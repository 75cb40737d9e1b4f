import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Listener, type ListenerSections, listenersOf } from "./listeners.ts";

interface Written {
  readonly service?: { readonly host?: string; readonly port?: number };
  readonly grpc?: { readonly host?: string; readonly port?: number } | false;
  readonly http?: { readonly host?: string; readonly port?: number };
  readonly metrics?: { readonly host?: string; readonly port: number };
}

function listeners({ service, grpc = {}, http, metrics }: Written): readonly Listener[] {
  // The rest of the sections says nothing about ports.
  return listenersOf({
    service: { host: "127.0.0.1", ...service },
    grpc: grpc === false ? undefined : grpc,
    http,
    prometheus: metrics === undefined ? undefined : { endpoint: metrics },
  } as ListenerSections);
}

describe("listenersOf", () => {
  for (const [what, written, expected] of [
    ["nothing is said", {}, [["127.0.0.1", 50_051, "grpc"]]],
    ["service.port stands alone: it is gRPC's", { service: { port: 8080 } }, [["127.0.0.1", 8080, "grpc"]]],
    [
      "gRPC has a port of its own: service.port is that of HTTP",
      { service: { port: 8080 }, grpc: { port: 9090 } },
      [
        ["127.0.0.1", 9090, "grpc"],
        ["127.0.0.1", 8080, "http"],
      ],
    ],
    ["both are the same port", { service: { port: 1 }, grpc: { port: 1 } }, [["127.0.0.1", 1, "grpc,http"]]],
    ["only gRPC has a port", { grpc: { port: 9090 } }, [["127.0.0.1", 9090, "grpc"]]],
    [
      "HTTP has no port of its own: it shares gRPC's",
      { service: { port: 1 }, http: {} },
      [["127.0.0.1", 1, "grpc,http"]],
    ],
    [
      "HTTP shares gRPC's port, which is a free one",
      { service: { port: 0 }, http: {} },
      [["127.0.0.1", 0, "grpc,http"]],
    ],
    [
      "HTTP has a port of its own",
      { service: { port: 1 }, http: { host: "::1", port: 2 } },
      [
        ["127.0.0.1", 1, "grpc"],
        ["::1", 2, "http"],
      ],
    ],
    [
      "metrics are on every interface, at a port of their own",
      { metrics: { port: 9464 } },
      [
        ["127.0.0.1", 50_051, "grpc"],
        [undefined, 9464, "metrics"],
      ],
    ],
    [
      "metrics are at gRPC's port: one listener, with gRPC's host",
      { grpc: { port: 1 }, metrics: { port: 1 } },
      [["127.0.0.1", 1, "grpc,metrics"]],
    ],
    [
      "metrics are at the port of HTTP",
      { service: { port: 2 }, grpc: { port: 1 }, metrics: { port: 2 } },
      [
        ["127.0.0.1", 1, "grpc"],
        ["127.0.0.1", 2, "http,metrics"],
      ],
    ],
    [
      "free ports are never the same",
      { service: { port: 0 }, metrics: { port: 0 } },
      [
        ["127.0.0.1", 0, "grpc"],
        [undefined, 0, "metrics"],
      ],
    ],
    ["gRPC is switched off", { grpc: false, http: { port: 1 } }, [["127.0.0.1", 1, "http"]]],
    [
      "gRPC has a host of its own",
      { service: { host: "10.0.0.1", port: 2 }, grpc: { host: "10.0.0.2", port: 1 } },
      [
        ["10.0.0.2", 1, "grpc"],
        ["10.0.0.1", 2, "http"],
      ],
    ],
  ] as const satisfies readonly [string, Written, readonly (readonly [string | undefined, number, string])[]][]) {
    test(`when ${what}`, () => {
      const found = listeners(written).map(({ host, port, serves }) => [host, port, serves.join()]);
      assert.deepEqual(found, expected);
    });
  }

  test("names the key that decides about each port", () => {
    const keys = (written: Written) => listeners(written).map(({ key }) => key);
    assert.deepEqual(keys({ metrics: { port: 1 } }), ["service.port", "monitoring.providers.prometheus.endpoint"]);
    assert.deepEqual(keys({ service: { port: 1 }, grpc: { port: 2 } }), [
      "communication.providers.grpc.port",
      "service.port",
    ]);
    assert.deepEqual(keys({ http: { port: 3 } }), ["service.port", "communication.providers.http.port"]);
  });
});
