import { accessSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const executablePath = "/usr/bin/chromium";

/** Why tests in a browser are skipped here, or false where they are not. */
export const withoutChromium: string | false = (() => {
  try {
    accessSync(executablePath);
    return false;
  } catch {
    return `Chromium is not installed at ${executablePath}`;
  }
})();

/** Starts Chromium. The test must close it, and its file must run in its own process: Playwright brings a copy of zod, which defines globals. */
export function openChromium(): Promise<Browser> {
  return chromium.launch({ executablePath, args: ["--no-sandbox"] });
}
