import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FailureError } from "../src/failure/failure.ts";
import { performVerify } from "../src/thread/perform-verify.ts";
import { createRandom } from "./crash/crash-points.ts";
import { recordEvents } from "./trees/there-and-back.ts";
import { writeArchive } from "./write-archive.ts";

const never = new AbortController().signal;
const compressions = { tar: { method: "ZSTD", level: 3 }, wim: { method: "LZX", level: 20 } } as const;

/** An archive of which bits are flipped. */
export interface FlipSite {
  /** Flips a random bit, and asserts that a check of the whole archive finds it. Returns whether the file that has it was named. */
  check(seed: number): Promise<boolean>;
  close(): void;
}

/** Writes an archive of small files, links and folders. */
export async function createFlipSite(engine: "tar" | "wim"): Promise<FlipSite> {
  const folder = mkdtempSync(join(tmpdir(), "tercel-flips-"));
  const source = join(folder, "source");
  mkdirSync(join(source, "in"), { recursive: true });
  for (let at = 0; at < 20; at++) {
    writeFileSync(join(source, at % 2 === 0 ? `f${at}` : `in/f${at}`), `content ${at}\n`.repeat(at * 50));
  }
  const { archivePath, manifestPath, sha256 } = await writeArchive(engine, source, folder, compressions[engine]);
  const whole = readFileSync(archivePath);
  const verify = () =>
    performVerify({ engine, archivePath, image: 1, manifestPath, sha256, percent: 100 }, recordEvents(), never);
  await verify();
  return {
    async check(seed) {
      const bit = Math.floor(createRandom(seed)() * whole.length * 8);
      const damaged = Buffer.from(whole);
      damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
      writeFileSync(archivePath, damaged);
      const found = await verify().then(
        () => undefined,
        (error) => error as unknown,
      );
      assert.ok(found instanceof FailureError, `bit ${bit} was not found: ${String(found)}`);
      assert.equal(found.failure.reason, "ARCHIVE_DAMAGED", `bit ${bit}: ${found.message}`);
      return found.failure.path !== archivePath;
    },
    close: () => rmSync(folder, { recursive: true }),
  };
}
