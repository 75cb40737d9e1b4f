/** Tercel's client and server must pass every case with each other, so that a failure in the matrix is caused by the other peer. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createContextValues, type Interceptor } from "@connectrpc/connect";
import { createServer, type Server } from "@tercel/grpc";
import { allCases, isSoak } from "./cases.ts";
import { makeCertificates } from "./certificates.ts";
import { compressionCases } from "./client/compression-cases.ts";
import { orcaCases } from "./client/orca-cases.ts";
import { plainCases } from "./client/plain-cases.ts";
import { soak } from "./client/soak.ts";
import { type InteropTarget, openTestChannel } from "./client/test-channel.ts";
import { markingGzip } from "./compressed-mark.ts";
import { TestService } from "./gen/grpc/testing/test_pb.ts";
import { loadReporting, testService } from "./test-service.ts";

const withoutOpenssl =
  spawnSync("openssl", ["version"]).status === 0 ? false : "openssl, which makes certificates, is not installed";

const passOn: Interceptor = (next) => (request) => next({ ...request });
/** An interceptor that sets context values for handlers. */
const replaceValues: Interceptor = (next) => (request) => next({ ...request, contextValues: createContextValues() });

for (const kind of ["cleartext", "TLS", "cleartext with interceptors"] as const) {
  describe(`over ${kind}`, { skip: kind === "TLS" && withoutOpenssl }, () => {
    let folder: string;
    let server: Server;
    let target: InteropTarget;

    const isIntercepted = kind === "cleartext with interceptors";

    before(async () => {
      folder = mkdtempSync(join(tmpdir(), "tercel-interop-self-"));
      const certificates = kind === "TLS" ? makeCertificates(folder) : undefined;
      server = createServer({
        routes: (router) => {
          router.service(TestService, testService);
          loadReporting.routes(router);
        },
        compressions: [markingGzip],
        keepUnknownFields: true,
        interceptors: isIntercepted ? [passOn, replaceValues] : [],
        ...(certificates === undefined
          ? {}
          : { tls: { cert: readFileSync(certificates.certFile), key: readFileSync(certificates.keyFile) } }),
      });
      const { port } = await server.listen({ port: 0 });
      const ca = certificates === undefined ? undefined : readFileSync(certificates.caFile, "utf8");
      target = { host: "127.0.0.1", port, hostOverride: certificates?.serverName, ca };
      if (isIntercepted) target = { ...target, interceptors: [passOn] };
    });

    after(async () => {
      await server.close({ deadlineMs: 0 });
      rmSync(folder, { recursive: true });
    });

    for (const [name, run] of Object.entries({ ...plainCases, ...orcaCases })) {
      test(`${name} passes`, async () => {
        const testChannel = openTestChannel(target);
        await run(testChannel);
        await testChannel.channel.close();
      });
    }

    for (const [name, run] of Object.entries(compressionCases)) {
      test(`${name} passes`, () => run(target));
    }

    for (const perCall of [false, true]) {
      test(`ten large calls pass, ${perCall ? "each over a new channel" : "over one channel"}`, async () => {
        await soak(target, { iterations: 10, maxFailures: 0, maxLatencyMs: 10_000, timeoutMs: 60_000 }, perCall);
      });
    }
  });
}

test("the client has every case of the matrix", () => {
  const known = new Set([...Object.keys(plainCases), ...Object.keys(orcaCases), ...Object.keys(compressionCases)]);
  assert.deepEqual(
    allCases.filter((name) => !known.has(name) && !isSoak(name)),
    [],
  );
});
