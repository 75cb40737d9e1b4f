import { accessSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const executablePath = "/usr/bin/chromium";

/** The reason to skip browser tests; false if Chromium is installed. */
export const withoutChromium: string | false = (() => {
  try {
    accessSync(executablePath);
    return false;
  } catch {
    return `Chromium is not installed at ${executablePath}`;
  }
})();

/** Starts Chromium. The test must close it, and its file must run in its own process, because Playwright includes a copy of zod that defines globals. */
export function openChromium(): Promise<Browser> {
  return chromium.launch({ executablePath, args: ["--no-sandbox"] });
}
