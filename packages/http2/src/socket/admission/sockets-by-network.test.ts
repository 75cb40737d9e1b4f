import assert from "node:assert/strict";
import { Socket } from "node:net";
import { test } from "node:test";
import { SocketsByNetwork } from "./sockets-by-network.ts";

const [a, b, c, d] = [new Socket(), new Socket(), new Socket(), new Socket()] as const;

test("keeps each network's sockets oldest first, and takes one that is added again for the newest", () => {
  const sockets = new SocketsByNetwork();
  for (const socket of [a, b, c]) sockets.add("one", socket);
  sockets.add("two", d);
  assert.equal(sockets.size, 4);
  assert.equal(sockets.oldestOf("one"), a);
  sockets.add("one", a);
  assert.equal(sockets.size, 4);
  assert.equal(sockets.oldestOf("one"), b);
  assert.deepEqual([...sockets.ofNetwork("one")], [b, c, a]);
  assert.deepEqual([...sockets.all()], [b, c, a, d]);
});

test("knows the network with the most sockets while they come and go", () => {
  const sockets = new SocketsByNetwork();
  assert.equal(sockets.busiest, undefined);
  sockets.add("one", a);
  sockets.add("two", b);
  assert.equal(sockets.busiest, "one");
  sockets.add("two", c);
  assert.equal(sockets.busiest, "two");
  sockets.delete("two", b);
  sockets.delete("two", c);
  assert.equal(sockets.busiest, "one");
  sockets.delete("one", a);
  assert.deepEqual([sockets.busiest, sockets.size, sockets.oldestOf("one")], [undefined, 0, undefined]);
});

test("bears a socket that is deleted twice", () => {
  const sockets = new SocketsByNetwork();
  sockets.add("one", a);
  sockets.add("one", b);
  sockets.delete("one", a);
  sockets.delete("one", a);
  assert.deepEqual([sockets.size, sockets.countOf("one"), sockets.busiest], [1, 1, "one"]);
});
