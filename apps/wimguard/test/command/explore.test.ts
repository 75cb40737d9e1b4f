import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, before, describe, it } from "node:test";
import { Console } from "../../src/command/console.ts";
import { explore } from "../../src/command/explore.ts";
import { createSuiteContext } from "../daemon/cleanup.ts";
import { type DaemonInProcess, startInProcess } from "../daemon/daemon-in-process.ts";
import { TextSink } from "./run-command.ts";

describe("wimguard snapshot explore", () => {
  const context = createSuiteContext();
  let daemon: DaemonInProcess;
  let uuid = "";
  before(async () => {
    daemon = await startInProcess(context);
    const { source, destinations } = daemon.folders;
    mkdirSync(join(source, "papers"));
    writeFileSync(join(source, "papers", "notes"), "to be kept\n", { mode: 0o640 });
    ({ uuid } = await daemon.client.backupToEnd({ source, destination: join(destinations, "a.tar") }));
  });
  after(() => context.clean());

  async function run(input: Readable, options: { json?: true; snapshot?: string } = {}) {
    const [out, err] = [new TextSink(), new TextSink()];
    const common = { server: daemon.address, dir: daemon.folders.data, ...(options.json && { json: true as const }) };
    const output = new Console(common, { out, err });
    const code = await explore(options.snapshot ?? uuid, common, output, input);
    return { code, out: out.text, err: err.text };
  }

  it("runs a command for each line, in the folder that cd leads to", async () => {
    const { code, out, err } = await run(Readable.from(["pwd\ncd papers\nls\ncat notes\nfind not\n"]));
    assert.deepEqual([code, err], [0, ""]);
    const [first, moved, listed, content, found] = out.split("\n");
    assert.deepEqual([first, moved, content], ["/", "/papers", "to be kept"]);
    assert.match(listed ?? "", /^-rw-r----- \d+:\d+ +11 B \S+ papers\/notes$/);
    assert.equal(found, listed);
  });

  it("continues after an error, and fails in the end; exit ends it", async () => {
    const { code, out, err } = await run(Readable.from(["cat none\nformat c:\npwd\nexit\npwd\n"]));
    assert.equal(code, 1);
    assert.equal(out, "/\n");
    assert.match(err, /"none" is not in the backup\nwimguard: unknown command "format": use cd FOLDER/);
  });

  it("prints JSON lines for programs", async () => {
    const { out } = await run(Readable.from(["ls\nnone\n"]), { json: true });
    const lines = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(
      lines.map(({ type, path, message }) => [type, path ?? String(message).slice(0, 15)]),
      [
        ["item", "papers"],
        ["error", "unknown command"],
      ],
    );
  });

  it("refuses an unknown snapshot", async () => {
    await assert.rejects(run(Readable.from([]), { snapshot: "none" }), /backup "none" not found$/);
  });
});
