/** Tercel's interoperability server, with the options of the peers' servers: `--port`, `--use_tls`, `--tls_cert_file`, `--tls_key_file`. */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { createServer } from "@tercel/grpc";
import { markingGzip } from "./compressed-mark.ts";
import { TestService } from "./gen/grpc/testing/test_pb.ts";
import { loadReporting, testService } from "./test-service.ts";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    use_tls: { type: "string", default: "false" },
    tls_cert_file: { type: "string", default: "" },
    tls_key_file: { type: "string", default: "" },
  },
});

const server = createServer({
  routes: (router) => {
    router.service(TestService, testService);
    loadReporting.routes(router);
  },
  compressions: [markingGzip],
  // The mark is an unknown field.
  keepUnknownFields: true,
  ...(values.use_tls === "true"
    ? { tls: { cert: readFileSync(values.tls_cert_file), key: readFileSync(values.tls_key_file) } }
    : {}),
});
const { port } = await server.listen({ port: Number(values.port) });
console.log(port);
process.once("SIGTERM", () => server.close({ deadlineMs: 0 }));
