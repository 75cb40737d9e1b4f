/**
 * The server of the soaks, in its own process: `--port`, `--tls-key` and `--tls-cert` for a second listener, `--record-ids`,
 * `--work-ms` for calls that take this CPU time, with load shedding.
 * It reports its address and responds to requests of its parent. SIGTERM drains it, and then it reports the served calls.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { createServer } from "@tercel/grpc";
import { createLoadShedding } from "@tercel/interceptors/load-shedding";
import { onStopSignals } from "@tercel/service/lifecycle";
import { LoadService } from "../gen/tercel/soak/v1/load_pb.ts";
import { sampleMemory } from "../memory.ts";
import { createLoadServer } from "./load-service.ts";
import type { FromServer, ToServer } from "./server-messages.ts";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    "tls-key": { type: "string" },
    "tls-cert": { type: "string" },
    "record-ids": { type: "boolean", default: false },
    "work-ms": { type: "string" },
  },
});
const workMs = values["work-ms"] === undefined ? undefined : Number(values["work-ms"]);
const load = createLoadServer(values["record-ids"], workMs);
const shedding = workMs === undefined ? undefined : createLoadShedding();
const routes = {
  compressMinBytes: 1024,
  ...(shedding !== undefined && { interceptors: [shedding] }),
  routes: (router: Parameters<Parameters<typeof createServer>[0]["routes"]>[0]) =>
    router.service(LoadService, load.service),
};
const server = createServer(routes);
const { port } = await server.listen({ port: Number(values.port) });
const { "tls-key": key, "tls-cert": cert } = values;
const secure =
  key === undefined || cert === undefined
    ? undefined
    : createServer({ ...routes, tls: { key: readFileSync(key), cert: readFileSync(cert) } });
const tlsPort = secure === undefined ? undefined : (await secure.listen({ port: 0 })).port;

process.on("message", (asked: ToServer) => {
  if (asked === "memory") send({ kind: "memory", memory: sampleMemory() });
  else send({ kind: "activity", sockets: openSockets(), running: load.running });
});
// Without its parent, the server is not needed.
process.on("disconnect", () => process.exit(1));
onStopSignals({
  async stop() {
    await Promise.all([server.close(), secure?.close()]);
    send({ kind: "served", ids: load.servedIds ?? [] }, () => process.exit(0));
  },
});
send({ kind: "listening", port, tlsPort });

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap" || name === "TLSWrap").length;
}

function send(message: FromServer, then: () => void = () => {}): void {
  process.send?.(message, undefined, {}, then);
}
