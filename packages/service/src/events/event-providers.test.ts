import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { StringValueSchema } from "@bufbuild/protobuf/wkt";
import { createOccasion } from "@tercel/test-support/async";
import { createNatsServer, freePorts, withoutNats } from "@tercel/test-support/servers";
import { parse } from "valibot";
import { openEntry, providerOf, testHost } from "../../test/support/provider-host.ts";
import { databaseProviders } from "../database/database-providers.ts";
import { PermanentError } from "../permanent-error.ts";
import type { NeedHost } from "../provider.ts";
import type { EventBroker } from "./broker/event-broker.ts";
import { eventProviders } from "./event-providers.ts";
import { events } from "./events-need.ts";

const memory = providerOf(eventProviders, "memory");
const embedded = providerOf(eventProviders, "embedded");
const nats = providerOf(eventProviders, "nats");
const { signal } = new AbortController();

async function roundTrip(publisher: EventBroker, subscriber: EventBroker, database?: unknown): Promise<string> {
  const host = (broker: EventBroker): NeedHost => ({
    ...testHost(),
    need: "events",
    describe: broker.description,
    portOf: () => database,
  });
  const from = await events().prepare(publisher, host(publisher));
  const to = await events().prepare(subscriber, host(subscriber));
  const handled = createOccasion<string>();
  to.port.subscribe(StringValueSchema, { group: "readers" }, ({ value }) => handled.happen(value));
  await to.begin?.();
  await from.begin?.();
  await from.port.publish(StringValueSchema, { value: "hello" });
  const value = await handled.happened;
  for (const part of [from, to]) {
    await part.pause?.();
    await part.end?.();
  }
  return value;
}

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "tercel-events-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

describe("the providers of events", () => {
  it("carry an event within the process, with the service's database or without", async (t) => {
    const opened = await openEntry<EventBroker>(memory, {});
    t.after(() => opened.close());
    assert.equal(await roundTrip(opened.port, opened.port), "hello");
    const database = await openEntry(providerOf(databaseProviders, "sqlite"), { path: ":memory:" });
    t.after(() => database.close());
    const part = await events().prepare(opened.port, {
      ...testHost(),
      need: "e",
      describe: "",
      portOf: () => database.port,
    });
    const handled = createOccasion<string>();
    part.port.subscribe(StringValueSchema, { group: "others" }, ({ value }) => handled.happen(value));
    await part.begin?.();
    await part.port.publish(StringValueSchema, { value: "stored" });
    assert.equal(await handled.happened, "stored");
    await part.end?.();
  });

  it("carry events from process to process through a hub that one of them hosts", async (t) => {
    const [port = 0] = await freePorts(1);
    const target = `127.0.0.1:${port}`;
    const path = join(temporaryFolder(t), "new/events.db");
    await assert.rejects(openEntry(embedded, { target }), new RegExp(`event hub at ${target}: .*ECONNREFUSED`));
    const host = await openEntry<EventBroker>(embedded, { target, path, serve: true });
    const member = await openEntry<EventBroker>(embedded, { target });
    assert.deepEqual([host.describe, member.describe], Array(2).fill(`event hub at ${target}`));
    await member.check(signal);
    assert.equal(await roundTrip(member.port, host.port), "hello");
    assert.equal(await roundTrip(host.port, member.port), "hello");
    await member.close();
    await host.close();
  });

  it("refuse to serve a hub to other machines without `insecure`", async (t) => {
    const path = join(temporaryFolder(t), "events.db");
    const opening = openEntry(embedded, { target: ":0", path, serve: true });
    await assert.rejects(opening, (error) => {
      assert.ok(error instanceof PermanentError);
      assert.match(error.message, /open to other machines at 0\.0\.0\.0:0; set insecure: true/);
      return true;
    });
    await (await openEntry(embedded, { target: ":0", path, serve: true, insecure: true })).close();
  });

  it("carry events over NATS", { skip: withoutNats, timeout: 60_000 }, async (t) => {
    const server = await createNatsServer();
    t.after(() => server.dispose());
    await server.start();
    const opened = await openEntry<EventBroker>(nats, { url: `nats://127.0.0.1:${server.port}` });
    assert.equal(opened.describe, `nats at 127.0.0.1:${server.port}`);
    await opened.check(signal);
    assert.equal(await roundTrip(opened.port, opened.port), "hello");
    await opened.close();
  });

  it("refuse settings that are unknown or out of bounds", () => {
    assert.throws(() => parse(memory.config, { max_event: 5 }), { name: "ValiError" });
    assert.throws(() => parse(embedded.config, { target: "nowhere" }), { name: "ValiError" });
    assert.throws(() => parse(nats.config, { stream: "a.b" }), { name: "ValiError" });
    assert.throws(() => parse(nats.config, { prefix: "a..b" }), { name: "ValiError" });
    assert.throws(() => parse(nats.config, { max_age: "1s" }), { name: "ValiError" });
  });
});
