// Generates the option tables in the READMEs from the comments of the tables in the code, and their defaults.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { Option, type OptionTable } from "../../src/call/options.ts";

/** The documentation of an option. */
export interface OptionDoc {
  readonly name: string;
  readonly meaning: string;
  /** Empty if the comment has no default. */
  readonly byDefault: string;
  readonly option: Option<unknown, "optional" | "defaulted" | "required">;
}

/** Reads the documentation of the table that a file exports as `name`, in the order of its options. Options for tests are left out. */
export async function readOptionDocs(file: string, name: string): Promise<readonly OptionDoc[]> {
  const module = (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>;
  const exported = module[name];
  const table = (typeof exported === "function" ? exported() : exported) as OptionTable;
  const comments = commentsOf(file, name);
  return Object.entries(table).flatMap(([option, declared]) => {
    if (!(declared instanceof Option)) throw new TypeError(`${file}: ${name}.${option} is not an option`);
    const comment = comments.get(option);
    if (comment === undefined) throw new TypeError(`${file}: ${name}.${option} has no comment`);
    return comment.startsWith("For tests") ? [] : [{ name: option, ...splitComment(comment), option: declared }];
  });
}

/** Returns the comments of a table by option, including those of tables that are spread into it. */
function commentsOf(file: string, name: string): Map<string, string> {
  const source = readFileSync(file, "utf8");
  const start = source.search(new RegExp(`\\b(?:const|function) ${name}\\b`));
  const imported = new RegExp(`import \\{[^}]*\\b${name}\\b[^}]*\\} from "(\\.[^"]+)"`).exec(source);
  if (start < 0) {
    if (imported === null) throw new TypeError(`${file} has no table ${name}`);
    return commentsOf(join(dirname(file), imported[1] as string), name);
  }
  const block = source.slice(start, start + source.slice(start).search(/^\}/m));
  const comments = new Map<string, string>();
  for (const [, comment, option, spread] of block.matchAll(
    /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*(\w+):|\n\s*\.\.\.(\w+),/g,
  )) {
    if (spread !== undefined) for (const [key, text] of commentsOf(file, spread)) comments.set(key, text);
    else if (option !== undefined) comments.set(option, (comment ?? "").replace(/\s*\n\s*\*?\s*/g, " ").trim());
  }
  return comments;
}

/** Splits `Meaning. Default 5, because. More.` into meaning and default. */
function splitComment(comment: string): { readonly meaning: string; readonly byDefault: string } {
  const found = /(?:^|\s)(?:Default:? |(Required)(?=[.:]))(.*?)(?:\.(?=\s|$)|$)/.exec(comment);
  if (found === null) return { meaning: comment.replace(/\.$/, ""), byDefault: "" };
  const [whole, required, rest = ""] = found;
  const byDefault = required === undefined ? rest : `required${rest}`;
  const meaning = `${comment.slice(0, found.index)}${comment.slice(found.index + whole.length)}`.trim();
  return { meaning: meaning.replace(/\.$/, ""), byDefault };
}

/** Returns the rows of a README's table. */
export function rowsOf(docs: readonly OptionDoc[]): string {
  return docs
    .map(({ name, meaning, byDefault }) => `| \`${name}\` | ${meaning.replaceAll("|", "\\|")} | ${byDefault} |`)
    .join("\n");
}

const marker = /<!-- options: (\S+) (\w+)(?: of (\w+))? -->\n[\s\S]*?<!-- end of options -->/g;

/**
 * Rewrites the tables of a README. Each is between `<!-- options: FILE TABLE of FUNCTION -->` and `<!-- end of options -->`. The
 * function is the title of the table on pages with several.
 */
export async function withOptionDocs(readme: string, text: string): Promise<string> {
  let written = "";
  let from = 0;
  for (const found of text.matchAll(marker)) {
    const [whole, file = "", table = "", title] = found;
    const head = title === undefined ? "option" : `option of \`${title}\``;
    const rows = rowsOf(await readOptionDocs(join(dirname(readme), file), table));
    const [first = ""] = whole.split("\n");
    written += text.slice(from, found.index);
    written += `${first}\n| ${head} | meaning | default |\n|---|---|---|\n${rows}\n<!-- end of options -->`;
    from = found.index + whole.length;
  }
  return written + text.slice(from);
}
