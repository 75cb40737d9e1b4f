import { Buffer } from "node:buffer";
import { fail } from "../../failure/failure.ts";
import { displayPath } from "../../manifest/manifest-entry.ts";

/** @throws FailureError NAME_UNSUPPORTED for a name that is not UTF-8 */
export function refuseOtherNames(path: Buffer): void {
  if (Buffer.from(path.toString("utf8")).equals(path)) return;
  const name = displayPath(path);
  fail({
    reason: "NAME_UNSUPPORTED",
    engine: "wim",
    field: "destination",
    path: name,
    message: `a .wim file cannot hold ${JSON.stringify(name)}, whose name is not UTF-8: use .tar.zst`,
  });
}

/**
 * Formats the exclusion list for wimlib, which replaces its built-in one: that would drop files such as /hiberfil.sys without a word.
 *
 * @throws FailureError NAME_UNSUPPORTED for a path to exclude that has a wildcard or line break in it, which cannot be escaped
 */
export function formatExclusions(paths: readonly Buffer[]): string {
  const lines = paths.map((path) => {
    const text = path.toString();
    if (/[*?\n\r"';#]|^ | $/.test(text)) {
      fail({
        reason: "NAME_UNSUPPORTED",
        engine: "wim",
        field: "destination",
        path: text,
        message: `${JSON.stringify(text)} must be left out, and its name cannot be written in wimlib's exclusion list: use .tar.zst`,
      });
    }
    return `/${text}`;
  });
  return `[ExclusionList]\n${lines.join("\n")}\n`;
}
