import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { createEnvoyConfig, type EnvoyConfigOptions } from "@tercel/gateway";
import { createServer } from "@tercel/grpc";
import { createHealth } from "@tercel/grpc/services";
import { startCommand } from "@tercel/test-support/programs";
import { findProgram, freePorts } from "@tercel/test-support/servers";
import { Library } from "./gen/tercel/gateway/test/v1/library_pb.ts";
import { createLibrary, createLibraryState } from "./support/library.ts";

const quiet = { log: { debug() {}, info() {}, warn() {}, error() {} } };
const root = join(import.meta.dirname, "..", "..", "..");
const upstream = { host: "127.0.0.1", port: 50_051 };

describe("createEnvoyConfig", () => {
  for (const [options, problem] of [
    [{ upstreams: 1 }, /did you mean "upstream"/],
    [{ services: [] }, /services is empty/],
    [{ upstream: { host: "", port: 1 } }, /host is ""/],
    [{ upstream: { host: "a", port: 70_000 } }, /port is 70000/],
    [{ listen: { host: "a" } }, /port is missing/],
    [{ cors: { origins: () => true } }, /which Envoy cannot call/],
    [{ cors: { origins: "*", credentials: true } }, /every origin with credentials/],
    [{ transcode: { descriptor: "a" } }, /did you mean "descriptorSet"/],
  ] as const) {
    it(`rejects ${JSON.stringify(options)}`, () => {
      const given = { services: [Library], upstream, ...options } as unknown as EnvoyConfigOptions;
      assert.throws(() => createEnvoyConfig(given), problem);
    });
  }

  it("warns about settings that Envoy handles differently", () => {
    const { warnings } = createEnvoyConfig({
      services: [Library],
      upstream,
      transcode: { descriptorSet: "api.binpb" },
    });
    assert.ok(warnings.some((one) => one.includes("AIP-193")));
    assert.ok(
      warnings.some((one) =>
        one.startsWith("tercel.gateway.test.v1.Library/UpdateBook: Envoy does not make a field mask"),
      ),
    );
    assert.equal(createEnvoyConfig({ services: [Library], upstream }).warnings.length, 1);
  });
});

const envoy = findProgram("envoy");

describe("Envoy", { skip: envoy === undefined && "envoy is not installed" }, () => {
  const folder = mkdtempSync(join(tmpdir(), "tercel-envoy-"));
  const file = (name: string) => join(folder, name);
  before(() => {
    execFileSync(join(root, "node_modules", ".bin", "buf"), ["build", "-o", file("api.binpb")], {
      cwd: join(root, "packages", "gateway"),
    });
  });
  after(() => rmSync(folder, { recursive: true }));
  const write = (options: Omit<EnvoyConfigOptions, "services">): string => {
    writeFileSync(file("envoy.json"), JSON.stringify(createEnvoyConfig({ services: [Library], ...options }).config));
    return file("envoy.json");
  };

  it("accepts the configuration, also with TLS on both sides", () => {
    execFileSync(
      "openssl",
      [
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"],
        ...["-subj", "/CN=a", "-keyout", file("key.pem"), "-out", file("cert.pem")],
      ],
      { stdio: "pipe" },
    );
    for (const options of [
      { upstream },
      {
        upstream: { ...upstream, tls: { caFile: file("cert.pem") } },
        tls: { certFile: file("cert.pem"), keyFile: file("key.pem") },
        cors: { origins: ["https://app.example.com"], credentials: true },
        transcode: { descriptorSet: readFileSync(file("api.binpb")) },
      },
      { upstream, cors: { origins: "*" as const }, transcode: { descriptorSet: file("api.binpb") } },
    ]) {
      const printed = execFileSync(envoy as string, ["--mode", "validate", "-c", write(options)], {
        ...{ encoding: "utf8", stdio: "pipe" },
      });
      assert.match(printed, /configuration '.*' OK/);
    }
  });

  it("serves gRPC-Web, REST and CORS like the gateway", async (t) => {
    const health = createHealth();
    const server = createServer({
      routes: (router) => {
        health.routes(router);
        router.service(Library, createLibrary(createLibraryState()));
      },
      ...quiet,
    });
    const inner = (await server.listen({ port: 0 })).port;
    const [port = 0] = await freePorts(1);
    const config = write({
      ...{ upstream: { host: "127.0.0.1", port: inner }, listen: { host: "127.0.0.1", port } },
      cors: { origins: ["https://app.example.com"] },
      transcode: { descriptorSet: file("api.binpb") },
    });
    const args = ["--use-dynamic-base-id", "--log-level", "error", "--concurrency", "1"];
    startCommand(t, envoy as string, ["-c", config, ...args]);
    try {
      const url = `http://127.0.0.1:${port}`;
      await served(`${url}/v1/shelves/7/books/1`);
      const rest = await fetch(`${url}/v1/shelves/7/books/1`, { headers: { origin: "https://app.example.com" } });
      assert.equal(((await rest.json()) as { title: string }).title, "Flatland");
      assert.equal(rest.headers.get("access-control-allow-origin"), "https://app.example.com");
      assert.equal((await fetch(`${url}/v1/shelves/7/books/9`)).status, 404);
      assert.equal((await fetch(`${url}/v1/books:watch?cuont=1`)).status, 400);
      const client = createClient(Library, createGrpcWebTransport({ baseUrl: url }));
      assert.equal((await client.getBook({ name: "shelves/7/books/1" })).title, "Flatland");
      const seen: string[] = [];
      for await (const { resumeToken } of client.watchBooks({ count: 3 })) seen.push(resumeToken);
      assert.deepEqual(seen, ["1", "2", "3"]);
    } finally {
      await server.close({ deadlineMs: 0 });
    }
  });
});

/** Resolves when Envoy listens and its upstream is healthy. Polls, because Envoy prints nothing then. */
async function served(url: string): Promise<void> {
  for (;;) {
    const status = await fetch(url).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
