// Long: it writes archives by both engines, and restores them by other programs.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  appendFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { engines } from "../../src/engine/engines.ts";
import type { FailureError } from "../../src/failure/failure.ts";
import { findFile } from "../../src/manifest/find-file.ts";
import { recordEvents } from "../trees/there-and-back.ts";
import { failsWith, never, skipOf, useEngineBench } from "./engine-bench.ts";

const bench = useEngineBench();
const { write, restore, restored, entries, useProgram, useTar } = bench;

for (const engine of ["tar", "wim"] as const) {
  describe(`the ${engine} engine`, { skip: skipOf[engine] }, () => {
    it("says how much there is, and counts what it has read", async () => {
      writeFileSync(join(bench.source, "a"), Buffer.alloc(3_000_000, 1));
      writeFileSync(join(bench.source, "b"), "12345");
      linkSync(join(bench.source, "b"), join(bench.source, "c"));
      const totals: number[][] = [];
      const result = await write(engine, recordEvents({ onTotal: (bytes, count) => void totals.push([bytes, count]) }));
      assert.deepEqual(totals, [[3_000_005, 3]]);
      assert.equal(result.sourceBytes, 3_000_005);
      assert.equal(readFileSync(join(bench.folder, "archive")).length, result.storedBytes);
    });

    it("leaves the archive out when the source contains it", async () => {
      writeFileSync(join(bench.source, "a"), "a");
      const inside = join(bench.source, "mine");
      writeFileSync(inside, "not to be read");
      await write(engine, recordEvents(), { leaveOut: [inside] });
      assert.deepEqual(
        (await entries()).map(({ path }) => path.toString()),
        ["", "a"],
      );
    });

    it("leaves out what is excluded, with what is inside", async () => {
      for (const name of ["kept", "cache/deep", "kept/cache", "logs"])
        mkdirSync(join(bench.source, name), { recursive: true });
      for (const name of ["cache/deep/a", "kept/cache/b", "kept/c.log", "kept/d", "logs/e.log", "logs/important.log"])
        writeFileSync(join(bench.source, name), "content");
      const excludes = ["/cache/", "*.log", "!important.log"];
      const result = await write(engine, recordEvents(), { rules: { excludes, oneFileSystem: false } });
      assert.deepEqual((await entries()).map(({ path }) => path.toString()).sort(), [
        "",
        "kept",
        "kept/cache",
        "kept/cache/b",
        "kept/d",
        "logs",
        "logs/important.log",
      ]);
      assert.equal(result.sourceBytes, 21);
      await restore(engine);
      assert.deepEqual(restored().length, 6);
    });

    it("skips sockets, and says so", async (context) => {
      const { createServer } = await import("node:net");
      const server = createServer();
      const path = join(bench.source, "s");
      await new Promise<void>((resolve) => server.listen(path, resolve));
      context.after(() => server.close());
      writeFileSync(join(bench.source, "a"), "a");
      const events = recordEvents();
      await write(engine, events);
      assert.deepEqual(
        events.warnings.map(({ reason, path: of }) => [reason, of.toString()]),
        [["SOCKET_SKIPPED", "s"]],
      );
    });

    it("warns of a file that goes while it is read", async () => {
      writeFileSync(join(bench.source, "a"), Buffer.alloc(20_000_000, 1));
      for (let at = 0; at < 200; at++) writeFileSync(join(bench.source, `b${at}`), Buffer.alloc(10_000));
      const last = join(bench.source, "z");
      writeFileSync(last, "z");
      const remove = (): void => {
        if (existsSync(last)) unlinkSync(last);
      };
      const events = recordEvents(
        engine === "tar" ? { onBytes: remove } : { onPhase: (phase) => phase === "reading" && remove() },
      );
      await write(engine, events);
      assert.deepEqual(
        events.warnings.map(({ reason, path }) => [reason, path.toString()]),
        [["FILE_GONE", "z"]],
      );
      await restore(engine);
    });

    it("warns of a file that changes whenever it is read, and archives what was there", async (test) => {
      const path = join(bench.source, "log");
      writeFileSync(path, Buffer.alloc(5_000_000, 1));
      // tar waits for room in its pipe, so it has not read the end of the file when something is added.
      if (engine === "tar")
        useTar(test, `set -o pipefail; (exec -a tar "$tar" "$@") | { head -c 100000; echo more >> '${path}'; cat; }`);
      const change = (): void => appendFileSync(path, "more\n");
      const events = recordEvents(engine === "wim" ? { onPhase: (phase) => phase === "reading" && change() } : {});
      await write(engine, events);
      assert.deepEqual(
        events.warnings.map(({ reason, path: of }) => [reason, of.toString()]),
        [["FILE_CHANGED", "log"]],
      );
      await restore(engine);
    });

    it("restores selected paths, and a hard link without its first name", async () => {
      mkdirSync(join(bench.source, "in"));
      writeFileSync(join(bench.source, "a"), "content");
      writeFileSync(join(bench.source, "other"), "other");
      linkSync(join(bench.source, "a"), join(bench.source, "in", "second"));
      writeFileSync(join(bench.source, "in", "file"), "file");
      await write(engine, recordEvents());
      await restore(engine, ["in"]);
      assert.deepEqual(restored(), ["in", "in/file", "in/second"]);
      assert.equal(readFileSync(join(bench.folder, "restored/in/second"), "utf8"), "content");
    });

    it("reads single files, large and empty ones, with holes too", async () => {
      const large = randomBytes(3_000_000);
      for (const name of ["a", "b", "c"])
        writeFileSync(join(bench.source, name), Buffer.concat([Buffer.from(name), large]));
      writeFileSync(join(bench.source, "empty"), "");
      writeFileSync(join(bench.source, "hole"), "begin");
      truncateSync(join(bench.source, "hole"), 5_000_000);
      await write(engine, recordEvents());
      for (const name of readdirSync(bench.source)) {
        const parts: Buffer[] = [];
        const file = await findFile(join(bench.folder, "manifest"), Buffer.from(name));
        await engines[engine].readFile(
          { archivePath: join(bench.folder, "archive"), image: 1 },
          file,
          async (bytes) => void parts.push(bytes),
          never,
        );
        assert.ok(parts.every((part) => part.length <= 1024 * 1024));
        assert.ok(Buffer.concat(parts).equals(readFileSync(join(bench.source, name))), name);
      }
    });

    it("names a path that is not in the backup", async () => {
      await write(engine, recordEvents());
      await failsWith(restore(engine, ["a/b"]), "PATH_NOT_IN_ARCHIVE", /"a\/b" is not in the backup/);
    });

    it("ends its program when it is cancelled at any moment", async () => {
      for (let at = 0; at < 50; at++) writeFileSync(join(bench.source, `f${at}`), Buffer.alloc(500_000, at));
      for (let moment = 0, hasEnded = false; !hasEnded; moment += 1 + moment) {
        const controller = new AbortController();
        let left = moment;
        // Any event may be the last before the cancel.
        const count = (): void => {
          if (left-- === 0) controller.abort();
        };
        const events = { onPhase: count, onTotal: count, onBytes: count, onReached: count };
        await write(engine, recordEvents(events), { signal: controller.signal }).then(
          () => {
            hasEnded = !controller.signal.aborted;
          },
          (error) => assert.equal((error as FailureError).failure?.reason, "CANCELLED", String(error)),
        );
        assert.ok(!existsSync(join(bench.folder, "scratch")));
        for (const name of ["archive", "manifest"]) rmSync(join(bench.folder, name), { force: true });
      }
    });

    it("completes without a file that the disk cannot read, and names it", {
      skip: spawnSync("strace", ["-qq", "-o", "/dev/null", "true"]).status !== 0 && "strace cannot be used here",
    }, async (test) => {
      const path = join(bench.source, "bad");
      writeFileSync(path, Buffer.alloc(50_000, 1));
      writeFileSync(join(bench.source, "good"), "content");
      const options = `-f -qq -o /dev/null -P '${path}' -e trace=read,pread64 -e inject=read,pread64:error=EIO`;
      useProgram(
        test,
        engine === "tar" ? "tar" : "wimlib-imagex",
        (program, name) => `exec strace ${options} bash -c 'exec -a ${name} "$0" "$@"' '${program}' "$@"`,
      );
      const events = recordEvents();
      await write(engine, events);
      assert.deepEqual(
        events.warnings.map(({ reason, path: of, message }) => [reason, of.toString(), message]),
        [["UNREADABLE", "bad", "cannot be read: input/output error"]],
      );
      await restore(engine);
      assert.equal(readFileSync(join(bench.folder, "restored/good"), "utf8"), "content");
    });
  });
}
