import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Registry } from "../port/registry.ts";
import { watching } from "./watching.ts";

/** A registry that cannot register, as the contract tests it. */
export interface ReadOnlyRegistrySubject {
  readonly registry: Registry;
  /** Replaces the instances of a service in the list: one for each address, all with the same port. */
  publish(service: string, addresses: readonly string[], port: number): void | Promise<void>;
  close(): Promise<void>;
}

const timeout = 60_000;
const service = "orders";
const port = 50_051;

/** Declares tests for the contract of `Registry` against an adapter that cannot register. `open` is called for each test. */
export function describeReadOnlyRegistryContract(name: string, open: () => Promise<ReadOnlyRegistrySubject>): void {
  async function using(run: (subject: ReadOnlyRegistrySubject) => Promise<void>): Promise<void> {
    const subject = await open();
    try {
      await run(subject);
    } finally {
      await subject.close();
    }
  }

  describe(`${name} fulfils the contract of registries that cannot register`, { timeout }, () => {
    test("reports the instances of the list, and none for a name without one", () =>
      using(async ({ registry, publish }) => {
        await publish(service, ["10.0.0.1", "10.0.0.2"], port);
        assert.deepEqual(placesOf(await registry.getService(service)), [`10.0.0.1:${port}`, `10.0.0.2:${port}`]);
        for (const { id, name: of, health } of await registry.getService(service)) {
          assert.ok(id !== "");
          assert.equal(of, service);
          assert.notEqual(health, "not_serving");
        }
        assert.deepEqual(await registry.getService("absent"), []);
      }));

    test("reports added and removed instances to a watcher", () =>
      using(async ({ registry, publish }) => {
        await publish(service, ["10.0.0.1"], port);
        const watch = watching(registry, service);
        const first = await watch.until(({ instances }) => instances.length === 1);
        assert.deepEqual(placesOf(first.added), [`10.0.0.1:${port}`]);
        await publish(service, ["10.0.0.1", "10.0.0.2"], port);
        const second = await watch.until(({ instances }) => instances.length === 2);
        assert.deepEqual(placesOf(second.added), [`10.0.0.2:${port}`]);
        assert.deepEqual([second.removed, second.ageMs], [[], 0]);
        await publish(service, ["10.0.0.2"], port);
        const third = await watch.until(({ instances }) => instances.length === 1);
        assert.deepEqual(placesOf(third.removed), [`10.0.0.1:${port}`]);
        watch.close();
      }));

    test("reports that it cannot register, and rejects registrations", () =>
      using(async ({ registry }) => {
        assert.equal(registry.canRegister, false);
        assert.notEqual(registry.description, "");
        const refused = registry.register({ name: service, address: "10.0.0.9", port });
        await assert.rejects(refused, (error) => ConnectError.from(error).code === Code.Unimplemented);
        await registry.deregister("10.0.0.9");
      }));

    test("rejects an invalid service name", () =>
      using(async ({ registry }) => {
        await assert.rejects(registry.getService("a/b"), /getService: .*has to be/);
      }));
  });
}

const placesOf = (instances: readonly { readonly address: string; readonly port: number }[]): string[] =>
  instances.map((one) => `${one.address}:${one.port}`).sort();
