// Reads the parts of a Markdown page that can be checked: fenced code, links and headings.

export interface Snippet {
  /** The words after the opening fence, such as ["ts", "run"]. */
  readonly marks: readonly string[];
  readonly text: string;
  /** The first line of `text` in the page, counted from 1. */
  readonly line: number;
}

export interface Link {
  readonly target: string;
  readonly line: number;
}

export interface MarkdownPage {
  readonly snippets: readonly Snippet[];
  readonly links: readonly Link[];
  /** The anchors that links to this page may have after the "#". */
  readonly anchors: ReadonlySet<string>;
}

const fence = /^ {0,3}(```+|~~~+)\s*([^`]*)$/;
const heading = /^#{1,6}\s+(.*?)\s*#*$/;

/** Parses a page. An unclosed fence ends with the page. */
export function readMarkdown(text: string): MarkdownPage {
  const snippets: Snippet[] = [];
  const links: Link[] = [];
  const anchors = new Set<string>();
  let open: { fence: string; marks: string[]; line: number; lines: string[] } | undefined;

  const close = (): void => {
    if (open !== undefined) snippets.push({ marks: open.marks, text: open.lines.join("\n"), line: open.line });
    open = undefined;
  };

  text.split("\n").forEach((content, index) => {
    const [, marker = "", words = ""] = fence.exec(content) ?? [];
    if (open !== undefined) {
      if (marker.startsWith(open.fence) && words === "") close();
      else open.lines.push(content);
    } else if (marker !== "") {
      open = { fence: marker, marks: words.split(/\s+/).filter((word) => word !== ""), line: index + 2, lines: [] };
    } else {
      const title = heading.exec(content)?.[1];
      if (title !== undefined) anchors.add(freeAnchor(anchors, title));
      for (const target of linkTargets(content)) links.push({ target, line: index + 1 });
    }
  });
  close();
  return { snippets, links, anchors };
}

/** Returns the targets of `[text](target)` and `[name]: target`, without code spans. */
function linkTargets(line: string): string[] {
  const prose = line.replace(/`[^`]*`/g, "");
  const inline = [...prose.matchAll(/\]\(\s*<?([^\s)>]+)/g)];
  const definition = /^\s*\[[^\]]+\]:\s*<?([^\s>]+)/.exec(prose);
  return [...inline, ...(definition === null ? [] : [definition])].map((match) => match[1] ?? "");
}

/** Returns GitHub's anchor of a heading. A repeated one gets a number. */
function freeAnchor(taken: ReadonlySet<string>, title: string): string {
  const plain = title.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1");
  const anchor = plain
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replace(/\s/g, "-");
  if (!taken.has(anchor)) return anchor;
  let number = 1;
  while (taken.has(`${anchor}-${number}`)) number++;
  return `${anchor}-${number}`;
}
