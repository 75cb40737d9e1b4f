import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { createInterface } from "node:readline";
import { describe, it, type TestContext } from "node:test";
import { describeOwner, isServedBy, portOwners } from "./port-owner.ts";

const skip = process.platform === "linux" ? false : "what a system says of ports is looked at on Linux";
const program = `require("node:net").createServer().listen(0, process.argv[1], function () { console.log(this.address().port) })`;

/** A process that leads a process group, as services of `tercel dev` do, and whose child listens. */
async function listening(t: TestContext, host: string): Promise<{ readonly port: number; readonly leader: number }> {
  const script = `require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(program)}, process.argv[1]],
    { stdio: "inherit" })`;
  const child = spawn(process.execPath, ["-e", script, host], { detached: true, stdio: ["ignore", "pipe", "inherit"] });
  const leader = child.pid ?? 0;
  t.after(async () => {
    const closed = once(child, "close");
    process.kill(-leader, "SIGKILL");
    await closed;
  });
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  return { leader, port: Number(line) };
}

describe("the processes that listen on a port", { skip }, () => {
  it("are found with their command, on IPv4 and IPv6", async (t) => {
    for (const host of ["127.0.0.1", "::1"]) {
      const { port, leader } = await listening(t, host);
      const owners = (await portOwners(port)) ?? [];
      assert.equal(owners.length, 1);
      assert.notEqual(owners[0]?.pid, leader);
      assert.match(owners[0]?.command ?? "", /-e require\("node:net"\)/);
      assert.ok((owners[0]?.command ?? "").length <= 80);
      assert.match(describeOwner(owners[0]), /^another process \(pid \d+: \S+/);
    }
  });

  it("count as a service where they are of its process group", async (t) => {
    const { port, leader } = await listening(t, "127.0.0.1");
    assert.equal(await isServedBy(leader, port), true);
    assert.equal(await isServedBy(process.pid, port), false);
    const own = createServer().listen(0, "127.0.0.1");
    t.after(() => own.close());
    await once(own, "listening");
    const ownPort = (own.address() as AddressInfo).port;
    assert.equal(await isServedBy(process.pid, ownPort), true);
    assert.equal(await isServedBy(leader, ownPort), false);
  });

  it("are none where no one listens", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, "close");
    assert.deepEqual(await portOwners(port), []);
    assert.equal(describeOwner(undefined), "another process");
  });
});
