import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { createClient } from "@connectrpc/connect";
import * as grpcJs from "@grpc/grpc-js";
import { type ChannelOptions, createChannel, createServer } from "@tercel/grpc";
import { createHealth } from "@tercel/grpc/services";
import { createAuthority, withoutOpenssl } from "@tercel/test-support/certificates";
import { startGoPeer, startPythonPeer, withoutGo, withoutPython } from "@tercel/test-support/peers";
import type { StartedProgram } from "@tercel/test-support/programs";
import { recordingLog } from "./support/open-echo.ts";

const health = createHealth();
const checkPath = "/grpc.health.v1.Health/Check";
/** HealthCheckResponse with the status SERVING. */
const serving = Buffer.from([8, 1]);

/** What the other side says of one call. */
interface Outcome {
  /** The name of the gRPC status, as OK or Unavailable. */
  readonly code: string;
  readonly message: string;
}

/** What a server saw of a call; what its implementation does not expose is missing. */
interface SeenCall {
  readonly authority?: string;
  /** As sent in TLS (SNI). */
  readonly serverName?: string;
}

/** A server of one implementation. */
interface PeerServer {
  readonly port: number;
  /** Returns what it saw of the next call. */
  seen(): Promise<SeenCall>;
}

/**
 * Every implementation against every other with the same certificates, which name no address: what one takes to be the server's
 * name, the others do too.
 */
