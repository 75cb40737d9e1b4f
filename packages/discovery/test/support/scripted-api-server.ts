import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";

/** An EndpointSlice as the API server of Kubernetes 1.30 sends it, without the fields that are not read. */
export function endpointSlice(
  name: string,
  version: number,
  endpoints: readonly Record<string, unknown>[],
  ports?: unknown,
) {
  return {
    kind: "EndpointSlice",
    apiVersion: "discovery.k8s.io/v1",
    metadata: {
      name,
      generateName: "orders-",
      namespace: "shop",
      uid: `uid-${name}`,
      resourceVersion: String(version),
      generation: 3,
      labels: {
        "app.kubernetes.io/version": "v1.4.0",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        "kubernetes.io/service-name": "orders",
      },
    },
    addressType: "IPv4",
    endpoints,
    ports: ports ?? [
      { name: "metrics", port: 9090, protocol: "TCP" },
      { name: "grpc", port: 50051, protocol: "TCP" },
    ],
  };
}

export function podEndpoint(pod: string, address: string, conditions: Record<string, boolean> = {}) {
  return {
    addresses: [address],
    conditions: { ready: true, serving: true, terminating: false, ...conditions },
    nodeName: "node-a",
    targetRef: { kind: "Pod", namespace: "shop", name: pod, uid: `uid-${pod}` },
    zone: "eu-1a",
  };
}

export interface ScriptedApiServer {
  readonly url: string;
  /** The slices that a list returns, by name. */
  readonly slices: Map<string, ReturnType<typeof endpointSlice>>;
  version: number;
  /** The requests so far: path and query, with their authorization. */
  readonly requests: readonly { readonly url: URL; readonly authorization: string | undefined }[];
  /** The status of lists and watches. Default 200. */
  status: number;
  /** Sends an event to every open watch. */
  send(type: string, object: Record<string, unknown>): void;
  /** Resolves when a watch is open. */
  watched(): Promise<void>;
  /** Ends the open watches: regularly, or by destroying the connection. */
  endWatches(how: "end" | "cut"): void;
  close(): Promise<void>;
}

export async function startScriptedApiServer(): Promise<ScriptedApiServer> {
  const open = new Set<ServerResponse>();
  let onWatch: () => void = () => {};
  const requests: { url: URL; authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "", "http://127.0.0.1");
    requests.push({ url, authorization: request.headers.authorization });
    response.setHeader("content-type", "application/json");
    if (scripted.status !== 200) {
      response.statusCode = scripted.status;
      const message =
        'endpointslices.discovery.k8s.io is forbidden: User "system:serviceaccount:shop:default" cannot list';
      response.end(
        JSON.stringify({ kind: "Status", apiVersion: "v1", status: "Failure", message, code: scripted.status }),
      );
      return;
    }
    if (url.searchParams.get("watch") === "1") {
      response.flushHeaders();
      open.add(response);
      response.on("close", () => open.delete(response));
      onWatch();
      return;
    }
    const selector = url.searchParams.get("labelSelector");
    const all = [...scripted.slices.values()].filter(({ metadata: { labels } }) =>
      Object.entries(labels).some(([label, value]) => `${label}=${value}` === selector),
    );
    // Pages of two, whatever the limit: a server may send fewer.
    const from = Number(url.searchParams.get("continue") ?? 0);
    const metadata = {
      resourceVersion: String(scripted.version),
      ...(from + 2 < all.length && { continue: String(from + 2), remainingItemCount: all.length - from - 2 }),
    };
    const items = all.slice(from, from + 2);
    response.end(JSON.stringify({ kind: "EndpointSliceList", apiVersion: "discovery.k8s.io/v1", metadata, items }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const scripted: ScriptedApiServer = {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    slices: new Map(),
    version: 100,
    requests,
    status: 200,
    send(type, object) {
      for (const response of open) response.write(`${JSON.stringify({ type, object })}\n`);
    },
    async watched() {
      if (open.size > 0) return;
      await new Promise<void>((resolve) => {
        onWatch = resolve;
      });
    },
    endWatches(how) {
      for (const response of [...open]) {
        open.delete(response);
        if (how === "end") response.end();
        else response.destroy();
      }
    },
    async close() {
      scripted.endWatches("cut");
      server.closeAllConnections();
      const closed = once(server, "close");
      server.close();
      await closed;
    },
  };
  return scripted;
}
