import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { describe, it } from "node:test";
import { freePorts } from "@tercel/test-support/servers";
import { canListenAt, type Place, PortChoice } from "./port-choice.ts";

function choiceWith(taken: readonly number[]): { readonly ports: PortChoice; readonly taken: Set<number> } {
  const set = new Set(taken);
  const table = { canListen: async ({ port }: Place) => !set.has(port), isServed: async () => true };
  return { ports: new PortChoice(table), taken: set };
}

describe("a choice of ports", () => {
  it("gives the wanted one, and those who come later the next", async () => {
    const { ports } = choiceWith([50_052]);
    const chosen: number[] = [];
    for (const owner of ["user", "order", "mail"]) chosen.push(await ports.choose(owner, { port: 50_051 }));
    assert.deepEqual(chosen, [50_051, 50_053, 50_054]);
  });

  it("leaves everyone their port over restarts, until they want another", async () => {
    const { ports, taken } = choiceWith([]);
    assert.equal(await ports.choose("user", { port: 50_051 }), 50_051);
    // The service itself listens there.
    taken.add(50_051);
    assert.equal(await ports.choose("user", { port: 50_051 }), 50_051);
    assert.equal(await ports.choose("user", { port: 6000 }), 6000);
    taken.delete(50_051);
    assert.equal(await ports.choose("order", { port: 50_051 }), 50_051);
  });

  it("chooses again where someone else was faster", async () => {
    const { ports, taken } = choiceWith([]);
    assert.equal(await ports.choose("user", { port: 50_051 }), 50_051);
    await ports.forgetTaken("user", undefined);
    assert.equal(await ports.choose("user", { port: 50_051 }), 50_051);
    taken.add(50_051);
    await ports.forgetTaken("user", undefined);
    assert.equal(await ports.choose("user", { port: 50_051 }), 50_052);
  });

  it("ends at the highest port, and with the wanted one where none is free", async () => {
    const { ports } = choiceWith([65_534, 65_535]);
    assert.equal(await ports.choose("user", { port: 65_534 }), 65_534);
  });

  it("finds out by listening, and gives a free one for port 0", async (t) => {
    const [port = 0] = await freePorts(1);
    assert.equal(await canListenAt({ host: "127.0.0.1", port }), true);
    const server = createServer().listen(port, "127.0.0.1");
    await once(server, "listening");
    t.after(() => server.close());
    assert.equal(await canListenAt({ host: "127.0.0.1", port }), false);
    const ports = new PortChoice();
    const free = await ports.choose("user", { host: "127.0.0.1", port: 0 });
    assert.ok(free > 0);
    assert.equal(await ports.choose("user", { host: "127.0.0.1", port: 0 }), free);
  });

  it("waits for a port that an outgoing connection has, and goes on to the next where it keeps it", async (t) => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    t.after(() => server.close());
    const { port: serverPort } = server.address() as AddressInfo;
    const accepted = once(server, "connection");
    const outgoing = connect({ host: "127.0.0.1", port: serverPort });
    const [incoming] = await accepted;
    incoming.on("error", () => {});
    t.after(() => incoming.destroy());
    t.after(() => outgoing.destroy());
    const wanted = { host: "127.0.0.1", port: outgoing.localPort ?? 0 };
    assert.equal(await canListenAt(wanted), false);
    const impatient = new PortChoice(undefined, { maxOutgoingMs: 0 });
    assert.ok((await impatient.choose("user", wanted)) > wanted.port);

    const asked = Promise.withResolvers<void>();
    const table = {
      canListen: canListenAt,
      async isServed() {
        asked.resolve();
        return false;
      },
    };
    const choosing = new PortChoice(table, { maxOutgoingMs: 60_000 }).choose("user", wanted);
    await asked.promise;
    // A reset, after which neither side keeps the port.
    outgoing.resetAndDestroy();
    assert.equal(await choosing, wanted.port);
  });
});
