import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { it } from "node:test";
import { afterwards } from "./cleanup.ts";
import { writeConfig } from "./daemon-in-process.ts";
import { makeFolders, startDaemon } from "./daemon-process.ts";

it("a daemon sends a span of each call and of each run to the collector of its config", async (test) => {
  const bodies: Buffer[] = [];
  const collector = createServer(async (request, response) => {
    for await (const chunk of request) bodies.push(chunk as Buffer);
    response.end();
  });
  collector.listen(0, "127.0.0.1");
  await once(collector, "listening");
  afterwards(test, () => new Promise((closed) => collector.close(closed)));
  const { port } = collector.address() as AddressInfo;
  const folders = makeFolders(test);
  writeConfig(folders.data, `    traces: http://127.0.0.1:${port}/v1/traces\n`);
  writeFileSync(join(folders.source, "file"), "content\n");
  const daemon = await startDaemon(test, { folders });
  await daemon.client.backupToEnd({ source: folders.source, destination: join(folders.destinations, "a.tar") });
  await daemon.client.close();
  // What is left is sent at the end.
  daemon.signal("SIGTERM");
  assert.equal(await daemon.ended, 0, daemon.log.text);
  const sent = Buffer.concat(bodies).toString("latin1");
  for (const name of ["wimguard.run backup", "wimguard.v1.BackupService/CreateBackup"]) {
    assert.ok(sent.includes(name), `${name} in what was sent`);
  }
});
