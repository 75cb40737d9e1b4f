import { randomUUID } from "node:crypto";
import { dirname } from "node:path";
import { hasErrorCode } from "../failure/to-failure.ts";
import type { DurableFiles } from "./durable-files.ts";

/**
 * Replaces a file by another content, all of it or nothing: a temporary file next to it, synced, renamed. One that a crash has left is
 * removed first.
 */
export async function replaceFile(files: DurableFiles, path: string, content: string): Promise<void> {
  const draftPath = `${path}.draft`;
  await files.unlink(draftPath);
  await writeDraft(files, draftPath, content);
  await files.rename(draftPath, path);
  await files.syncFolder(dirname(path));
}

/** Makes a file with a content, all of it or nothing, unless another process has made it meanwhile. */
export async function makeFileOnce(files: DurableFiles, path: string, content: string): Promise<void> {
  // Each process has a draft of its own, and a link does not replace what the other one has made.
  const draftPath = `${path}.${randomUUID()}.draft`;
  try {
    await writeDraft(files, draftPath, content);
    await files.link(draftPath, path).catch(async (error) => {
      if (hasErrorCode(error, "EEXIST")) return;
      if (!hasErrorCode(error, "EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS")) throw error;
      await files.rename(draftPath, path);
    });
  } finally {
    await files.unlink(draftPath);
  }
  await files.syncFolder(dirname(path));
}

async function writeDraft(files: DurableFiles, path: string, content: string): Promise<void> {
  const draft = await files.create(path);
  try {
    await draft.write(Buffer.from(content));
    await draft.sync();
  } finally {
    await draft.close();
  }
}
