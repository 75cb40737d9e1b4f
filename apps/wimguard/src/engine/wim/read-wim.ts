import type { Buffer } from "node:buffer";
import { fail } from "../../failure/failure.ts";
import type { ArchiveImage, Engine, EngineEvents, FileEngine } from "../engine.ts";
import { runProgram } from "../run-program.ts";
import { listImage, readImages } from "./list-image.ts";
import { checkWimEnd } from "./wim-failure.ts";
import { drain, program } from "./wim-program.ts";

/** A listing has times in whole seconds and no targets of links: what it does not say is not compared later. */
const unknownSource = { mtimeNsOf: () => undefined, find: () => undefined };

export const index: Engine["index"] = async (archive, outputs, events, signal) => {
  await verify(archive.archivePath, events, signal);
  return listImage(archive, unknownSource, outputs, signal);
};

export const readOrigins: FileEngine["readOrigins"] = async (archivePath, signal) => [
  ...(await readImages(archivePath, signal)),
];

export async function verify(archivePath: string, events: EngineEvents, signal: AbortSignal): Promise<void> {
  events.onPhase("verifying");
  const end = await runProgram({ engine: "wim", program, args: ["verify", archivePath], read: drain }, signal);
  if (end.code === 0) return;
  const lines = end.lastLines.map((line) => line.trim()).join(" ");
  fail({
    reason: "ARCHIVE_DAMAGED",
    engine: "wim",
    path: archivePath,
    message: `${archivePath} cannot be verified: ${lines}`,
  });
}

export const readFile: Engine["readFile"] = async ({ archivePath, image }, { entry }, take, signal) => {
  const name = `/${entry.path.toString()}`;
  const end = await runProgram(
    {
      engine: "wim",
      program,
      args: ["extract", archivePath, String(image), name, "--to-stdout", "--no-globs"],
      async read(stdout) {
        for await (const bytes of stdout as AsyncIterable<Buffer>) await take(bytes);
      },
    },
    signal,
  );
  checkWimEnd(end, `read ${name} of ${archivePath}`);
};

/** Copies what the other images need, compressed as it is: deleting an image would rewrite the file under a name of its own. */
export async function withoutImage(
  { archivePath, image }: ArchiveImage,
  newPath: string,
  signal: AbortSignal,
): Promise<void> {
  const { length } = await readImages(archivePath, signal);
  for (let at = 1; at <= length; at++) {
    if (at === image) continue;
    const args = ["export", archivePath, String(at), newPath, "--check"];
    const end = await runProgram({ engine: "wim", program, args, read: drain }, signal);
    checkWimEnd(end, `take image ${image} out of ${archivePath}`);
  }
}
