/**
 * `node server.ts DESCRIPTOR_SET`: the server for the suite's clients. The runner starts it once per configuration. It reads a
 * ServerCompatRequest, listens accordingly, reports its address, and serves until SIGTERM.
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { createGateway } from "@tercel/gateway";
import { createServer } from "@tercel/grpc";
import { createConformanceService } from "./conformance-service.ts";
import type { ServerCompatRequest } from "./messages.ts";
import { loadSchemas } from "./schemas.ts";
import { formatDelimited, readDelimited } from "./size-delimited.ts";

const schemas = loadSchemas(process.argv[2] as string);
const { value } = await readDelimited(process.stdin).next();
if (value === undefined) throw new Error("the runner sent no request");
const request = fromBinary(schemas.serverCompatRequest, value) as ServerCompatRequest;

const { serverCreds, clientTlsCert, messageReceiveLimit } = request;
const server = createServer({
  routes: (router) => router.service(schemas.service, createConformanceService(schemas)),
  gateway: createGateway(),
  jsonOptions: { registry: schemas.registry },
  // Some cases test compression with small messages.
  compressMinBytes: 0,
  ...(messageReceiveLimit === 0 ? {} : { maxReceiveMessageBytes: messageReceiveLimit }),
  ...(request.useTls ? { tls: { ...tlsCredentials(), ...clientCertificates() } } : {}),
});
const { host, port } = await server.listen({ port: 0 });
process.on("SIGTERM", () => {
  server.close({ deadlineMs: 0 }).then(() => process.exit(0));
});
const response = create(schemas.serverCompatResponse, {
  host,
  port,
  ...(request.useTls ? { pemCert: serverCreds?.cert ?? new Uint8Array(0) } : {}),
});
process.stdout.write(formatDelimited(toBinary(schemas.serverCompatResponse, response)));

function tlsCredentials(): { cert: Buffer; key: Buffer } {
  if (serverCreds === undefined) throw new Error("the runner requested TLS without a certificate");
  return { cert: Buffer.from(serverCreds.cert), key: Buffer.from(serverCreds.key) };
}

function clientCertificates() {
  if (clientTlsCert.length === 0) return {};
  return { ca: Buffer.from(clientTlsCert), requestCert: true, rejectUnauthorized: true };
}