describe("TLS with certificates that name DNS names only", { skip: withoutOpenssl }, () => {
  let folder: string;
  let ca: Buffer;
  let local: { key: Buffer; cert: Buffer };
  let orders: { key: Buffer; cert: Buffer };
  const file = (name: string): string => join(folder, name);

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "tercel-tls-peers-"));
    const authority = createAuthority();
    ca = authority.cert;
    local = authority.issue({ commonName: "server", names: ["DNS:localhost"] });
    orders = authority.issue({ commonName: "server", names: ["DNS:orders.internal"] });
    authority.dispose();
    writeFileSync(file("ca.pem"), ca);
    for (const [name, pair] of Object.entries({ local, orders })) {
      writeFileSync(file(`${name}.crt`), pair.cert);
      writeFileSync(file(`${name}.key`), pair.key);
    }
  });
  after(() => rmSync(folder, { recursive: true }));

  // ---- servers

  type Pair = "local" | "orders";

  async function serveTercel(t: TestContext, name: Pair): Promise<PeerServer> {
    const seen: SeenCall[] = [];
    let serverName = "";
    const server = createServer({
      routes: health.routes,
      log: recordingLog().log,
      tls: {
        ...(name === "local" ? local : orders),
        SNICallback: (asked, done) => {
          serverName = asked;
          done(null);
        },
      },
      interceptors: [
        (next) => (request) => {
          seen.push({ authority: new URL(request.url).host, serverName });
          return next(request);
        },
      ],
    });
    t.after(() => server.close({ deadlineMs: 0 }));
    const { port } = await server.listen({ port: 0 });
    return { port, seen: async () => seen.shift() ?? assert.fail("no call arrived") };
  }

  async function serveGrpcJs(t: TestContext, name: Pair): Promise<PeerServer> {
    const seen: SeenCall[] = [];
    const server = new grpcJs.Server();
    const { key, cert } = name === "local" ? local : orders;
    server.addService(
      {
        check: {
          path: checkPath,
          requestStream: false,
          responseStream: false,
          requestSerialize: (bytes: Buffer) => bytes,
          requestDeserialize: (bytes: Buffer) => bytes,
          responseSerialize: (bytes: Buffer) => bytes,
          responseDeserialize: (bytes: Buffer) => bytes,
        },
      },
      {
        check: (call: grpcJs.ServerUnaryCall<Buffer, Buffer>, done: grpcJs.sendUnaryData<Buffer>) => {
          seen.push({ authority: call.getHost() });
          done(null, serving);
        },
      },
    );
    t.after(() => server.forceShutdown());
    const credentials = grpcJs.ServerCredentials.createSsl(null, [{ private_key: key, cert_chain: cert }]);
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", credentials, (error, bound) => (error === null ? resolve(bound) : reject(error)));
    });
    return { port, seen: async () => seen.shift() ?? assert.fail("no call arrived") };
  }

  async function servedBy(peer: StartedProgram): Promise<PeerServer> {
    const { port } = JSON.parse(await peer.line());
    return { port, seen: async () => JSON.parse(await peer.line()) };
  }

  const serveGo = (t: TestContext, name: Pair) =>
    servedBy(startGoPeer(t, "tls-health-server", ["-cert", file(`${name}.crt`), "-key", file(`${name}.key`)]));

  const servePython = (t: TestContext, name: Pair) =>
    servedBy(startPythonPeer(t, "tls_health_server", ["--cert", file(`${name}.crt`), "--key", file(`${name}.key`)]));

  // ---- clients

  async function callByTercel(_t: TestContext, target: string, authority?: string): Promise<Outcome> {
    const options: ChannelOptions = { tls: { ca }, defaultTimeoutMs: 10_000, log: recordingLog().log };
    const channel = createChannel(target, { ...options, ...(authority !== undefined && { authority }) });
    try {
      await createClient(health.service, channel).check({});
      return { code: "OK", message: "" };
    } catch (error) {
      return { code: "Unavailable", message: (error as Error).message };
    } finally {
      await channel.close();
    }
  }

  async function callByGrpcJs(_t: TestContext, target: string, authority?: string): Promise<Outcome> {
    const named =
      authority === undefined
        ? {}
        : { "grpc.default_authority": authority, "grpc.ssl_target_name_override": authority.split(":")[0] };
    const client = new grpcJs.Client(target, grpcJs.credentials.createSsl(ca), named as grpcJs.ClientOptions);
    const bytes = (buffer: Buffer): Buffer => buffer;
    const outcome = await new Promise<Outcome>((resolve) => {
      client.makeUnaryRequest(checkPath, bytes, bytes, Buffer.alloc(0), { deadline: Date.now() + 10_000 }, (error) => {
        resolve(error === null ? { code: "OK", message: "" } : { code: "Unavailable", message: error.details });
      });
    });
    client.close();
    return outcome;
  }

  async function callByGo(t: TestContext, target: string, authority?: string): Promise<Outcome> {
    const named = authority === undefined ? [] : ["-authority", authority];
    return JSON.parse(
      await startGoPeer(t, "health-check", ["-target", target, "-ca", file("ca.pem"), ...named]).line(),
    );
  }

  async function callByPython(t: TestContext, target: string, authority?: string): Promise<Outcome> {
    const named = authority === undefined ? [] : ["--authority", authority];
    const args = ["--target", target, "--ca", file("ca.pem"), ...named];
    const outcome = JSON.parse(await startPythonPeer(t, "health_check", args).line()) as Outcome;
    return { ...outcome, code: outcome.code === "UNAVAILABLE" ? "Unavailable" : outcome.code };
  }

  const pairs = [
    ["Tercel", callByTercel, "Tercel", serveTercel, false],
    ["grpc-js", callByGrpcJs, "Tercel", serveTercel, false],
    ["Tercel", callByTercel, "grpc-js", serveGrpcJs, false],
    ["grpc-go", callByGo, "Tercel", serveTercel, withoutGo],
    ["Tercel", callByTercel, "grpc-go", serveGo, withoutGo],
    ["Python", callByPython, "Tercel", serveTercel, withoutPython],
    ["Tercel", callByTercel, "Python", servePython, withoutPython],
  ] as const;
  for (const [client, call, serverName, serve, skip] of pairs) {
    it(`a ${client} client verifies a ${serverName} server by the target's name, and calls it by that`, {
      skip,
    }, async (t) => {
      const server = await serve(t, "local");
      for (const target of [`localhost:${server.port}`, `dns:///localhost:${server.port}`]) {
        assert.deepEqual(await call(t, target).then(({ code, message }) => ({ code, message })), {
          code: "OK",
          message: "",
        });
        const seen = await server.seen();
        assert.equal(seen.authority ?? `localhost:${server.port}`, `localhost:${server.port}`);
        assert.equal(seen.serverName ?? "localhost", "localhost");
      }
    });

    it(`a ${client} client refuses a ${serverName} server of another name, until the authority names it`, {
      skip,
    }, async (t) => {
      const server = await serve(t, "orders");
      const target = `localhost:${server.port}`;
      assert.equal((await call(t, target)).code, "Unavailable");
      assert.equal((await call(t, target, "orders.internal:443")).code, "OK");
      const seen = await server.seen();
      assert.match(seen.authority ?? "orders.internal", /^orders\.internal(:443)?$/);
      assert.equal(seen.serverName ?? "orders.internal", "orders.internal");
    });
  }
});
