// Who may put a server on a Unix socket's path, who may connect to it, and what is left of it.
import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { connect, createHttp2Server, type Http2Server } from "../src/index.ts";
import { FakeClock } from "../src/testing/index.ts";
import { ask, echo } from "./echo-server.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tercel-unix-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function whileServed(path: string, run: (server: Http2Server) => Promise<void> | void, mode?: number) {
  const server = createHttp2Server({ onStream: echo });
  await server.listen(mode === undefined ? { path } : { path, mode });
  try {
    await run(server);
  } finally {
    await server.close(0);
  }
}

async function isAnswered(path: string): Promise<boolean> {
  const connection = await connect({ path }, {});
  const { log } = await ask(connection, Buffer.from("hello"));
  connection.close();
  return log.includes("end");
}

/** Leaves what a server leaves that was killed. */
async function leaveStale(path: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(`${path}-bound`, resolve));
  renameSync(`${path}-bound`, path);
  await new Promise((resolve) => server.close(resolve));
}

async function assertRefused(path: string, message: RegExp, code?: string): Promise<void> {
  const server = createHttp2Server({ onStream: echo });
  await assert.rejects(server.listen({ path }), (error: NodeJS.ErrnoException) => {
    assert.match(error.message, message);
    assert.equal(error.code, code);
    return true;
  });
  await server.close(0);
}

test("a Unix socket is its owner's alone, and nothing is left of it", async () => {
  const path = join(folder, "a.sock");
  await whileServed(path, async (server) => {
    assert.deepEqual(server.address, { path });
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(folder), ["a.sock"]);
    assert.ok(await isAnswered(path));
  });
  assert.deepEqual(readdirSync(folder), []);
});

test("a Unix socket has the permissions that it is given", async () => {
  const path = join(folder, "a.sock");
  await whileServed(path, () => assert.equal(statSync(path).mode & 0o777, 0o660), 0o660);
});

test("making a Unix socket leaves the process's mask for new files as it was", async () => {
  const before = process.umask();
  await whileServed(join(folder, "a.sock"), () => assert.equal(process.umask(), before));
});

test("a Unix socket may be named relative to the working directory", async () => {
  const path = join(folder, "a.sock");
  const relative = join(".", path.slice(1));
  // Only the root directory makes the two the same, so the folder is entered for a moment.
  const before = process.cwd();
  process.chdir("/");
  try {
    await whileServed(relative, (server) => assert.deepEqual(server.address, { path }));
  } finally {
    process.chdir(before);
  }
});

test("takes the place of a server that was killed", async () => {
  const path = join(folder, "a.sock");
  await leaveStale(path);
  await whileServed(path, async () => assert.ok(await isAnswered(path)));
});

test("does not take the place of a server that lives", async () => {
  const path = join(folder, "a.sock");
  await whileServed(path, async () => {
    await assertRefused(path, /is served by another process/, "EADDRINUSE");
    assert.ok(await isAnswered(path));
    assert.deepEqual(readdirSync(folder), ["a.sock"]);
  });
});

test("removes no file that is not a socket", async () => {
  const path = join(folder, "a.sock");
  writeFileSync(path, "precious");
  await assertRefused(path, /exists and is not a socket/);
  assert.equal(statSync(path).size, 8);
});

test("follows no link to a socket", async () => {
  await leaveStale(join(folder, "b.sock"));
  const path = join(folder, "a.sock");
  symlinkSync(join(folder, "b.sock"), path);
  await assertRefused(path, /exists and is not a socket/);
  assert.ok(existsSync(join(folder, "b.sock")));
});

test("leaves the file of a server that has taken the path over meanwhile", async () => {
  const path = join(folder, "a.sock");
  await whileServed(path, async () => {
    rmSync(path);
    await leaveStale(path);
  });
  assert.ok(statSync(path).isSocket());
});

test("refuses abstract sockets, which have no permissions", () => assertRefused("\0tercel", /holds a NUL/));

test("refuses a path that leads upwards", () => assertRefused(`${join(folder, "b")}/../a.sock`, /holds "\.\."/));

test("refuses a path in a folder that is not there", async () => {
  await assert.rejects(createHttp2Server({ onStream: echo }).listen({ path: join(folder, "b", "a.sock") }), {
    code: "ENOENT",
  });
});

test("takes a path of as many bytes as a socket's address holds, and refuses one more", async () => {
  const most = process.platform === "linux" ? 107 : 103;
  const room = most - folder.length - 1;
  const path = join(folder, "s".repeat(room));
  await whileServed(path, async () => assert.ok(await isAnswered(path)));
  await assertRefused(`${path}s`, new RegExp(`has ${most + 1} bytes; a Unix socket's has at most ${most}`));
});

test("refuses a folder in which everybody may replace the file, unless the system forbids that", async () => {
  const shared = join(folder, "shared");
  mkdirSync(shared);
  const path = join(shared, "a.sock");
  chmodSync(shared, 0o777);
  await assertRefused(path, /where everybody may replace it/);
  chmodSync(shared, 0o1777);
  await whileServed(path, async () => assert.ok(await isAnswered(path)));
  chmodSync(shared, 0o770);
  await whileServed(path, async () => assert.ok(await isAnswered(path)));
});

const isRoot = process.getuid?.() === 0;
const otherUser = 12_345;

test("refuses a folder of another user", { skip: isRoot ? false : "only root can make one" }, async () => {
  const foreign = join(folder, "foreign");
  mkdirSync(foreign);
  chownSync(foreign, otherUser, otherUser);
  await assertRefused(join(foreign, "a.sock"), /belongs to another user \(12345\)/);
});

test("refuses the socket of another user", { skip: isRoot ? false : "only root can make one" }, async () => {
  const path = join(folder, "a.sock");
  await leaveStale(path);
  chownSync(path, otherUser, otherUser);
  await assertRefused(path, /is a socket of another user \(12345\)/);
  assert.ok(existsSync(path));
});

test("never drains an idle connection over a Unix socket, unless it is told when", async () => {
  for (const limits of [{}, { life: { maxIdleMs: 60_000 } }]) {
    const path = join(folder, "a.sock");
    const clock = new FakeClock();
    const server = createHttp2Server({ onStream: echo, clock, limits });
    await server.listen({ path });
    let closed = (): void => {};
    const gone = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const connection = await connect({ path }, { onClose: closed });
    // By the second answer the server has read all that a client says at first.
    for (let i = 0; i < 2; i++) await ask(connection, Buffer.from("hello"));
    // The first tick sees that nothing is open any more.
    clock.advance(1000);
    clock.advance(3_600_000);
    if (limits.life === undefined) {
      assert.ok((await ask(connection, Buffer.from("hello"))).log.includes("end"));
      connection.close();
    }
    await gone;
    await server.close(0);
  }
});
