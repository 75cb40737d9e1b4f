import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { describeRegistryContract } from "@tercel/discovery/contracts";
import { createEtcdRegistry, type EtcdRegistryOptions } from "@tercel/discovery/etcd";
import { createBackoff } from "@tercel/grpc";
import { createServerProcess, findProgram, freePorts, type ServerProcess } from "@tercel/test-support/servers";
import { hasIds, idsOf, watching } from "../src/contracts/watching.ts";
import { silentLog as log } from "./support/silent-log.ts";
import { startProxy } from "./support/tcp-proxy.ts";

const program = findProgram("etcd");
const skip = program === undefined && "etcd is not installed; .ci/run installs it";
const backoff = createBackoff({ initialDelayMs: 50, maxDelayMs: 200 });

interface RunningEtcd {
  readonly etcd: ServerProcess;
  readonly endpoint: string;
  /** Sends a request to etcd's JSON gateway, for steps that the registry never makes. */
  ask(path: string, body: Record<string, unknown>, token?: string): Promise<Record<string, unknown>>;
}

async function startEtcd(): Promise<RunningEtcd> {
  const [one] = await startCluster(1);
  return one as RunningEtcd;
}

/** Starts the members of one cluster. */
async function startCluster(size: number): Promise<RunningEtcd[]> {
  const ports = await freePorts(2 * size);
  const peers = ports.slice(size).map((port) => `http://127.0.0.1:${port}`);
  const cluster = peers.map((url, at) => `m${at}=${url}`).join(",");
  const members = peers.map((peer, at) => describeMember(`m${at}`, `http://127.0.0.1:${ports[at]}`, peer, cluster));
  // None is ready before a majority has started.
  await Promise.all(members.map(({ etcd }) => etcd.start()));
  return members;
}

