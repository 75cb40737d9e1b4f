import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { Code, createClient } from "@connectrpc/connect";
import { type Channel, type ChannelOptions, createChannel, createServer, type ListenOptions } from "@tercel/grpc";
import type { Address, Endpoint, ResolverFactory, ResolverListener } from "@tercel/grpc/naming";
import { assertStatus } from "@tercel/grpc/testing";
import { createAuthority, withoutOpenssl } from "@tercel/test-support/certificates";
import { EchoService } from "./gen/tercel/grpc/test/v1/echo_pb.ts";
import { echoRoutes, recordingLog } from "./support/open-echo.ts";

/** A resolver whose results the test chooses. */
function resolverOf(...endpoints: readonly Endpoint[]): ResolverFactory & { report(...endpoints: Endpoint[]): void } {
  let listener: ResolverListener | undefined;
  return {
    scheme: "test",
    create(_target, given) {
      listener = given;
      given.onResult({ endpoints });
      return { resolveNow() {}, close() {} };
    },
    report: (...changed) => void listener?.onResult({ endpoints: changed }),
  };
}

const endpoint = (port: number, authority?: string): Endpoint => {
  const address: Address = { host: "127.0.0.1", port, ...(authority !== undefined && { authority }) };
  return { addresses: [address] };
};

