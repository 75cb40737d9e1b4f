import type { EngineName } from "./compression.ts";

/** What users have to know of an engine before they choose it. */
export interface EngineFacts {
  readonly keeps: readonly string[];
  readonly lacks: readonly string[];
  readonly installHint: string;
  readonly compressions: readonly string[];
}

export const engineFacts: Readonly<Record<EngineName, EngineFacts>> = {
  tar: {
    keeps: [
      "modes",
      "owners",
      "times:1ns",
      "hard links",
      "holes",
      "xattrs",
      "acls",
      "fifos",
      "devices",
      "names:any bytes",
    ],
    lacks: ["encryption", "remote destinations"],
    installHint: "apt install tar",
    compressions: ["ZSTD:1-19", "NONE"],
  },
  wim: {
    keeps: ["modes", "owners", "times:100ns", "hard links", "xattrs", "fifos", "devices"],
    lacks: ["encryption", "remote destinations", "names that are not UTF-8", "acls"],
    installHint: "apt install wimtools",
    compressions: ["LZX", "XPRESS", "LZMS", "NONE"],
  },
  restic: {
    keeps: [
      "modes",
      "owners",
      "times:1ns",
      "hard links",
      "xattrs",
      "acls",
      "fifos",
      "devices",
      "names:any bytes",
      "encryption",
      "remote destinations",
    ],
    lacks: ["holes"],
    installHint: "apt install restic",
    compressions: ["AUTO", "OFF", "MAX"],
  },
};
