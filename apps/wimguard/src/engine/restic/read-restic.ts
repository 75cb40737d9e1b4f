import { Buffer, isUtf8 } from "node:buffer";
import { fail, throwIfCancelled } from "../../failure/failure.ts";
import { createDigestCheck, type DigestCheck, damagedFile } from "../../manifest/digest-check.ts";
import { displayPath, type ManifestEntry } from "../../manifest/manifest-entry.ts";
import type { Engine, RepositoryEngine } from "../engine.ts";
import { TarReader } from "../tar/format/tar-reader.ts";
import { accessOf, relativeTo } from "./list-snapshot.ts";
import { locationOf } from "./repository/repository-location.ts";
import { pastStaleLocks } from "./repository/stale-locks.ts";
import { checkResticEnd } from "./restic-failure.ts";
import { joinRoot } from "./restic-patterns.ts";
import { readRestic, runRestic } from "./restic-program.ts";

export const readFile: Engine["readFile"] = async (archive, { entry }, take, signal) => {
  const access = accessOf(archive);
  const { id, root } = access.snapshot;
  if (!isUtf8(entry.path)) {
    const name = displayPath(entry.path);
    const message = `restic cannot be given the name ${JSON.stringify(name)}, which is not UTF-8: restore the folder that it is in`;
    fail({ reason: "NAME_UNSUPPORTED", engine: "restic", field: "path", path: name, message });
  }
  const path = joinRoot(root, entry.path).toString();
  const end = await runRestic(
    access,
    {
      args: ["dump", id, path],
      async read(stdout) {
        for await (const bytes of stdout as AsyncIterable<Buffer>) await take(bytes);
      },
    },
    signal,
  );
  checkResticEnd(end, { what: `read ${path} from ${locationOf(archive.archivePath)}` });
};

/** Reads the whole snapshot as one stream: a program for each file would open the repository again and again. */
export const verifyFiles: Engine["verifyFiles"] = async (archive, files, events, signal) => {
  const access = accessOf(archive);
  const { id, root } = access.snapshot;
  const waiting = new Map(files.map(({ entry }) => [entry.path.toString("latin1"), entry]));
  let open: OpenFile | undefined;
  const ended: OpenFile[] = [];
  const reader = new TarReader({
    onMember({ path, size, kind }) {
      open = undefined;
      const entry = kind === "file" ? waiting.get(memberKey(root, path)) : undefined;
      if (entry === undefined) return;
      if (entry.size !== size) damagedFile(entry.path);
      open = { entry, check: createDigestCheck(entry) };
    },
    onContent(bytes) {
      open?.check.update(bytes);
      if (open !== undefined) events.onBytes(bytes.length);
    },
    onMemberEnd() {
      if (open !== undefined) ended.push(open);
      open = undefined;
    },
  });
  const end = await runRestic(
    access,
    {
      args: ["dump", "--archive=tar", id, root],
      async read(stdout) {
        for await (const chunk of stdout as AsyncIterable<Buffer>) {
          throwIfCancelled(signal);
          reader.push(chunk);
          for (const { entry, check } of ended.splice(0)) {
            check.end();
            waiting.delete(entry.path.toString("latin1"));
          }
        }
      },
    },
    signal,
  );
  checkResticEnd(end, { what: `read a snapshot of ${locationOf(archive.archivePath)}` });
  for (const { path } of waiting.values()) damagedFile(path);
};

interface OpenFile {
  readonly entry: ManifestEntry;
  readonly check: DigestCheck;
}

/** Members have absolute paths, with or without a slash before. */
function memberKey(root: string, path: Buffer): string {
  const text = path.toString("latin1").replace(/^\.?\/*/, "/");
  return relativeTo(Buffer.from(root).toString("latin1"), text) ?? text.slice(1);
}

/** A part of the data is chosen at random by restic, from the whole repository: its packs hold data of many snapshots. */
export const check: RepositoryEngine["check"] = async (archive, percent, events, signal) => {
  events.onPhase("verifying");
  const access = accessOf(archive);
  const subset = percent === 0 ? [] : [`--read-data-subset=${percent}%`];
  const what = percent === 0 ? "check" : `check ${percent} % of`;
  await pastStaleLocks(access, () => readRestic(access, ["check", ...subset], what, signal), signal);
};