describe("the name of a server", { skip: withoutOpenssl }, () => {
  let folder: string;
  let ca: Buffer;
  const pairs: Record<string, { key: Buffer; cert: Buffer }> = {};

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "tercel-server-names-"));
    const authority = createAuthority();
    ca = authority.cert;
    pairs.localhost = authority.issue({ names: ["DNS:localhost"] });
    pairs.services = authority.issue({ names: ["DNS:orders.internal", "DNS:users.internal"] });
    pairs.address = authority.issue({ names: ["IP:127.0.0.1"] });
    authority.dispose();
  });
  after(() => rmSync(folder, { recursive: true }));

  /** Serves with one of the certificates; `seen` gets for each call what TLS asked for, and the `:authority`. */
  async function serve<Where extends ListenOptions>(t: TestContext, pair: string, where: Where) {
    const seen: string[] = [];
    let asked = "";
    const server = createServer({
      routes: echoRoutes({
        unary: (_request, context) => {
          seen.push(`${asked || "nothing"} ${new URL(context.url).host}`);
          return {};
        },
      }),
      tls: {
        ...pairs[pair],
        SNICallback: (serverName, done) => {
          asked = serverName;
          done(null);
        },
      },
      log: recordingLog().log,
    });
    t.after(() => server.close({ deadlineMs: 0 }));
    return { server, seen, address: await server.listen(where) };
  }

  function open(
    t: TestContext,
    target: string,
    options: ChannelOptions = {},
  ): { channel: Channel; call(): Promise<unknown> } {
    const channel = createChannel(target, {
      tls: { ca },
      defaultTimeoutMs: 10_000,
      log: recordingLog().log,
      ...options,
    });
    t.after(() => channel.close());
    const client = createClient(EchoService, channel);
    return { channel, call: () => client.unary({}) };
  }

  it("is the host of the target, and an address is verified but not sent", async (t) => {
    const named = await serve(t, "localhost", { port: 0 });
    await open(t, `localhost:${named.address.port}`).call();
    const numbered = await serve(t, "address", { port: 0 });
    await open(t, `127.0.0.1:${numbered.address.port}`).call();
    await open(t, `ipv4:127.0.0.1:${numbered.address.port}`).call();
    assert.deepEqual(named.seen, [`localhost localhost:${named.address.port}`]);
    assert.deepEqual(numbered.seen, Array(2).fill(`nothing 127.0.0.1:${numbered.address.port}`));
  });

  it("is not the address that it resolves to: a certificate for the address alone is refused", async (t) => {
    const { address } = await serve(t, "address", { port: 0 });
    await assertStatus(
      open(t, `localhost:${address.port}`).call(),
      Code.Unavailable,
      /not for localhost, but for IP Address:127\.0\.0\.1/,
    );
    const { address: other } = await serve(t, "localhost", { port: 0 });
    await assertStatus(
      open(t, `127.0.0.1:${other.port}`).call(),
      Code.Unavailable,
      /not for 127\.0\.0\.1, but for DNS:localhost/,
    );
  });

  it("in a refusal comes with the names of the certificate, and with the option that names another", async (t) => {
    const { address, seen } = await serve(t, "services", { port: 0 });
    const target = `localhost:${address.port}`;
    const error = await assertStatus(open(t, target).call(), Code.Unavailable);
    assert.match(
      error.rawMessage,
      /the server's certificate is not for localhost, but for DNS:orders\.internal, DNS:users\.internal; .* set the channel's authority to a name in its certificate/,
    );
    await open(t, target, { authority: "orders.internal" }).call();
    await open(t, target, { authority: "users.internal:8443" }).call();
    assert.deepEqual(seen, ["orders.internal orders.internal", "users.internal users.internal:8443"]);
  });

  it("in tls.servername is sent as :authority too, unless the authority is another", async (t) => {
    const { address, seen } = await serve(t, "services", { port: 0 });
    const target = `localhost:${address.port}`;
    await open(t, target, { tls: { ca, servername: "orders.internal" } }).call();
    await open(t, target, { tls: { ca, servername: "orders.internal" }, authority: "edge:1" }).call();
    await open(t, target, { tls: () => ({ ca, servername: "users.internal" }) }).call();
    assert.deepEqual(seen, ["orders.internal orders.internal", "orders.internal edge:1", `users.internal ${target}`]);
  });

  it("of a Unix socket is localhost", async (t) => {
    const path = join(folder, "named.sock");
    const { seen } = await serve(t, "localhost", { path });
    await open(t, `unix:${path}`).call();
    assert.deepEqual(seen, ["localhost localhost"]);
  });

  it("of each server of a list is what the list calls it", async (t) => {
    const named = await serve(t, "localhost", { port: 0 });
    const numbered = await serve(t, "address", { port: 0 });
    const target = `static:///localhost:${named.address.port},127.0.0.1:${numbered.address.port}`;
    const serviceConfig = { loadBalancingConfig: [{ round_robin: {} }] };
    const { call } = open(t, target, { serviceConfig });
    while (named.seen.length === 0 || numbered.seen.length === 0) await call();
    assert.equal(named.seen[0], `localhost localhost:${named.address.port}`);
    assert.equal(numbered.seen[0], `nothing 127.0.0.1:${numbered.address.port}`);
  });

  it("is what the resolver calls the server, and without that the target's", async (t) => {
    const { address, seen } = await serve(t, "services", { port: 0 });
    const named = resolverOf(endpoint(address.port, "orders.internal."));
    await open(t, "test:///shop", { resolvers: [named] }).call();
    await open(t, "test:///users.internal", { resolvers: [resolverOf(endpoint(address.port))] }).call();
    assert.deepEqual(seen, ["orders.internal orders.internal.", "users.internal users.internal"]);
    const bare = open(t, "test:///shop", { resolvers: [resolverOf(endpoint(address.port))] });
    await assertStatus(bare.call(), Code.Unavailable, /not for shop, but for DNS:orders/);
  });

  it("in the channel's options is above what the resolver says, since a registry may be misled", async (t) => {
    const { address, seen } = await serve(t, "services", { port: 0 });
    const resolvers = [resolverOf(endpoint(address.port, "users.internal"))];
    await open(t, "test:///shop", { resolvers, authority: "orders.internal" }).call();
    await open(t, "test:///shop", { resolvers, tls: { ca, servername: "orders.internal" } }).call();
    assert.deepEqual(seen, Array(2).fill("orders.internal orders.internal"));
    const strict = open(t, "test:///shop", { resolvers, authority: "payments.internal" });
    await assertStatus(strict.call(), Code.Unavailable, /not for payments\.internal/);
  });

  it("that a resolver gives in a form that no call can carry fails the attempt", async (t) => {
    const resolvers = [resolverOf(endpoint(1, "a\r\nx: y"))];
    await assertStatus(open(t, "test:///shop", { resolvers }).call(), Code.Unavailable, /authority "a\\r\\nx: y"/);
  });

  for (const policy of ["pick_first", "round_robin"]) {
    it(`has connections of its own at an address that two names share, with ${policy}`, async (t) => {
      const { address, seen } = await serve(t, "services", { port: 0 });
      const resolver = resolverOf(endpoint(address.port, "orders.internal"));
      const serviceConfig = { loadBalancingConfig: [{ [policy]: {} }] };
      const { call } = open(t, "test:///shop", { resolvers: [resolver], serviceConfig });
      await call();
      resolver.report(endpoint(address.port, "users.internal"));
      await call();
      resolver.report(endpoint(address.port, "payments.internal"));
      await assertStatus(call(), Code.Unavailable, /not for payments\.internal/);
      assert.deepEqual(seen, ["orders.internal orders.internal", "users.internal users.internal"]);
    });
  }

  it("is chosen for calls without TLS as well", async (t) => {
    const seen: string[] = [];
    const routes = echoRoutes({
      unary: (_request, context) => {
        seen.push(new URL(context.url).host);
        return {};
      },
    });
    const server = createServer({ routes });
    t.after(() => server.close({ deadlineMs: 0 }));
    const { port } = await server.listen({ port: 0 });
    const channel = createChannel("test:///shop", { resolvers: [resolverOf(endpoint(port, "orders.internal"))] });
    t.after(() => channel.close());
    const client = createClient(EchoService, channel);
    await Promise.all([client.unary({}), client.unary({}), client.unary({})]);
    assert.deepEqual(seen, Array(3).fill("orders.internal"));
  });
});

it("an authority that is not a host with or without a port is refused with the option's name", () => {
  for (const authority of ["", "https://a", "a b", "user@a", "::1", 42]) {
    assert.throws(() => createChannel("localhost:1", { authority: authority as string }), {
      name: "TypeError",
      message: /^createChannel: authority is .*; it has to be a host, perhaps with a port/,
    });
  }
});
