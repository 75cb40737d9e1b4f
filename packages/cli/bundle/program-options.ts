import type { BuildOptions } from "esbuild";

/** How a program of this repository is bundled for publishing: as modules for Node, from the sources of its packages. */
export const programOptions = {
  bundle: true,
  // A command's code is loaded when it runs: a single file would delay the first output by 100 ms.
  splitting: true,
  platform: "node",
  format: "esm",
  target: "node22.18",
  conditions: ["source"],
  // Names are kept, so that stack traces are readable.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
  // For bundled CommonJS modules.
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
} as const satisfies BuildOptions;