function describeMember(name: string, url: string, peer: string, cluster: string): RunningEtcd {
  const etcd = createServerProcess((folder) => ({
    program: program ?? "etcd",
    args: [
      `--name=${name}`,
      `--data-dir=${folder}/data`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=${cluster}`,
      "--log-level=info",
      // All are on one machine, so the election timeout can be shorter than over a network.
      "--heartbeat-interval=50",
      "--election-timeout=500",
    ],
    // It reports healthy once there is a leader.
    readyTexts: ["ready to serve client requests"],
  }));
  return {
    etcd,
    endpoint: new URL(url).host,
    async ask(path, body, token) {
      const headers = token === undefined ? {} : { authorization: token };
      const answer = await fetch(`${url}/v3/${path}`, { method: "POST", body: JSON.stringify(body), headers });
      return (await answer.json()) as Record<string, unknown>;
    },
  };
}

const base64 = (text: string) => Buffer.from(text).toString("base64");

describe("etcd", { skip, timeout: 120_000 }, () => {
  let running: RunningEtcd;
  const connect = (options: EtcdRegistryOptions = {}) =>
    createEtcdRegistry({ endpoints: [running.endpoint], log, backoff, ...options });

  before(async () => {
    running = await startEtcd();
  });
  after(() => running.etcd.dispose());

  describeRegistryContract("etcd", () => ({ open: connect }));

  test("removes an instance that stops renewing when its lease expires", async () => {
    const folder = import.meta.dirname;
    const lived = execFileSync(
      process.execPath,
      ["--conditions=source", join(folder, "support/register-and-die.ts"), running.endpoint],
      { encoding: "utf8" },
    );
    assert.equal(lived, "registered\n");
    const registry = connect();
    const watch = watching(registry, "dies");
    await watch.until(({ instances }) => instances.length === 0);
    assert.ok(watch.snapshots.length <= 2);
    watch.close();
    await registry.close();
  });

  test("registers an instance again whose key or lease was deleted", async () => {
    const registry = connect({ leaseMs: 2000 });
    await registry.register({ name: "lost", id: "one", address: "127.0.0.1", port: 1 });
    const watch = watching(registry, "lost");
    await watch.until(hasIds("one"));
    await running.ask("kv/deleterange", { key: base64("/tercel/services/lost/one") });
    await watch.until(hasIds());
    await watch.until(hasIds("one"));
    const { leases } = (await running.ask("lease/leases", {})) as { leases: { ID: string }[] };
    for (const { ID } of leases) await running.ask("lease/revoke", { ID });
    await watch.until(hasIds());
    await watch.until(hasIds("one"));
    watch.close();
    await registry.close();
  });

  test("removes no instance while etcd is down, and continues the watch from its revision", async () => {
    const registry = connect();
    const other = connect();
    await registry.register({ name: "stays", id: "one", address: "127.0.0.1", port: 1 });
    const watch = watching(other, "stays");
    await watch.until(hasIds("one"));
    await running.etcd.kill();
    const { error } = await watch.problem();
    assert.match(error.rawMessage, /^etcd at 127\.0\.0\.1:\d+ does not respond: .*attempt 1/);
    await running.etcd.start();
    const back = await watch.until(({ ageMs, added }) => ageMs === 0 && added.length === 0);
    assert.deepEqual([idsOf(back.instances), back.changed, back.removed], [["one"], [], []]);
    await registry.register({ name: "stays", id: "two", address: "127.0.0.1", port: 2 });
    await watch.until(hasIds("one", "two"));
    assert.ok(watch.snapshots.every(({ instances }) => idsOf(instances).includes("one")));
    watch.close();
    await registry.close();
    await other.close();
  });

  test("lists again when the missed revisions were compacted", async () => {
    const registry = connect();
    const other = connect();
    const gone = await registry.register({ name: "compacted", id: "gone", address: "127.0.0.1", port: 1 });
    await registry.register({ name: "compacted", id: "stays", address: "127.0.0.1", port: 2 });
    const proxy = await startProxy(running.endpoint);
    const far = createEtcdRegistry({ endpoints: [proxy.endpoint], log, backoff });
    const watch = watching(far, "compacted");
    await watch.until(hasIds("gone", "stays"));
    await proxy.cut();
    await watch.problem();
    await gone.deregister();
    await registry.register({ name: "compacted", id: "new", address: "127.0.0.1", port: 3 });
    const { header } = (await running.ask("kv/range", { key: base64("x") })) as { header: { revision: string } };
    await running.ask("kv/compaction", { revision: header.revision, physical: true });
    await proxy.repair();
    await watch.until(hasIds("new", "stays"));
    watch.close();
    for (const one of [registry, other, far]) await one.close();
    await proxy.close();
  });

  test("reads more instances than fit into one response, and skips invalid entries", async () => {
    const warnings: string[] = [];
    const registry = connect({ log: { ...log, warn: (_, fields) => void warnings.push(String(fields?.instance)) } });
    const ids = Array.from({ length: 1201 }, (_, at) => `i${String(at).padStart(5, "0")}`);
    for (const id of ids) {
      const value = base64(JSON.stringify({ address: "10.0.0.1", port: 1, version: "v1" }));
      await running.ask("kv/put", { key: base64(`/tercel/services/many/${id}`), value });
    }
    await running.ask("kv/put", { key: base64("/tercel/services/many/broken"), value: base64("{") });
    await running.ask("kv/put", { key: base64("/tercel/services/many/portless"), value: base64("{}") });
    const found = await registry.getService("many");
    assert.deepEqual(idsOf(found), ids);
    assert.equal(found[0]?.health, "unknown");
    assert.deepEqual(warnings.sort(), ["broken", "portless"]);
    await registry.close();
  });
});

describe("an etcd cluster", { skip, timeout: 120_000 }, () => {
  test("registrations and watches survive the death of any member, and no instance is removed without a majority", async () => {
    const members = await startCluster(3);
    const endpoints = members.map(({ endpoint }) => endpoint);
    const registry = createEtcdRegistry({ endpoints, log, backoff });
    const other = createEtcdRegistry({ endpoints, log, backoff });
    const watch = watching(other, "orders");
    try {
      const ids: string[] = [];
      const registerOneMore = async (): Promise<void> => {
        ids.push(`i${ids.length}`);
        await registry.register({ name: "orders", id: ids.at(-1) ?? "", address: "127.0.0.1", port: 1 + ids.length });
        await watch.until(hasIds(...ids));
        assert.deepEqual(idsOf(await other.getService("orders")), ids);
      };
      await registerOneMore();
      for (const { etcd } of members) {
        await etcd.kill();
        await registerOneMore();
        await etcd.start();
      }
      // The remaining member has no leader. It must report that, because silence would look like no change.
      const [last, ...most] = members;
      const problems = watch.problems.length;
      await Promise.all(most.map(({ etcd }) => etcd.kill()));
      while (watch.problems.length === problems) await watch.problem();
      assert.ok(last !== undefined);
      await Promise.all(most.map(({ etcd }) => etcd.start()));
      await registerOneMore();
      // Each instance is in every snapshot from its first one on.
      let known = 0;
      for (const { instances } of watch.snapshots) {
        assert.ok(instances.length >= known);
        known = instances.length;
      }
    } finally {
      watch.close();
      await registry.close();
      await other.close();
      await Promise.all(members.map(({ etcd }) => etcd.dispose()));
    }
  });

  test("a watch at a member without a leader reports a problem, although the member responds", async () => {
    const members = await startCluster(3);
    const [lonely, ...most] = members;
    const registry = createEtcdRegistry({ endpoints: [lonely?.endpoint ?? ""], log, backoff, timeoutMs: 3000 });
    const watch = watching(registry, "orders");
    try {
      await registry.register({ name: "orders", id: "one", address: "127.0.0.1", port: 1 });
      await watch.until(hasIds("one"));
      await Promise.all(most.map(({ etcd }) => etcd.kill()));
      const { error } = await watch.problem();
      assert.match(error.rawMessage, /no leader|does not respond/);
      await Promise.all(most.map(({ etcd }) => etcd.start()));
      await watch.until(({ ageMs, instances }) => ageMs === 0 && idsOf(instances).join() === "one");
    } finally {
      watch.close();
      await registry.close();
      await Promise.all(members.map(({ etcd }) => etcd.dispose()));
    }
  });
});

describe("etcd with authentication", { skip, timeout: 60_000 }, () => {
  test("authenticates with user and password, and again when the token becomes invalid", async () => {
    const { etcd, endpoint, ask } = await startEtcd();
    try {
      await ask("auth/user/add", { name: "root", password: "secret" });
      await ask("auth/role/add", { name: "root" });
      await ask("auth/user/grant", { user: "root", role: "root" });
      await ask("auth/enable", {});
      const options = { endpoints: [endpoint], log, backoff, leaseMs: 2000 };
      const registry = createEtcdRegistry({ ...options, user: "root", password: () => "secret" });
      await registry.register({ name: "orders", id: "one", address: "127.0.0.1", port: 1 });
      const watch = watching(registry, "orders");
      await watch.until(hasIds("one"));
      // Any change of a role invalidates the existing tokens.
      const { token } = (await ask("auth/authenticate", { name: "root", password: "secret" })) as { token: string };
      await ask("auth/role/add", { name: "reader" }, token);
      await registry.register({ name: "orders", id: "two", address: "127.0.0.1", port: 2 });
      await watch.until(hasIds("one", "two"));
      watch.close();
      await registry.close();

      const wrong = createEtcdRegistry({ ...options, user: "root", password: "wrong" });
      const refused = wrong.register({ name: "orders", id: "three", address: "127.0.0.1", port: 3 });
      await assert.rejects(refused, (error) => {
        const { code, rawMessage } = ConnectError.from(error);
        assert.ok(code === Code.InvalidArgument || code === Code.Unauthenticated, String(code));
        assert.match(rawMessage, /etcd at .* refuses to register orders \(three\): .*authentication failed/);
        return true;
      });
      await wrong.close();
    } finally {
      await etcd.dispose();
    }
  });
});

test("createEtcdRegistry rejects invalid options by name", () => {
  assert.throws(() => createEtcdRegistry({ endpoint: "x" } as EtcdRegistryOptions), /did you mean "endpoints"/);
  assert.throws(() => createEtcdRegistry({ leaseMs: 1999 }), /leaseMs is 1999/);
  assert.throws(() => createEtcdRegistry({ user: "root" }), /set user and password together/);
  assert.throws(() => createEtcdRegistry({ prefix: "/services/" }), /must not be empty or end with a slash/);
  assert.throws(() => createEtcdRegistry({ endpoints: [] }), /endpoints is empty/);
});
