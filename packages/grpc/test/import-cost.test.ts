import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, it } from "node:test";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Built-in modules that only some programs need, each of which costs the start of a program up to several milliseconds. */
const loadedWhenUsed = ["child_process", "cluster", "crypto", "dns/promises", "tls", "v8", "zlib"];

/** The names of the built-in modules that a process has loaded after `program`. */
async function builtinsLoadedBy(program: string): Promise<ReadonlySet<string>> {
  const list = `console.log(JSON.stringify(process.moduleLoadList.filter((name) => name.startsWith("NativeModule "))))`;
  const { stdout } = await run(
    process.execPath,
    [...process.execArgv, "--input-type=module", "--eval", `${program}; ${list}`],
    { cwd: import.meta.dirname, env: { ...process.env, NODE_OPTIONS: "" } },
  );
  return new Set((JSON.parse(stdout) as string[]).map((name) => name.slice("NativeModule ".length)));
}

describe("importing a server and a client", async () => {
  const [before, after, withTls] = await Promise.all([
    builtinsLoadedBy(""),
    builtinsLoadedBy('await import("@tercel/grpc")'),
    builtinsLoadedBy('await import("node:tls")'),
  ]);

  it("loads what every server and client needs", () => {
    assert.ok(after.has("net"));
  });

  it("does not load what only some of them need", () => {
    assert.ok(!before.has("tls") && withTls.has("tls"), "the list shows what is loaded");
    const loaded = loadedWhenUsed.filter((name) => after.has(name) && !before.has(name));
    assert.deepEqual(loaded, []);
  });
});
