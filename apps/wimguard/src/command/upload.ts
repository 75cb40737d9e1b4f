import { Buffer } from "node:buffer";
import { statSync } from "node:fs";
import { basename } from "node:path";
import { sendFile } from "../client/send-file.ts";
import { formatBytes, formatSeconds } from "../terminal/format.ts";
import type { CommonOptions, Console } from "./console.ts";
import { type ExitCode, exitCodes, UsageError } from "./exit-codes.ts";
import { interruptible } from "./interruptible.ts";
import { withDaemon } from "./with-daemon.ts";
import { toAbsolute } from "./working-folder.ts";

export interface UploadOptions extends CommonOptions {
  readonly name?: string;
}

/** `wimguard registry upload DESTINATION FILE`: sends an archive to the daemon's machine. */
export async function upload(
  destination: string,
  file: string,
  options: UploadOptions,
  output: Console,
): Promise<ExitCode> {
  const path = toAbsolute(file);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isFile() !== true) throw new UsageError(`${path} is not a file`);
  const bytesTotal = found.size;
  return withDaemon(options, async (wim) => {
    const startedMs = performance.now();
    const name = `${destination}/${options.name ?? basename(path)}`;
    const progress = (bytesDone: number): void =>
      output.progress({ uuid: "", bytesDone, bytesTotal, phase: "reading" });
    const { size, sha256, location } = await interruptible(
      (signal) => wim.registry.uploadFile(sendFile(path, name, progress), { signal }),
      () => output.cancelling(),
    );
    const seconds = (performance.now() - startedMs) / 1000;
    const text = `uploaded ${path} to ${location}: ${formatBytes(Number(size))}, ${formatSeconds(seconds)}`;
    output.result(text, { location, size: Number(size), sha256: Buffer.from(sha256).toString("hex"), seconds });
    return exitCodes.ok;
  });
}
