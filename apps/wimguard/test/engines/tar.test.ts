// Long: it writes archives, and restores them by another program.
import assert from "node:assert/strict";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { recordEvents } from "../trees/there-and-back.ts";
import { useEngineBench } from "./engine-bench.ts";

const bench = useEngineBench();
const { write, restore, restored, entries } = bench;

describe("the tar engine", () => {
  it("takes a source that is a file", async () => {
    const path = join(bench.source, "-one");
    writeFileSync(path, "content");
    writeFileSync(join(bench.source, "other"), "");
    await write("tar", recordEvents(), { source: path });
    await restore("tar");
    assert.deepEqual(restored(), ["-one"]);
  });

  it("reads a file again that changed once, and restores the last state", async () => {
    const path = join(bench.source, "a");
    writeFileSync(path, Buffer.alloc(5_000_000, 1));
    let isDone = false;
    const events = recordEvents({
      onBytes() {
        if (!isDone) appendFileSync(path, "end");
        isDone = true;
      },
    });
    await write("tar", events);
    assert.deepEqual(events.warnings, []);
    assert.deepEqual(
      (await entries()).map(({ path: of, round }) => [of.toString(), round]),
      [
        ["", undefined],
        ["a", undefined],
        ["a", 1],
      ],
    );
    await restore("tar");
    assert.ok(readFileSync(join(bench.folder, "restored/a")).equals(readFileSync(path)));
  });
});
