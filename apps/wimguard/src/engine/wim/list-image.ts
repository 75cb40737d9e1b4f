import { Buffer } from "node:buffer";
import type { ArchiveOrigin } from "../../archive/archive-origin.ts";
import type { SourceSurvey } from "../../source/survey-source.ts";
import type { ArchiveImage, WriteOutputs, WrittenArchive } from "../engine.ts";
import { runProgram } from "../run-program.ts";
import { checkWimEnd } from "./wim-failure.ts";
import { createImageManifest, type ImageEntry, readImageListing } from "./wim-image.ts";
import { parseImages } from "./wim-origin.ts";
import { program } from "./wim-program.ts";

/** The manifest is made of what the image has, not of what the source had: digests and sizes are the archive's own. */
export async function listImage(
  { archivePath, image }: ArchiveImage,
  source: Pick<SourceSurvey, "mtimeNsOf" | "find">,
  outputs: Pick<WriteOutputs, "addEntry"> & { readonly onListed?: (entry: ImageEntry) => void },
  signal: AbortSignal,
): Promise<WrittenArchive> {
  let sourceBytes = 0;
  let files = 0;
  const toManifest = createImageManifest();
  const end = await runProgram(
    {
      engine: "wim",
      program,
      args: ["dir", archivePath, String(image), "--detailed"],
      async read(stdout) {
        for await (const entry of readImageListing(stdout)) {
          outputs.onListed?.(entry);
          const mtimeNs = source.mtimeNsOf(entry.path);
          const target = source.find(entry.path)?.target;
          const listed = toManifest(entry, {
            ...(mtimeNs !== undefined && { mtime: formatSeconds(mtimeNs) }),
            ...(target !== undefined && { target }),
          });
          if (listed.kind === "file" || listed.kind === "hardlink") files++;
          sourceBytes += listed.size;
          await outputs.addEntry(listed);
        }
      },
    },
    signal,
  );
  checkWimEnd(end, `list image ${image} of ${archivePath}`);
  return { sourceBytes, files, image };
}

/** Formats a time as decimal seconds. wimlib rounds down to 100 ns, before 1970 too. */
function formatSeconds(timeNs: bigint): string {
  const ticks = timeNs / 100n - (timeNs % 100n < 0n ? 1n : 0n);
  const [sign, size] = ticks < 0n ? ["-", -ticks] : ["", ticks];
  const fraction = size % 10_000_000n;
  const whole = `${sign}${size / 10_000_000n}`;
  return fraction === 0n ? whole : `${whole}.${String(fraction).padStart(7, "0")}`;
}

/** What each image of a file says of itself. */
export async function readImages(
  archivePath: string,
  signal: AbortSignal,
): Promise<readonly (ArchiveOrigin | undefined)[]> {
  const parts: Buffer[] = [];
  const end = await runProgram(
    {
      engine: "wim",
      program,
      args: ["info", archivePath, "--xml"],
      async read(stdout) {
        for await (const bytes of stdout as AsyncIterable<Buffer>) parts.push(bytes);
      },
    },
    signal,
  );
  checkWimEnd(end, `read ${archivePath}`);
  return parseImages(Buffer.concat(parts).toString("utf16le"));
}
