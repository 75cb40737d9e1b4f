import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { createNodeDurableFiles } from "../files/node-durable-files.ts";
import { prepareConfig } from "./prepare-config.ts";

describe("prepareConfig", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tercel-config-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  for (const hasLinks of [true, false]) {
    it(`gives daemons that start at once one secret, and leaves nothing else, ${hasLinks ? "with" : "without"} hard links`, async () => {
      const node = createNodeDurableFiles();
      const noLink = async () => Promise.reject(Object.assign(new Error("EPERM: link"), { code: "EPERM" }));
      const files = hasLinks ? node : { ...node, link: noLink };
      // Without links the last one wins, so they come one after the other.
      const prepare = () => prepareConfig(files, folder);
      const configs = hasLinks
        ? await Promise.all([prepare(), prepare(), prepare()])
        : [await prepare(), await prepare()];
      assert.equal(new Set(configs.map(({ appSecret }) => appSecret)).size, 1);
      assert.deepEqual(readdirSync(folder), ["config.yaml"]);
    });
  }
});
