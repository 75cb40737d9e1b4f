#!/usr/bin/env node
// The program. Only what is loaded after the cache was opened is taken from it.
import { keepCompiled } from "./keep-compiled.ts";
import { keepYoungSpaceSmall } from "./young-space.ts";

const args = process.argv.slice(2);
// The others end before it matters.
if (args.includes("server")) keepYoungSpaceSmall();
keepCompiled();
const { runCommand } = await import("./program.ts");
process.exitCode = await runCommand(args);
