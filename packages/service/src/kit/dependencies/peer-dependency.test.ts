import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { createStaticRegistry } from "@tercel/discovery/static";
import type { Clock } from "@tercel/grpc";
import { createHealth } from "@tercel/grpc/services";
import { createFakeClock, createInMemoryTransport } from "@tercel/grpc/testing";
import { parse } from "valibot";
import { dependencySection } from "../../config/service-schema/dependencies-section.ts";
import { peerDependency } from "./peer-dependency.ts";
import { selfService } from "./service-health.ts";

interface Peer {
  readonly versions: readonly string[];
  /** What the peer says of itself; undefined for one that does not know the name. */
  readonly self?: "SERVING" | "NOT_SERVING";
  readonly whole?: "SERVING" | "NOT_SERVING";
}

function openPeer(test: TestContext, { versions, self, whole = "SERVING" }: Peer, clock: Clock = createFakeClock()) {
  const health = createHealth();
  health.setStatus("", whole);
  if (self !== undefined) health.setStatus(selfService, self);
  const transport = createInMemoryTransport({ routes: health.routes });
  const services = versions.map((version, at) => ({ address: "127.0.0.1", port: at + 1, version }));
  const registry = createStaticRegistry({ services: { orders: services } });
  test.after(async () => {
    await transport.close();
    await registry.close();
  });
  const dependency = parse(dependencySection, { name: "orders", version: "v1" });
  return peerDependency(dependency, { ...elsewhere, registry, channel: () => transport, clock });
}

/** Another process, which is required. */
const elsewhere = { isNearby: () => false, isRequired: () => true };

const signal = new AbortController().signal;

describe("another service as a dependency", () => {
  it("is there when an instance of the version says SERVING for itself, whatever it depends on", async (t) => {
    const dependency = openPeer(t, { versions: ["v1.4.0", "v2.0.0"], self: "SERVING", whole: "NOT_SERVING" });
    await dependency.check(signal);
    assert.equal(dependency.name, "orders v1");
    assert.equal(dependency.required, true);
    assert.equal(dependency.note?.(), "");
  });

  it("that does not know the name of itself is asked as a whole", async (t) => {
    await openPeer(t, { versions: ["v1.0.0"] }).check(signal);
    await assert.rejects(openPeer(t, { versions: ["v1.0.0"], whole: "NOT_SERVING" }).check(signal), {
      message: "orders v1: the server says NOT_SERVING",
    });
  });

  it("without an instance says where it was looked for, and how long ago", async (t) => {
    const clock = createFakeClock();
    const dependency = openPeer(t, { versions: [] }, clock);
    await assert.rejects(dependency.check(signal), {
      message: "orders v1: no instance at the configuration's list of services",
    });
    await clock.advance(2_000);
    assert.equal(dependency.note?.(), " (asked 2 s ago)");
  });

  it("of other versions says which there are", async (t) => {
    await assert.rejects(openPeer(t, { versions: ["v2.0.1", "v2.1.0"] }).check(signal), {
      message: "orders v1: 2 instances, v2.0.1 and v2.1.0; none is v1",
    });
    await assert.rejects(openPeer(t, { versions: [""] }).check(signal), {
      message: "orders v1: 1 instance, without a version; none is v1",
    });
  });
});

it("a service under an address of its own, or in this process, is not looked up", async (t) => {
  const health = createHealth();
  const transport = createInMemoryTransport({ routes: health.routes });
  t.after(() => transport.close());
  const clock = createFakeClock();
  const lookup = { channel: () => transport, clock, isRequired: () => false };
  const placed = parse(dependencySection, { name: "orders", target: "dns:///orders:50051", required: false });
  const peer = peerDependency(placed, { ...lookup, registry: undefined, isNearby: () => false });
  await peer.check(signal);
  assert.equal(peer.required, false);
  const registry = createStaticRegistry({ services: {} });
  t.after(() => registry.close());
  const near = parse(dependencySection, { name: "orders" });
  await peerDependency(near, { ...lookup, registry, isNearby: () => true }).check(signal);
});
