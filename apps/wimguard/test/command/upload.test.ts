import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createSuiteContext } from "../daemon/cleanup.ts";
import { type DaemonInProcess, startInProcess } from "../daemon/daemon-in-process.ts";
import { linesOf, setVariables, wimguard } from "./run-command.ts";

describe("wimguard registry upload", () => {
  const context = createSuiteContext();
  let daemon: DaemonInProcess;
  let file: string;
  before(async () => {
    daemon = await startInProcess(context);
    setVariables(context, { WIMGUARD_DIR: daemon.folders.data });
    file = join(daemon.folders.source, "sent.bin");
    await wimguard("registry", "add-destination", "inbox", daemon.folders.destinations);
  });
  after(() => context.clean());

  for (const bytes of [0, 1, 256 * 1024, 700_000]) {
    it(`sends a file of ${bytes} bytes as it is`, async () => {
      const content = randomBytes(bytes);
      writeFileSync(file, content);
      const ended = await wimguard("registry", "upload", "inbox", file, "--name", `of-${bytes}`, "--json");
      assert.equal(ended.code, 0, ended.out);
      const location = join(daemon.folders.destinations, `of-${bytes}`);
      const summary = linesOf(ended).at(-1);
      const sha256 = createHash("sha256").update(content).digest("hex");
      assert.deepEqual([summary?.location, summary?.size, summary?.sha256], [location, bytes, sha256]);
      assert.ok(readFileSync(location).equals(content));
    });
  }

  it("says where it went, and refuses a name that is taken", async () => {
    writeFileSync(file, "x");
    const ended = await wimguard("registry", "upload", "inbox", file);
    assert.match(ended.out, /^uploaded .+sent\.bin to .+\/destinations\/sent\.bin: 1 B, 0s\n$/);
    const again = await wimguard("registry", "upload", "inbox", file);
    assert.equal(again.code, 1);
    assert.match(again.err, /already exists/);
    assert.ok(!readdirSync(daemon.folders.destinations).some((name) => name.endsWith(".part")));
  });

  it("refuses what is not a file, and an unknown destination", async () => {
    const folder = await wimguard("registry", "upload", "inbox", daemon.folders.source);
    assert.deepEqual([folder.code, folder.err], [2, `wimguard: ${daemon.folders.source} is not a file\n`]);
    const unknown = await wimguard("registry", "upload", "outbox", file);
    assert.match(unknown.err, /use the name of a registered folder/);
  });
});
