import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Registry } from "../port/registry.ts";
import { hasIds, idsOf, watching } from "./watching.ts";

/** A registry as the contract tests it. */
export interface RegistrySubject {
  /** Returns a new registry object each time, all for the same registry. */
  open(): Registry;
}

/** Consul and etcd need seconds for some steps. */
const timeout = 60_000;

/**
 * Declares tests for the contract of `Registry` against an adapter that can register.
 *
 * @param unique a suffix of the service names, to separate runs against a shared registry
 */
export function describeRegistryContract(name: string, subject: () => RegistrySubject, unique = ""): void {
  const service = `orders${unique}`;

  async function using(run: (registry: Registry, other: Registry) => Promise<void>): Promise<void> {
    const registry = subject().open();
    const other = subject().open();
    try {
      await run(registry, other);
    } finally {
      await registry.close();
      await other.close();
    }
  }

  describe(`${name} fulfils the contract of registries`, { timeout }, () => {
    test("reports an instance as it was registered", () =>
      using(async (registry, other) => {
        const registered = await registry.register({
          name: service,
          id: "one",
          address: "127.0.0.1",
          port: 50052,
          version: "v1.4.0",
          metadata: { zone: "eu-1", tier: "gold, 1", "a-b_C": "c=d, ü" },
          endpoints: ["shop.order.v1.OrderService", "grpc.health.v1.Health"],
          dependencies: ["user-service"],
        });
        assert.equal(registered.isConfirmed, true);
        const [found, ...more] = await other.getService(service);
        assert.deepEqual(more, []);
        // A registry with health checks may not have run one yet.
        assert.deepEqual({ ...found, health: "serving" }, registered.instance);
        await registered.deregister();
        assert.deepEqual(await other.getService(service), []);
      }));

    test("reports the current, added and removed instances to a watcher", () =>
      using(async (registry, other) => {
        await registry.register({ name: service, id: "one", address: "127.0.0.1", port: 1 });
        const watch = watching(other, service);
        const first = await watch.until(hasIds("one"));
        assert.deepEqual(idsOf(first.added), ["one"]);
        await registry.register({ name: service, id: "two", address: "127.0.0.1", port: 2 });
        const second = await watch.until(hasIds("one", "two"));
        assert.deepEqual(idsOf(second.added), ["two"]);
        assert.equal(second.ageMs, 0);
        await registry.deregister("one");
        const third = await watch.until(hasIds("two"));
        assert.deepEqual(idsOf(third.removed), ["one"]);
        assert.equal(watch.ageMs, 0);
        watch.close();
        const seen = watch.snapshots.length;
        await registry.deregister("two");
        assert.equal(watch.snapshots.length, seen);
      }));

    test("reports to a watcher that an instance stops serving, and that it serves again", () =>
      using(async (registry, other) => {
        const one = await registry.register({ name: service, id: "one", address: "127.0.0.1", port: 1 });
        const watch = watching(other, service);
        await watch.until(hasIds("one"));
        one.setHealth("not_serving");
        const changed = await watch.until(({ instances }) => instances[0]?.health === "not_serving");
        assert.deepEqual(idsOf(changed.instances), ["one"]);
        one.setHealth("serving");
        await watch.until(({ instances }) => instances[0]?.health !== "not_serving");
        watch.close();
      }));

    test("reports no instance for an unknown name", () =>
      using(async (_, other) => {
        assert.deepEqual(await other.getService(`absent${unique}`), []);
        const watch = watching(other, `absent${unique}`);
        await watch.until(hasIds());
        watch.close();
      }));

    test("keeps services with similar names apart", () =>
      using(async (registry, other) => {
        await registry.register({ name: `${service}-archive`, id: "archive", address: "127.0.0.1", port: 1 });
        await registry.register({ name: service, id: "one", address: "127.0.0.1", port: 2 });
        assert.deepEqual(idsOf(await other.getService(service)), ["one"]);
      }));

    test("removes its registrations when it is closed", () =>
      using(async (registry, other) => {
        await registry.register({ name: service, id: "one", address: "127.0.0.1", port: 1 });
        const watch = watching(other, service);
        await watch.until(hasIds("one"));
        await registry.close();
        await watch.until(hasIds());
        watch.close();
      }));

    test("rejects an instance that clients could not use", () =>
      using(async (registry) => {
        const wrong = [
          { name: "a/b", address: "a", port: 1 },
          { name: service, address: "0.0.0.0", port: 1 },
          { name: service, address: "a", port: 0 },
        ];
        for (const one of wrong) await assert.rejects(registry.register(one), /register: .*has to be|not an address/);
      }));

    test("rejects a second registration with an id that it already uses", () =>
      using(async (registry) => {
        await registry.register({ name: service, id: "one", address: "127.0.0.1", port: 1 });
        const again = registry.register({ name: service, id: "one", address: "127.0.0.1", port: 2 });
        await assert.rejects(again, (error) => ConnectError.from(error).code === Code.AlreadyExists);
      }));
  });
}
