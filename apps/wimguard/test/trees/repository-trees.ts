import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { collect } from "@tercel/test-support/async";
import { Engine } from "../../src/gen/wimguard/v1/common_pb.ts";
import type { CleanupContext } from "../daemon/cleanup.ts";
import { startInProcess } from "../daemon/daemon-in-process.ts";
import { treeSteps } from "./trees.ts";

/** Why repositories are not tried here, or false where they are. */
export const withoutRestic: string | false = spawnSync("restic", ["version"]).status !== 0 && "restic is not installed";

/** A daemon with a repository. */
export interface RepositorySite {
  /** Backs up a random tree, restores it, and compares it by the walker; then once more by restic alone. */
  check(seed: number): Promise<void>;
}

export async function createRepositorySite(context: CleanupContext, trees = treeSteps): Promise<RepositorySite> {
  const daemon = await startInProcess(context);
  const { destinations, data } = daemon.folders;
  const [repository, password] = [join(destinations, "repository"), join(data, "password")];
  writeFileSync(password, "of a test\n", { mode: 0o600 });
  const destination = {
    name: "safe",
    url: `restic:${repository}`,
    engine: Engine.RESTIC,
    secretRef: `file:${password}`,
  };
  await daemon.client.registry.createDestination({ destination });
  return {
    async check(seed) {
      const folder = mkdtempSync(join(tmpdir(), "tercel-trees-"));
      const [source, target, opened] = ["source", "target", "opened"].map((name) => join(folder, name)) as [
        string,
        string,
        string,
      ];
      try {
        mkdirSync(source);
        await trees.build(seed, source, "any");
        const expected = await trees.walk(source);
        const { uuid, warnings } = await daemon.client.backupToEnd({ source, destination: "safe" });
        assert.equal(warnings, "");
        await collect(daemon.client.restore.createRestore({ snapshotUuid: uuid, target, verify: true }));
        assert.deepEqual(await trees.walk(target), expected, "restored by WimGuard");
        const options = ["--repo", repository, "--password-file", password, "--quiet"];
        execFileSync("restic", [...options, "restore", "latest", "--path", source, "--target", opened], {
          stdio: "ignore",
        });
        assert.deepEqual(await trees.walk(join(opened, source)), expected, "opened without WimGuard");
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}
