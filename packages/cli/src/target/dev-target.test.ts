import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { it, type TestContext } from "node:test";
import { devRecordFile, devTarget } from "./dev-target.ts";

function workspace(t: TestContext): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "tercel-target-")));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, "services/user/src"), { recursive: true });
  mkdirSync(dirname(join(folder, devRecordFile)));
  return folder;
}

function record(folder: string, pid: number, ...names: readonly string[]): void {
  const services = names.map((name, at) => ({
    name,
    folder: join(folder, "services", name),
    target: `127.0.0.1:${5000 + at}`,
  }));
  writeFileSync(join(folder, devRecordFile), JSON.stringify({ version: 1, pid, services }));
}

it("is that of the only service, or of the one whose folder one is in", (t) => {
  const folder = workspace(t);
  assert.equal(devTarget(folder), undefined);
  record(folder, process.pid, "user");
  assert.equal(devTarget(folder), "127.0.0.1:5000");
  record(folder, process.pid, "order", "user");
  assert.equal(devTarget(folder), undefined);
  assert.equal(devTarget(join(folder, "services/user")), "127.0.0.1:5001");
  assert.equal(devTarget(join(folder, "services/user/src")), "127.0.0.1:5001");
});

it("is not that of a run that has ended, or of a file that is no record", (t) => {
  const folder = workspace(t);
  const { pid } = spawnSync(process.execPath, ["--version"]);
  record(folder, pid, "user");
  assert.equal(devTarget(folder), undefined);
  writeFileSync(join(folder, devRecordFile), "{");
  assert.equal(devTarget(folder), undefined);
});
