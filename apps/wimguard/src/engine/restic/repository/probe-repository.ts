import { Buffer } from "node:buffer";
import { existsSync } from "node:fs";
import type { Writable } from "node:stream";
import type { RepositoryAccess } from "../../engine.ts";
import { listSnapshots } from "../list-snapshot.ts";
import { checkResticEnd } from "../restic-failure.ts";
import { readRestic, runRestic } from "../restic-program.ts";
import { formatUuidTag } from "../snapshot-origin.ts";
import { missing } from "./ensure-repository.ts";
import { localFolderOf } from "./repository-location.ts";
import { forgetBackup } from "./repository-upkeep.ts";
import { pastStaleLocks } from "./stale-locks.ts";

/** The steps of a test. A step returns what is wrong, or throws it. */
export interface RepositoryProbe {
  write(): Promise<string | undefined>;
  read(): Promise<string | undefined>;
  list(): Promise<string | undefined>;
  remove(): Promise<string | undefined>;
}

const content = "wimguard probe\n".repeat(1000);
const fileName = "wimguard-probe";

/** Creates the test of a repository by a small snapshot. The repository has to exist. */
export function probeRepository(access: RepositoryAccess, uuid: string, signal: AbortSignal): RepositoryProbe {
  const tag = formatUuidTag(uuid);
  const find = () => listSnapshots(access, ["--tag", tag], signal);
  return {
    async write() {
      const folder = localFolderOf(access.repository);
      if (folder !== undefined && !existsSync(folder)) missing(folder);
      await pastStaleLocks(
        access,
        async () => {
          const args = ["backup", "--quiet", "--stdin", `--stdin-filename=${fileName}`, `--tag=${tag}`];
          const feed = async (stdin: Writable): Promise<void> => void stdin.end(Buffer.from(content));
          checkResticEnd(await runRestic(access, { args, feed }, signal), { what: "write to the repository" });
        },
        signal,
      );
      return undefined;
    },
    async read() {
      const id = (await find())[0]?.id ?? "";
      const text = await readRestic(access, ["dump", id, `/${fileName}`], "read from", signal);
      return text === content ? undefined : "what was read is not what was written";
    },
    async list() {
      return (await find()).length === 1 ? undefined : "the repository does not list what was written";
    },
    async remove() {
      await forgetBackup(access, uuid, signal);
      return (await find()).length === 0 ? undefined : "what was removed is still there";
    },
  };
}
