import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, it, type TestContext } from "node:test";
import { noteEvent } from "./dev-event.ts";
import { EventSocket } from "./event-socket.ts";

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "tercel-events-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const event = (text: string) => noteEvent("tercel", "info", text, 0);

async function openSocket(t: TestContext, folder: string, first: readonly string[] = []): Promise<EventSocket> {
  const socket = await EventSocket.open(folder, () => first.map(event));
  t.after(() => socket.close());
  return socket;
}

async function connected(t: TestContext, { path }: EventSocket): Promise<Socket> {
  const reader = connect(path);
  t.after(() => reader.destroy());
  await once(reader, "connect");
  return reader;
}

async function nextTexts(lines: AsyncIterator<string>, count: number): Promise<readonly string[]> {
  const texts: string[] = [];
  while (texts.length < count) texts.push(JSON.parse((await lines.next()).value).text);
  return texts;
}

describe("the socket of tercel dev", () => {
  it("gives each reader what is so when it connects, and what happens from then on, until it closes", async (t) => {
    const socket = await openSocket(t, temporaryFolder(t), ["now"]);
    socket.publish(() => assert.fail("no one reads"));
    const readers = [await connected(t, socket), await connected(t, socket)];
    const lines = readers.map((reader) => createInterface({ input: reader })[Symbol.asyncIterator]());
    for (const one of lines) assert.deepEqual(await nextTexts(one, 1), ["now"]);
    socket.publish(() => [event("first"), event("second")]);
    for (const one of lines) assert.deepEqual(await nextTexts(one, 2), ["first", "second"]);
    await socket.close();
    for (const one of lines) assert.equal((await one.next()).done, true);
    assert.ok(!existsSync(socket.path));
  });

  it("lets only the user in who has started the services", async (t) => {
    const socket = await openSocket(t, temporaryFolder(t));
    assert.equal(statSync(socket.path).mode & 0o777, 0o600);
  });

  it("drops a reader that does not read, and serves the others", async (t) => {
    const socket = await openSocket(t, temporaryFolder(t));
    const stuck = await connected(t, socket);
    stuck.pause();
    const reader = await connected(t, socket);
    const lines = createInterface({ input: reader })[Symbol.asyncIterator]();
    const text = "x".repeat(1024 * 1024);
    for (let sent = 0; sent < 12; sent++) {
      socket.publish(() => [event(text)]);
      assert.deepEqual(await nextTexts(lines, 1), [text]);
    }
    // What it has not read is bounded: it gets an end instead of the rest.
    let received = 0;
    stuck.on("data", (chunk: Buffer) => {
      received += chunk.length;
    });
    stuck.on("error", () => {});
    stuck.resume();
    await once(stuck, "close");
    assert.ok(received < 12 * text.length, `${received} bytes`);
  });

  it("closes although a reader neither reads nor ends", async (t) => {
    const socket = await openSocket(t, temporaryFolder(t));
    const stuck = await connected(t, socket);
    stuck.pause();
    socket.publish(() => [event("x".repeat(1024 * 1024))]);
    await socket.close();
    assert.ok(!existsSync(socket.path));
  });

  it("removes the socket of a run that was killed, and leaves that of one that runs", async (t) => {
    const folder = temporaryFolder(t);
    const { pid } = spawnSync("true");
    writeFileSync(join(folder, `dev-${pid}.sock`), "");
    writeFileSync(join(folder, `dev-${process.ppid}.sock`), "");
    await openSocket(t, folder);
    assert.ok(!existsSync(join(folder, `dev-${pid}.sock`)));
    assert.ok(existsSync(join(folder, `dev-${process.ppid}.sock`)));
  });

  it("is in the folder for temporary files where its path would be too long", async (t) => {
    const folder = join(temporaryFolder(t), "a".repeat(100));
    mkdirSync(folder);
    const socket = await openSocket(t, folder, ["here"]);
    assert.ok(socket.path.startsWith(tmpdir()) && !socket.path.startsWith(folder));
    const lines = createInterface({ input: await connected(t, socket) })[Symbol.asyncIterator]();
    assert.deepEqual(await nextTexts(lines, 1), ["here"]);
    await socket.close();
    assert.ok(!existsSync(socket.path));
  });
});
