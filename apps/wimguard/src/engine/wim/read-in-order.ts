import type { Buffer } from "node:buffer";
import { throwIfCancelled } from "../../failure/failure.ts";
import type { ArchiveImage } from "../engine.ts";
import { runProgram } from "../run-program.ts";
import { program } from "./wim-program.ts";

/** A command line takes so many names. */
export const maxNames = 1_000;
export const maxNameBytes: number = 256 * 1024;

/** A file of an image, with the size that it should have. */
export interface SizedFile {
  readonly path: Buffer;
  readonly size: number;
}

/** Receives the contents of files, one after the other. */
export interface OrderedContents {
  onBytes(bytes: Buffer): void;
  /** All of a file has come, as far as its size says. */
  onEnd(index: number): void;
}

/** How far the program came. */
export interface OrderedEnd {
  readonly code: number;
  /** Files of which all has come. */
  readonly ended: number;
  /** Whether something came after the last file. */
  readonly isLonger: boolean;
}

/** Reads files by one start of the program, which writes one after the other, in the order of their names here: `maxNames` at most. */
export async function readInOrder(
  { archivePath, image }: ArchiveImage,
  files: readonly SizedFile[],
  contents: OrderedContents,
  signal: AbortSignal,
): Promise<OrderedEnd> {
  if (files.length === 0) return { code: 0, ended: 0, isLonger: false };
  const names = files.map(({ path }) => `/${path.toString()}`);
  let ended = 0;
  let isLonger = false;
  let left = files[0]?.size ?? 0;
  const endComplete = (): void => {
    while (left === 0 && ended < files.length) {
      contents.onEnd(ended++);
      left = files[ended]?.size ?? 0;
    }
  };
  const take = (bytes: Buffer): void => {
    for (let rest = bytes; rest.length > 0; ) {
      endComplete();
      isLonger ||= ended === files.length;
      if (isLonger) return;
      const part = rest.subarray(0, left);
      contents.onBytes(part);
      left -= part.length;
      rest = rest.subarray(part.length);
    }
  };
  const { code } = await runProgram(
    {
      engine: "wim",
      program,
      args: ["extract", archivePath, String(image), ...names, "--to-stdout", "--no-globs"],
      async read(stdout) {
        for await (const bytes of stdout as AsyncIterable<Buffer>) {
          throwIfCancelled(signal);
          take(bytes);
        }
      },
    },
    signal,
  );
  // After a failure, an empty file may not have been reached.
  if (code === 0) endComplete();
  return { code, ended, isLonger };
}
